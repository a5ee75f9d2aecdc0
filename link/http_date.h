#pragma once
// Dates as HTTP writes them (RFC 9110 §5.6.7). Pure.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace adit::link {

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string to_http_date(std::chrono::system_clock::time_point time);
/// Takes that form only; the obsolete ones are too rare to matter here.
std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text);

}  // namespace adit::link
