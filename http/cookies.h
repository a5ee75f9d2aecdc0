#pragma once
// The Cookie field (RFC 6265 §4.2) as a proxy may look at it: one cookie by its name, and the field without it.

#include <string_view>

#include "base/text.h"
#include "http/message.h"

namespace adit::http {

/// Calls `each(pair)` for what stands between the semicolons of a Cookie field's value, white space around it cut off.
/// Quotation marks do not hide a semicolon: user agents write none into a value, and keep none out of one.
template <class Each>
void for_each_cookie_pair(std::string_view value, Each each) {
  while (true) {
    const auto end = value.find(';');
    if (const auto pair = base::trim(value.substr(0, end)); !pair.empty()) each(pair);
    if (end == std::string_view::npos) return;
    value.remove_prefix(end + 1);
  }
}

/// Whether a pair is of the cookie `name`, whose case matters. A pair without "=" is a name alone.
inline bool is_cookie(std::string_view pair, std::string_view name) {
  return base::trim(pair.substr(0, pair.find('='))) == name;
}

/// Whether any pair of that Cookie field is of the cookie.
bool holds_cookie(std::string_view value, std::string_view name);

/// Calls `each(value)` for the cookies of that name, in all Cookie fields of a head (RFC 9113 §8.2.3 allows several)
/// and in their order, without quotation marks around the value, until it returns false. Views of the head.
template <class Each>
void for_each_cookie(const FieldList& fields, std::string_view name, Each each) {
  bool goes_on = true;
  for (const Field& field : fields) {
    if (!goes_on) return;
    if (!base::equals_ignoring_case(field.name, "Cookie")) continue;
    for_each_cookie_pair(field.value, [&](std::string_view pair) {
      if (!goes_on || !is_cookie(pair, name)) return;
      const auto equals = pair.find('=');
      auto value = equals == std::string_view::npos ? std::string_view() : base::trim(pair.substr(equals + 1));
      if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
        value = value.substr(1, value.size() - 2);
      goes_on = each(value);
    });
  }
}

}  // namespace adit::http
