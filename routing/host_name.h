#pragma once
// Host names of rules: exact ("shop.example.com"), wildcard ("*.example.com") or any ("*").

#include <string>
#include <string_view>

#include "base/result.h"

namespace adit::routing {

/// The longest host name without trailing dot (RFC 1035 §2.3.4 counts the length bytes, too).
inline constexpr std::size_t kLongestHost = 253;

/// The canonical form of a rule's host: lower case, no trailing dot. LDH labels (RFC 5890 §2.3.1, A-labels among them)
/// of at most 63, kLongestHost in all; "*" alone or as the whole first label. As in an Ingress, an IP address is
/// refused.
base::Result<std::string> canonical_host(std::string_view text);

/// The next wider wildcard over a host or wildcard in canonical form: "*.example.com" for "shop.example.com" and for
/// "*.shop.example.com"; empty when there is none. "*" is nobody's: it says "any other", it is not a domain.
std::string wider_wildcard(std::string_view host);

}  // namespace adit::routing
