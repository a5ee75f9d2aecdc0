#pragma once
// How many writes a second go to the API server, whatever changes.

#include <algorithm>
#include <chrono>
#include <mutex>

#include "base/clock.h"

namespace adit::controller {

/// A token bucket with a line of those who wait. Any thread.
class WriteBudget {
 public:
  WriteBudget(double per_second, double burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}

  /// Takes one write; zero when it may be made now, else how long to wait before asking again. Each gets another time,
  /// so that ten thousand do not come back for one write; none waits longer than kLongestWait, or than one write takes.
  std::chrono::milliseconds take(base::TimePoint now) {
    const std::lock_guard lock(mutex_);
    if (now > last_) {
      tokens_ = std::min(burst_, tokens_ + per_second_ * std::chrono::duration<double>(now - last_).count());
      last_ = now;
    }
    if (tokens_ >= 1) {
      tokens_ -= 1;
      return std::chrono::milliseconds(0);
    }
    const auto next = now + seconds((1 - tokens_) / per_second_);
    line_ = std::clamp(line_ + seconds(1 / per_second_), next, std::max(next, now + kLongestWait));
    return std::max(std::chrono::milliseconds(1), std::chrono::ceil<std::chrono::milliseconds>(line_ - now));
  }

 private:
  static constexpr auto kLongestWait = std::chrono::seconds(5);

  static base::Duration seconds(double number) {
    return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(number));
  }

  std::mutex mutex_;
  double per_second_;
  double burst_;
  double tokens_;
  base::TimePoint last_{};
  base::TimePoint line_{};  ///< when the last of those who wait is to come back
};

}  // namespace adit::controller
