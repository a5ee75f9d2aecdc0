#include "routing/object_name.h"

#include <algorithm>

namespace adit::routing {
namespace {

constexpr std::size_t kLongestName = 253;

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_letter_or_digit(char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }

/// A label but for its length.
bool has_label_form(std::string_view text) {
  return !text.empty() && is_lower_or_digit(text.front()) && is_lower_or_digit(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

}  // namespace

bool is_dns_label(std::string_view text) { return text.size() <= 63 && has_label_form(text); }

bool is_dns_subdomain(std::string_view text) {
  if (text.size() > kLongestName) return false;
  while (true) {
    const auto dot = text.find('.');
    if (!has_label_form(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_service_name(std::string_view text) {
  static constexpr std::string_view kAlso = "._:-";
  return !text.empty() && text.size() <= kLongestName && is_letter_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter_or_digit(c) || kAlso.find(c) != std::string_view::npos; });
}

bool is_secret_key(std::string_view text) {
  static constexpr std::string_view kAlso = "-_.";
  return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) || kAlso.find(c) != std::string_view::npos;
  });
}

}  // namespace adit::routing
