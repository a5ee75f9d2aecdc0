#pragma once
// ASCII text as protocols define it: no locale.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace adit::base {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

/// Equal but for the case of ASCII letters.
bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string lower_case(std::string_view text);
/// Without leading and trailing spaces and tabs (OWS of RFC 9110 §5.6.3).
std::string_view trim(std::string_view text);
/// A decimal number of digits only; nothing for an empty text, a sign, other characters or overflow.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

/// Calls `each(item)` for the trimmed, non-empty items of a comma-separated list (RFC 9110 §5.6.1).
template <class Each>
void for_each_item(std::string_view list, Each each) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (const auto item = trim(list.substr(0, comma)); !item.empty()) each(item);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

/// Whether all of it is well-formed (RFC 3629 §4).
bool is_utf8(std::string_view text);

/// `text` as the inside of a JSON string, appended to `out` (RFC 8259 §7); bytes that are not UTF-8 become U+FFFD.
void append_json_escaped(std::string& out, std::string_view text);

}  // namespace adit::base
