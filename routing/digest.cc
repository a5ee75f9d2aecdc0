#include "routing/digest.h"

#include <memory>
#include <new>

#include <openssl/evp.h>

namespace adit::routing {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

Sha256 sha256(std::initializer_list<std::string_view> parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Sha256 digest{};
  bool done = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  for (const auto part : parts) {
    if (parts.size() > 1) {
      const std::uint64_t size = part.size();
      done = done && EVP_DigestUpdate(context.get(), &size, sizeof size) == 1;
    }
    done = done && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  }
  // SHA-256 in memory fails for want of memory only.
  if (!done || EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) throw std::bad_alloc();
  return digest;
}

std::string hex(const Sha256& digest) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const auto byte : digest) text.append(1, kHex[byte >> 4U]).append(1, kHex[byte & 0xfU]);
  return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  int held = 0;  // characters of the current group of four
  int padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    const auto value = kAlphabet.find(c);
    if (c == '=') {
      ++padding;
      bits <<= 6U;
    } else if (value != std::string_view::npos && padding == 0) {
      bits = bits << 6U | static_cast<std::uint32_t>(value);
    } else {
      return std::nullopt;
    }
    if (++held < 4) continue;
    if (padding > 2) return std::nullopt;
    for (int i = 0; i < 3 - padding; ++i)
      out.push_back(static_cast<char>(bits >> (16U - 8U * static_cast<unsigned>(i))));
    bits = 0;
    held = 0;
    if (padding > 0) padding = 3;  // nothing may follow
  }
  if (held != 0) return std::nullopt;
  return out;
}

std::string encode_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');  // OpenSSL adds a final NUL, for which a string has room
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return text;
}

}  // namespace adit::routing
