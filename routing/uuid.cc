#include "routing/uuid.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>

#include <openssl/evp.h>

#include "base/text.h"

namespace adit::routing {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

constexpr Bytes kNamespace = {0x3c, 0xba, 0x8f, 0x02, 0xc4, 0x88, 0x5d, 0x5a,
                              0xaf, 0xb9, 0xaa, 0x86, 0x08, 0x75, 0xc4, 0x21};

bool is_dash_position(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

std::string text_of(const Bytes& bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    if (is_dash_position(text.size())) text.push_back('-');
    text.append(1, kHex[byte >> 4U]).append(1, kHex[byte & 0xfU]);
  }
  return text;
}

}  // namespace

std::optional<std::string> canonical_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string lower = base::lower_case(text);
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if (is_dash_position(i) ? lower[i] != '-' : !is_hex_digit(lower[i])) return std::nullopt;
  }
  if (std::all_of(lower.begin(), lower.end(), [](char c) { return c == '0' || c == '-'; })) return std::nullopt;
  return lower;
}

std::string default_tunnel_id(std::string_view full_name) {
  std::string input(reinterpret_cast<const char*>(kNamespace.data()), kNamespace.size());
  input.append(full_name);
  std::array<std::uint8_t, 20> sha1{};
  if (EVP_Digest(input.data(), input.size(), sha1.data(), nullptr, EVP_sha1(), nullptr) != 1) throw std::bad_alloc();
  Bytes id;
  std::copy_n(sha1.begin(), id.size(), id.begin());
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0fU) | 0x50U);  // version 5
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3fU) | 0x80U);  // variant of RFC 9562 §4.1
  return text_of(id);
}

}  // namespace adit::routing
