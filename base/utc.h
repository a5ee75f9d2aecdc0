#pragma once
// Points in time as text for people and JSON.

#include <chrono>
#include <string>

namespace adit::base {

/// "2026-11-21T12:30:00Z" (RFC 3339, whole seconds); empty for a time outside of the years 0 to 9999.
std::string utc_text(std::chrono::system_clock::time_point time);

}  // namespace adit::base
