#pragma once
// UUIDs (RFC 9562) as tunnel IDs.

#include <optional>
#include <string>
#include <string_view>

namespace adit::routing {

/// `text` in lower case when it has the form 8-4-4-4-12 of hex digits and is not the Nil UUID; else nothing.
std::optional<std::string> canonical_uuid(std::string_view text);

/// The id of a Tunnel that names none: the UUIDv5 (RFC 9562 §5.5) of "namespace/name" in the namespace
/// 3cba8f02-c488-5d5a-afb9-aa860875c421, which is itself the UUIDv5 of "adit.dev" in the DNS namespace. It is part of
/// what users hand to connectors, so it never changes.
std::string default_tunnel_id(std::string_view full_name);

}  // namespace adit::routing
