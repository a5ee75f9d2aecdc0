#pragma once
// Time as protocol logic sees it: handed in, never read. Only shells call Clock::now().

#include <chrono>

namespace adit::base {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

/// "No deadline": later than every time.
inline constexpr TimePoint kNever = TimePoint::max();

}  // namespace adit::base
