#include "link/handshake_digest.h"

#include <array>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "link/handshake.h"

namespace adit::link {

std::string base64(std::span<const unsigned char> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  // It ends the text with a zero of its own, for which std::string has the place.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  return text;
}

std::string web_socket_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base64(digest);
}

std::string new_web_socket_key(base::Random& random) {
  std::array<unsigned char, 16> bytes;
  for (std::size_t half = 0; half < bytes.size(); half += 8) {
    auto bits = random();
    for (std::size_t i = 0; i < 8; ++i, bits >>= 8U) bytes[half + i] = static_cast<unsigned char>(bits);
  }
  return base64(bytes);
}

}  // namespace adit::link
