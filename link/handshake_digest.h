#pragma once
// What the handshakes carry in base64: WebSocket keys and their answers, credentials.

#include <span>
#include <string>
#include <string_view>

namespace adit::link {

/// RFC 4648 §4, padded.
std::string base64(std::span<const unsigned char> bytes);
/// Sec-WebSocket-Accept for that Sec-WebSocket-Key (RFC 6455 §4.2.2).
std::string web_socket_accept(std::string_view key);

}  // namespace adit::link
