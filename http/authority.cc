#include "http/authority.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <arpa/inet.h>

#include "base/text.h"
#include "http/syntax.h"

namespace adit::http {
namespace {

constexpr std::size_t kLongestName = 253;  // RFC 1035 §2.3.4, in text
constexpr CharTable kNameChars = chars_of("-_.");

bool is_port(std::string_view text) {
  if (text.empty()) return true;
  const auto number = base::parse_decimal(text);
  return text.size() <= 5 && number && *number >= 1 && *number <= 65535;
}

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > kLongestName || text.front() == '.' || text.back() == '.') return false;
  char before = 0;
  for (const char c : text) {
    if (!kNameChars[static_cast<unsigned char>(c)] || (c == '.' && before == '.')) return false;
    before = c;
  }
  return true;
}

bool is_ipv6(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return false;
  std::copy(text.begin(), text.end(), terminated.begin());
  in6_addr address{};
  return text.find('\0') == std::string_view::npos && inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  const bool literal = !text.empty() && text.front() == '[';
  const auto name_end = literal ? text.find(']') : text.find(':');
  if (literal && name_end == std::string_view::npos) return std::nullopt;
  const auto host_size = std::min(literal ? name_end + 1 : name_end, text.size());
  Authority authority{text.substr(0, host_size), {}};
  if (const auto rest = text.substr(host_size); !rest.empty()) {
    if (rest.front() != ':') return std::nullopt;
    authority.port = rest.substr(1);
  }
  if (!is_port(authority.port)) return std::nullopt;
  if (literal) {
    if (!is_ipv6(authority.host.substr(1, host_size - 2))) return std::nullopt;
    return authority;
  }
  if (authority.host.size() > 1 && authority.host.back() == '.') authority.host.remove_suffix(1);
  if (!is_name(authority.host)) return std::nullopt;
  return authority;
}

}  // namespace adit::http
