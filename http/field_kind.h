#pragma once
// Which fields a proxy treats in a way of its own (RFC 9110 §7.6.1 and §6.5.1).

#include <cstdint>
#include <string_view>

namespace adit::http {

enum class FieldKind : std::uint8_t {
  plain,  ///< forwarded as it is
  connection,
  hop_by_hop,  ///< Keep-Alive, Proxy-Connection, Proxy-Authenticate, Proxy-Authorization
  te,
  transfer_encoding,
  content_length,
  upgrade,
  host,
  expect,
  forwarded,   ///< Forwarded, X-Real-IP and every X-Forwarded-…
  request_id,  ///< X-Request-Id
};

/// In any case, and with "_" for "-": servers that hand fields over as environment variables (RFC 3875 §4.1.18) cannot
/// tell X_Forwarded_For from X-Forwarded-For. Decides by length and letters, since it is asked for every field.
FieldKind field_kind(std::string_view name);

/// Whether two names are of one field, in the same sense.
bool same_field(std::string_view a, std::string_view b);

/// False for what steers framing, routing, authentication or the handling of the message.
bool allowed_in_trailers(std::string_view name);

}  // namespace adit::http
