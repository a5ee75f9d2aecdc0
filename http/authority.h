#pragma once
// The authority of a request: Host, or the authority of an absolute target (RFC 9110 §7.2, RFC 3986 §3.2).

#include <optional>
#include <string_view>

namespace adit::http {

/// Views into the text that was parsed.
struct Authority {
  std::string_view host;  ///< without one trailing dot; an IPv6 literal keeps its brackets
  std::string_view port;  ///< decimal, may be empty
};

/// Nothing for what is not `host [":" port]`. Stricter than RFC 3986: a name consists of non-empty labels of letters,
/// digits, "-" and "_"; percent-encoding, userinfo and sub-delimiters are refused because servers read them
/// differently.
std::optional<Authority> parse_authority(std::string_view text);

}  // namespace adit::http
