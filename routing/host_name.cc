#include "routing/host_name.h"

#include <algorithm>

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
  if (text.front() == '[' || std::count(text.begin(), text.end(), ':') > 1) {
    return "must be a name, not an IP address; \"*\" stands for any host";
  }
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

base::Result<std::string> canonical_host(std::string_view text) {
  if (auto mistake = likely_mistake(text); !mistake.empty()) return base::Error{std::move(mistake)};
  std::string host = base::lower_case(text);
  if (host == "*") return host;
  if (host.back() == '.') host.pop_back();
  if (host.size() > kLongestHost) return base::Error{"is longer than 253 characters"};
  std::string_view rest = host;
  if (rest.starts_with("*.")) rest.remove_prefix(2);
  if (ends_in_number(rest)) return base::Error{"must be a name, not an IP address; \"*\" stands for any host"};
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
