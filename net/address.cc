#include "net/address.h"

#include "base/text.h"

namespace adit::net {
namespace {

asio::ip::address plain(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address;
}

}  // namespace

std::string host_text(const asio::ip::tcp::endpoint& endpoint) { return plain(endpoint.address()).to_string(); }

std::string to_text(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = plain(endpoint.address());
  const auto port = ":" + std::to_string(endpoint.port());
  return address.is_v6() ? "[" + address.to_string() + "]" + port : address.to_string() + port;
}

base::IpAddress ip_address(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  return base::IpAddress(address.is_v6() ? address.to_v6().to_bytes()
                                         : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()).to_bytes());
}

asio::ip::tcp::endpoint peer_of(const Socket& socket) {
  Error error;
  const auto peer = socket.remote_endpoint(error);
  asio::ip::tcp::endpoint endpoint;
  const int family = error ? AF_UNSPEC : peer.protocol().family();
  if (family != AF_INET && family != AF_INET6) return endpoint;
  endpoint.resize(peer.size());
  std::memcpy(endpoint.data(), peer.data(), peer.size());
  return endpoint;
}

std::string Target::text() const {
  if (kind == Kind::unix_socket) return "unix:" + path;
  const auto end = ":" + std::to_string(port);
  return host.find(':') != std::string::npos ? "[" + host + "]" + end : host + end;
}

base::Result<Target> parse_host_port(std::string_view text, std::uint16_t default_port) {
  Target target;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return base::Error{"\"" + std::string(text) + "\": \"]\" is missing"};
    target.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const auto colon = text.find(':');
    target.host = text.substr(0, colon);
    if (colon != std::string_view::npos) rest = text.substr(colon);
    if (rest.find(':', 1) != std::string_view::npos) {
      return base::Error{"\"" + std::string(text) + "\": an IPv6 address needs brackets, as [2001:db8::1]:443"};
    }
  }
  if (target.host.empty()) return base::Error{"\"" + std::string(text) + "\": the host is missing"};
  if (rest.empty() && default_port != 0) {
    target.port = default_port;
    return target;
  }
  const auto port = rest.starts_with(':') ? base::parse_decimal(rest.substr(1)) : std::nullopt;
  if (!port || *port == 0 || *port > 65535) {
    return base::Error{"\"" + std::string(text) + "\": a port from 1 to 65535 is needed, as HOST:PORT"};
  }
  target.port = static_cast<std::uint16_t>(*port);
  return target;
}

base::Result<asio::ip::tcp::endpoint> listen_endpoint(const std::string& host, std::uint16_t port) {
  if (host.empty()) return asio::ip::tcp::endpoint(asio::ip::tcp::v6(), port);
  Error error;
  const auto name = host == "localhost" ? std::string("127.0.0.1") : host;
  const auto address = asio::ip::make_address(name, error);
  if (error) return base::Error{"\"" + host + "\" is not an IP address"};
  return asio::ip::tcp::endpoint(address, port);
}

}  // namespace adit::net
