#pragma once
// What values of filters may look like; the same for manifests and for what an operator sends to gateways.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace adit::routing {

inline constexpr std::size_t kMostHeaderChanges = 16;  ///< of one kind, in one filter; as in Gateway API
inline constexpr std::size_t kMostAllowedNetworks = 256;
inline constexpr std::size_t kMostLogins = 1'000;
inline constexpr std::size_t kLongestRealm = 128;
inline constexpr std::size_t kLongestUser = 255;
inline constexpr std::size_t kLongestOfflinePage = 32U << 10U;

/// RFC 9110 §5.6.2.
bool is_token(std::string_view text);

/// Why a filter cannot change fields of that name; empty when it can. Refused: what is no token (RFC 9110 §5.6.2) or
/// longer than 256, and what the edge writes itself: framing, Connection and its kin, Host, Expect, X-Forwarded-*,
/// Forwarded, Via, X-Request-Id, in any case and also with "_" for "-".
std::string header_name_fault(std::string_view name);
/// Why that cannot be the value of a field: empty, longer than 4,096, with control characters, or with a space at an
/// end, which parsers drop (RFC 9110 §5.5); empty when it can.
std::string header_value_fault(std::string_view value);

/// Why that cannot be a realm: the text goes into a quoted string (RFC 7617 §2); empty when it can.
std::string realm_fault(std::string_view realm);
/// Not empty, without colon (RFC 7617 §2) and control characters, at most kLongestUser.
bool is_user_name(std::string_view user);
/// A bcrypt hash as crypt(5) writes it, of version 2a, 2b or 2y and a cost of 4 to 14: a higher one would hold up a
/// gateway's worker for seconds.
bool is_bcrypt_hash(std::string_view hash);

bool is_redirect_status(std::uint64_t status);

/// "10Mi", "1048576": a whole number of bytes of at most 15 digits, or of at most 6 with k, M, G, T, Ki, Mi, Gi or Ti.
std::optional<std::uint64_t> parse_quantity(std::string_view text);

/// The canonical form of one exact host that is no IP address, as Gateway API's PreciseHostname.
base::Result<std::string> exact_host(std::string_view text);

}  // namespace adit::routing
