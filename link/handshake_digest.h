#pragma once
// What proves that an answer belongs to a WebSocket handshake.

#include <string>
#include <string_view>

namespace adit::link {

/// Sec-WebSocket-Accept for that Sec-WebSocket-Key (RFC 6455 §4.2.2).
std::string web_socket_accept(std::string_view key);

}  // namespace adit::link
