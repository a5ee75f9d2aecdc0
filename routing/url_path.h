#pragma once
// URL paths in canonical form, so that a rule matches what the service will make of a path.

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace adit::routing {

inline constexpr std::size_t kLongestRulePath = 1024;
inline constexpr std::size_t kLongestRequestPath = 16'384;

/// Room for the canonical form of a request's path.
using PathRoom = std::array<char, kLongestRequestPath>;

/// The canonical form of a rule's path: it begins with "/", has no final slash but in "/", no empty and no dot
/// segments; percent-encoded unreserved characters (RFC 3986 §2.3) are decoded, other encodings are in upper case.
/// Refused: query, fragment, what RFC 3986 §3.3 does not allow, and what request_path() cannot read.
base::Result<std::string> rule_path(std::string_view text);

/// The same but for a final slash, which stays: a path that is written into requests.
base::Result<std::string> full_path(std::string_view text);

/// The canonical form of a request's path, a query cut off; a final slash may stay. A view of `path` itself when it is
/// canonical already, else of `room`. Nothing, hence no rule, for what two parsers could read in two ways: a broken
/// percent-encoding, ".." above the root or after an empty segment ("/a//../b"), a segment in which "." or ".." would
/// appear if encoded slashes and backslashes parted it ("..%2Fb") or without its parameters ("..;x"), more than
/// kLongestRequestPath bytes. Encoded slashes stay encoded: they do not part segments here.
std::optional<std::string_view> request_path(std::string_view path, PathRoom& room);

/// The same with its dot segments, as a service reads it that does not resolve them. Only for a `path` that has a
/// canonical form and was not canonical already. A view of `room`.
std::string_view literal_path(std::string_view path, PathRoom& room);

/// Orders canonical paths by segments, so that the paths below a prefix stand together right behind it. < 0, 0 or > 0.
int compare_paths(std::string_view a, std::string_view b);

/// True when `prefix` is a prefix of `path` on whole segments: "/api" of "/api" and "/api/v1", not of "/apis".
bool is_path_prefix(std::string_view prefix, std::string_view path);

}  // namespace adit::routing
