#pragma once
// Host names of rules: exact ("shop.example.com"), wildcard ("*.example.com") or any ("*").

#include <array>
#include <string>
#include <string_view>

#include "base/result.h"

namespace adit::routing {

/// The longest host name without trailing dot (RFC 1035 §2.3.4 counts the length bytes, too).
inline constexpr std::size_t kLongestHost = 253;

/// The canonical form of a rule's host: lower case, no trailing dot. LDH labels (RFC 5890 §2.3.1, A-labels among them)
/// of at most 63, kLongestHost in all; "*" alone or as the whole first label; or an IP address, IPv6 in brackets. What
/// URL parsers would take for another IPv4 address ("10.1", "0x7f.1") is refused.
base::Result<std::string> canonical_host(std::string_view text);

/// Room for the canonical form of an IPv6 literal and a final NUL.
using LiteralRoom = std::array<char, 48>;
/// "[2001:DB8:0::1]" → "[2001:db8::1]" (RFC 5952), a view of `room`; empty when it is none, has a zone, or stands for
/// an IPv4 address. Allocates nothing.
std::string_view canonical_literal(std::string_view text, LiteralRoom& room);

/// The next wider wildcard over a host or wildcard in canonical form: "*.example.com" for "shop.example.com" and for
/// "*.shop.example.com"; empty when there is none. "*" is nobody's: it says "any other", it is not a domain.
std::string wider_wildcard(std::string_view host);

}  // namespace adit::routing
