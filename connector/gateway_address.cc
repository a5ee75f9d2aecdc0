#include "connector/gateway_address.h"

#include <algorithm>
#include <utility>

namespace adit::connector {
namespace {

constexpr std::uint16_t kHttpsPort = 443;
constexpr std::uint16_t kHttpPort = 80;
constexpr std::size_t kMostPrefix = 1024;

base::Error wrong(std::string_view text, const std::string& reason) {
  return base::Error{"gateway \"" + std::string(text) + "\": " + reason};
}

/// What may stand in a path as it is (RFC 3986 §3.3).
bool is_path_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("/-._~%!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

base::Result<void> read_rest(std::string_view text, std::string_view rest, std::uint16_t port,
                             GatewayAddress& address) {
  if (rest.find('@') < rest.find('/')) return base::Error{"a gateway URL takes no user; the token comes from a file"};
  const auto slash = std::min(rest.find('/'), rest.size());
  auto target = net::parse_host_port(rest.substr(0, slash), port);
  if (!target) return wrong(text, target.error());
  address.target = *std::move(target);
  auto prefix = rest.substr(slash);
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (prefix.size() > kMostPrefix || !std::all_of(prefix.begin(), prefix.end(), is_path_character)) {
    return wrong(text, "what follows the host is no path; query and fragment have no meaning here");
  }
  address.prefix = prefix;
  return {};
}

}  // namespace

std::string GatewayAddress::host_field() const {
  auto text = target.text();
  if (target.port == (encrypted ? kHttpsPort : kHttpPort)) text.erase(text.rfind(':'));
  return text;
}

std::string GatewayAddress::text() const {
  if (!url) return target.text();
  return (encrypted ? "https://" : "http://") + host_field() + prefix;
}

base::Result<GatewayAddress> parse_gateway_address(std::string_view text) {
  constexpr std::string_view kSeparator = "://";
  GatewayAddress address;
  const auto separator = text.find(kSeparator);
  if (separator == std::string_view::npos) {
    if (text.find('/') != std::string_view::npos) {
      return wrong(text, "a path needs a scheme, as https://HOST/PATH");
    }
    auto target = net::parse_host_port(text, GatewayAddress::kLinkPort);
    if (!target) return wrong(text, target.error());
    address.target = *std::move(target);
    return address;
  }
  const auto scheme = text.substr(0, separator);
  if (scheme != "https" && scheme != "http") {
    return wrong(text, "the scheme \"" + std::string(scheme) + "\" is neither https nor http");
  }
  address.url = true;
  address.encrypted = scheme == "https";
  const auto port = address.encrypted ? kHttpsPort : kHttpPort;
  if (auto read = read_rest(text, text.substr(separator + kSeparator.size()), port, address); !read) {
    return base::Error{read.error()};
  }
  return address;
}

}  // namespace adit::connector
