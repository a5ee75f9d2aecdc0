#pragma once
// The forms of what the handshake carries.

#include <string_view>

#include "base/text.h"
#include "http/message.h"

namespace adit::link {

inline constexpr std::string_view kWebSocketToken = "websocket";  ///< in Upgrade
inline constexpr std::string_view kWebSocketVersion = "13";

/// Letters, digits, '.', '_' and '-'; 1 to 253.
bool is_name(std::string_view text);
/// As a name, with '+' and '~'.
bool is_version(std::string_view text);
/// b64token of RFC 6750 §2.1, at most 4096 bytes.
bool is_token(std::string_view text);
/// 8-4-4-4-12 hex digits of either case (RFC 9562 §4).
bool is_uuid(std::string_view text);

bool starts_with_ignoring_case(std::string_view text, std::string_view start);

/// True when a field of that name, in any of its lines, has an item for which `wanted` holds.
template <class Wanted>
bool any_item(const http::FieldList& fields, std::string_view name, Wanted wanted) {
  bool found = false;
  for (const auto& field : fields) {
    if (!base::equals_ignoring_case(field.name, name)) continue;
    base::for_each_item(field.value, [&](std::string_view item) { found = found || wanted(item); });
  }
  return found;
}

/// base64 of 16 bytes (RFC 6455 §4.2.1).
bool is_web_socket_key(std::string_view text);
/// True when Upgrade names that protocol, in any case (RFC 9110 §7.8).
bool upgrades_to(const http::FieldList& fields, std::string_view protocol);
/// True when Sec-WebSocket-Protocol names the version of the link that this program speaks.
bool names_subprotocol(const http::FieldList& fields);
/// True when the path is kLinkPath, whatever stands before it, in any case.
bool is_link_path(std::string_view path);
/// The same of kPeerPath.
bool is_peer_path(std::string_view path);

}  // namespace adit::link
