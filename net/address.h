#pragma once
// Addresses as text: what users write and what logs show.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ip_network.h"
#include "base/result.h"
#include "net/asio.h"

namespace adit::net {

/// "203.0.113.7:1234" or "[2001:db8::1]:1234"; an IPv4-mapped address is shown as IPv4; empty for a Unix socket.
std::string to_text(const asio::ip::tcp::endpoint& endpoint);
/// The address without its port, IPv6 without brackets, IPv4-mapped as IPv4.
std::string host_text(const asio::ip::tcp::endpoint& endpoint);
/// The address alone.
base::IpAddress ip_address(const asio::ip::tcp::endpoint& endpoint);
/// The peer of a TCP socket; an unspecified endpoint for others and on failure.
asio::ip::tcp::endpoint peer_of(const Socket& socket);

/// What a connection is dialled to.
struct Target {
  enum class Kind { tcp, unix_socket };
  Kind kind = Kind::tcp;
  std::string host;  ///< name or IP literal, IPv6 without brackets
  std::uint16_t port = 0;
  std::string path;  ///< of a Unix socket

  std::string text() const;  ///< "HOST:PORT" or "unix:PATH"
};

/// "HOST:PORT" with IPv6 in brackets. `default_port` 0 means that a port must be given.
base::Result<Target> parse_host_port(std::string_view text, std::uint16_t default_port = 0);

/// Where to listen: host an IP literal or empty for all addresses (IPv6 and IPv4).
base::Result<asio::ip::tcp::endpoint> listen_endpoint(const std::string& host, std::uint16_t port);

}  // namespace adit::net
