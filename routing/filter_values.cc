#include "routing/filter_values.h"

#include <algorithm>
#include <array>

#include "base/ip_network.h"
#include "base/text.h"
#include "routing/host_name.h"

namespace adit::routing {
namespace {

constexpr std::size_t kLongestName = 256;
constexpr std::size_t kLongestValue = 4096;

constexpr std::array<std::string_view, 15> kOfTheEdge = {"connection",
                                                         "content-length",
                                                         "expect",
                                                         "forwarded",
                                                         "host",
                                                         "keep-alive",
                                                         "proxy-authenticate",
                                                         "te",
                                                         "proxy-authorization",
                                                         "via",
                                                         "proxy-connection",
                                                         "trailer",
                                                         "upgrade",
                                                         "x-request-id",
                                                         "transfer-encoding"};

bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }
bool has_control(std::string_view text) { return std::any_of(text.begin(), text.end(), is_control); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (base::to_lower(c) >= 'a' && base::to_lower(c) <= 'z'); }

bool is_token_character(char c) {
  return is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// Servers that turn fields into variables (RFC 3875 §4.1.18) cannot tell "_" from "-".
bool is_of_the_edge(std::string_view name) {
  std::string known = base::lower_case(name);
  std::replace(known.begin(), known.end(), '_', '-');
  return known.starts_with("x-forwarded-") ||
         std::find(kOfTheEdge.begin(), kOfTheEdge.end(), known) != kOfTheEdge.end();
}

std::optional<std::uint64_t> unit(std::string_view suffix) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> kUnits = {{{"k", 1'000},
                                                                                        {"M", 1'000'000},
                                                                                        {"G", 1'000'000'000},
                                                                                        {"T", 1'000'000'000'000},
                                                                                        {"Ki", 1ULL << 10U},
                                                                                        {"Mi", 1ULL << 20U},
                                                                                        {"Gi", 1ULL << 30U},
                                                                                        {"Ti", 1ULL << 40U}}};
  const auto* const found =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const auto& known) { return known.first == suffix; });
  if (found == kUnits.end()) return std::nullopt;
  return found->second;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

std::string header_name_fault(std::string_view name) {
  if (name.size() > kLongestName || !is_token(name)) {
    return "must be a field name of letters, digits and !#$%&'*+-.^_`|~, at most 256 characters";
  }
  if (is_of_the_edge(name)) return "is a field that the gateways write themselves: it cannot be changed";
  return {};
}

std::string header_value_fault(std::string_view value) {
  if (value.empty()) return "must not be empty; remove takes a field away";
  if (value.size() > kLongestValue) return "is longer than 4096 bytes";
  if (has_control(value)) return "must be without control characters, such as line breaks and tabs";
  if (value.front() == ' ' || value.back() == ' ') return "must not begin or end with a space";
  return {};
}

std::string realm_fault(std::string_view realm) {
  if (realm.empty() || realm.size() > kLongestRealm) return "must have 1 to 128 characters";
  const bool is_plain =
      std::all_of(realm.begin(), realm.end(), [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; });
  return is_plain ? "" : "must be of visible ASCII characters and spaces, without \" and \\";
}

bool is_user_name(std::string_view user) {
  return !user.empty() && user.size() <= kLongestUser && user.find(':') == std::string_view::npos && !has_control(user);
}

bool is_bcrypt_hash(std::string_view hash) {
  if (hash.size() != 60 || !hash.starts_with("$2") || hash[3] != '$' || hash[6] != '$') return false;
  if (hash[2] != 'a' && hash[2] != 'b' && hash[2] != 'y') return false;
  const auto cost = hash.substr(4, 2);
  if (cost < "04" || cost > "14" || !is_digit(cost[1])) return false;
  return std::all_of(hash.begin() + 7, hash.end(), [](char c) { return is_alnum(c) || c == '.' || c == '/'; });
}

bool is_redirect_status(std::uint64_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::optional<std::uint64_t> parse_quantity(std::string_view text) {
  const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  const auto number = base::parse_decimal(text.substr(0, digits));
  if (!number) return std::nullopt;
  if (digits == text.size()) return digits <= 15 ? number : std::nullopt;
  const auto factor = unit(text.substr(digits));
  if (!factor || digits > 6) return std::nullopt;
  return *number * *factor;
}

base::Result<std::string> exact_host(std::string_view text) {
  auto host = canonical_host(text);
  if (host && host->front() == '*') return base::Error{"must be one host, without \"*\""};
  if (host && (host->front() == '[' || base::IpAddress::parse(*host))) {
    return base::Error{"must be a name, not an IP address"};
  }
  return host;
}

}  // namespace adit::routing
