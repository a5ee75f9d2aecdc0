// The values that settings consist of, as text.

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "base/settings.h"
#include "base/text.h"

namespace adit::base {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t milliseconds;
};
constexpr std::array kUnits{Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000}, Unit{"ms", 1}};
constexpr std::uint64_t kLongest = 366ULL * 24 * 3'600'000;

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

bool is_ipv6(std::string_view host) {
  const std::string address(host.substr(0, host.find('%')));  // a link-local address may name its interface
  in6_addr parsed{};
  return inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
}

bool is_name_or_ipv4(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    const char lower = to_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  if (text == "off") return ListenAddress{.host = "", .port = 0, .off = true};
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return Error{quoted(text) + R"( has no port; write "HOST:PORT", ":PORT" for every address, or "off")"};
  }
  const auto port = parse_decimal(text.substr(colon + 1));
  if (!port || *port > 65535) {
    return Error{quoted(text) + " does not end in a port; write a number from 0 to 65535 after the last colon"};
  }
  ListenAddress address{.host = std::string(text.substr(0, colon)), .port = static_cast<std::uint16_t>(*port)};
  const auto& host = address.host;
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    address.host = host.substr(1, host.size() - 2);
    if (!is_ipv6(address.host)) return Error{quoted(text) + " has no IPv6 address between the brackets"};
  } else if (host.find(':') != std::string::npos) {
    return Error{quoted(text) + R"( has more than one colon; write an IPv6 address in brackets: "[::1]:8080")"};
  } else if (!is_name_or_ipv4(host)) {
    return Error{quoted(text) + " has a host that is neither a name nor an address"};
  }
  return address;
}

std::string to_string(const ListenAddress& address) {
  if (address.off) return "off";
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_decimal(text.substr(0, digits));
  const auto name = text.substr(digits);
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == name; });
  if (digits == 0 || unit == kUnits.end()) {
    return Error{quoted(text) + R"( is not a duration; write a whole number with ms, s, m or h: "250ms", "30s")"};
  }
  if (!number || *number > kLongest / unit->milliseconds) return Error{quoted(text) + " is longer than 366 days"};
  return std::chrono::milliseconds(*number * unit->milliseconds);
}

std::string to_string(std::chrono::milliseconds duration) {
  const auto count = static_cast<std::uint64_t>(duration.count());
  if (count == 0) return "0s";
  const auto unit =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return count % u.milliseconds == 0; });
  return std::to_string(count / unit->milliseconds) + std::string(unit->name);
}

std::string name_equals_value(std::string_view name, std::string_view value) {
  return std::string(name).append("=").append(value);
}

}  // namespace adit::base
