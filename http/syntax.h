#pragma once
// The character classes of RFC 9110 §5.5 and §5.6.2, as tables: they are asked for every byte of some fields.

#include <algorithm>
#include <array>
#include <string_view>

namespace adit::http {

using CharTable = std::array<bool, 256>;

constexpr CharTable chars_of(std::string_view listed) {
  CharTable table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (const char c : listed) table[static_cast<unsigned char>(c)] = true;
  return table;
}

inline constexpr CharTable kTokenChars = chars_of("!#$%&'*+-.^_`|~");

constexpr bool is_token_char(char c) { return kTokenChars[static_cast<unsigned char>(c)]; }

constexpr bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return is_token_char(c); });
}

/// What a field value may hold: VCHAR, obs-text, space and tab; no other control character.
constexpr bool is_value_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

constexpr bool is_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_value_char(c); });
}

}  // namespace adit::http
