#pragma once
// How many writes a second go to the API server, whatever changes.

#include <algorithm>
#include <chrono>
#include <mutex>

#include "base/clock.h"

namespace adit::controller {

/// A token bucket. Any thread.
class WriteBudget {
 public:
  WriteBudget(double per_second, double burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}

  /// Takes one write; zero when it may be made now, else how long to wait before asking again.
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
    const double seconds = (1 - tokens_) / per_second_;
    return std::max(std::chrono::milliseconds(1),
                    std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(seconds)));
  }

 private:
  std::mutex mutex_;
  double per_second_;
  double burst_;
  double tokens_;
  base::TimePoint last_{};
};

}  // namespace adit::controller
