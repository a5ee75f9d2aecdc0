#include "routing/host_name.h"

#include <algorithm>

#include <arpa/inet.h>

#include "base/ip_network.h"
#include "base/text.h"
#include "routing/problem.h"

namespace adit::routing {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_ldh(char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; }

/// Why `label` cannot stand in a host name; empty when it can.
std::string label_fault(std::string_view label) {
  if (label.empty()) return "has an empty label (two dots, or a dot at the beginning)";
  if (label.size() > 63) return "has a label longer than 63 characters";
  if (label.find('*') != std::string_view::npos) return "may have \"*\" only as its whole first label";
  if (!std::all_of(label.begin(), label.end(), is_ldh)) {
    return "may have only letters, digits, hyphens and dots; found " + in_quotes(label);
  }
  if (label.front() == '-' || label.back() == '-') return "has a label that begins or ends with a hyphen";
  return {};
}

/// Faults that have a cause worth telling; empty when there is none of them.
std::string likely_mistake(std::string_view text) {
  if (text.empty()) return "must not be empty; \"*\" stands for any host";
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    return "must be in ASCII: write an internationalised name in its A-label form (xn--...)";
  }
  if (text.find("://") != std::string_view::npos) return "must be a host name alone, without a scheme such as https://";
  if (text.find('/') != std::string_view::npos) return "must be a host name alone; a path belongs into the field path";
  if (std::count(text.begin(), text.end(), ':') > 1) return "must have an IPv6 address in brackets, and no port";
  if (text.find(':') != std::string_view::npos) return "must be without a port";
  return {};
}

/// What URL parsers would take for an IPv4 address: the last label is a number (WHATWG URL, "ends in a number").
bool ends_in_number(std::string_view name) {
  const auto last = name.substr(name.rfind('.') + 1);
  if (last.empty()) return false;
  if (std::all_of(last.begin(), last.end(), is_digit)) return true;
  return last.starts_with("0x") &&
         std::all_of(last.begin() + 2, last.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::string_view canonical_literal(std::string_view text, LiteralRoom& room) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return {};
  const auto inner = text.substr(1, text.size() - 2);
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (inner.size() >= terminated.size() || inner.find('\0') != std::string_view::npos) return {};
  std::copy(inner.begin(), inner.end(), terminated.begin());
  in6_addr address{};
  if (inet_pton(AF_INET6, terminated.data(), &address) != 1) return {};
  room[0] = '[';
  inet_ntop(AF_INET6, &address, room.data() + 1, INET6_ADDRSTRLEN);
  auto size = std::string_view(room.data()).size();
  room[size++] = ']';
  const std::string_view literal(room.data(), size);
  // An IPv4 address within: the other way to write that host is the usual one.
  return literal.find('.') == std::string_view::npos ? literal : std::string_view();
}

base::Result<std::string> canonical_host(std::string_view text) {
  if (text.starts_with('[')) {
    LiteralRoom room;
    const auto literal = canonical_literal(text, room);
    if (!literal.empty()) return std::string(literal);
    return base::Error{"must be an IPv6 address in brackets such as [2001:db8::1], without port and zone"};
  }
  if (auto mistake = likely_mistake(text); !mistake.empty()) return base::Error{std::move(mistake)};
  std::string host = base::lower_case(text);
  if (host == "*") return host;
  if (host.back() == '.') host.pop_back();
  if (host.size() > kLongestHost) return base::Error{"is longer than 253 characters"};
  std::string_view rest = host;
  if (rest.starts_with("*.")) rest.remove_prefix(2);
  if (const auto address = base::IpAddress::parse(host)) return address->text();
  if (ends_in_number(rest))
    return base::Error{"ends in a number, so it would have to be an IPv4 address such as 192.0.2.7"};
  while (true) {
    const auto dot = rest.find('.');
    if (auto fault = label_fault(rest.substr(0, dot)); !fault.empty()) return base::Error{std::move(fault)};
    if (dot == std::string_view::npos) return host;
    rest.remove_prefix(dot + 1);
  }
}

std::string wider_wildcard(std::string_view host) {
  if (host == "*") return {};
  if (host.starts_with("*.")) host.remove_prefix(2);
  const auto dot = host.find('.');
  if (dot == std::string_view::npos) return {};
  return "*" + std::string(host.substr(dot));
}

}  // namespace adit::routing
