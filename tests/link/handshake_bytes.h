#pragma once
// What the two ends of a handshake write.

#include <string>
#include <string_view>

#include "link/handshake.h"

namespace adit::link::test {

inline const Hello kHello{
    "tok-1._~+/=", "4d21094e-b74c-4916-86c1-d9fa36ea677b", "shop", "0123456789abcdef", "0.1.0", 3};
inline constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 §1.3, with its answer
inline constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

inline const HelloForm kUpgrade{"edge.example.com:443"};
inline const HelloForm kWebSocket{"edge.example.com:443", {}, Transport::websocket, kKey};

inline std::string hello_bytes(const HelloForm& form = kUpgrade, const Hello& hello = kHello) {
  base::Buffer out;
  write_hello(out, hello, form);
  return std::string(out.view());
}

inline std::string welcome_bytes(std::string_view key = {}) {
  base::Buffer out;
  write_welcome(out, "gateway-1", key);
  return std::string(out.view());
}

inline std::string refusal_bytes(const Refusal& refusal) {
  base::Buffer out;
  write_refusal(out, refusal, "gateway-1");
  return std::string(out.view());
}

/// `text` with the first `from` replaced.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace adit::link::test
