#include "gateway/pace.h"

#include <algorithm>

namespace adit::gateway {

void Pace::wait(base::TimePoint now) {
  if (waiting_) return;
  waiting_ = true;
  since_ = last_ = now;
}

void Pace::spend(base::TimePoint now) {
  credit_ -= now - since_;
  since_ = now;
}

void Pace::pause(base::TimePoint now) {
  if (!waiting_) return;
  spend(now);
  waiting_ = false;
}

void Pace::moved(const PaceLimits& limits, base::TimePoint now, std::size_t bytes) {
  if (waiting_) spend(now);
  last_ = now;
  if (limits.least_rate == 0) return;
  const std::chrono::duration<double> earned(static_cast<double>(bytes) / static_cast<double>(limits.least_rate));
  const auto most = std::max(limits.grace, limits.stall);
  // Compared before the cast: much may be earned at once.
  credit_ = earned >= most ? most : std::min(most, credit_ + std::chrono::duration_cast<base::Duration>(earned));
}

base::TimePoint Pace::deadline(const PaceLimits& limits) const {
  if (!waiting_) return base::kNever;
  const auto stalled = last_ + limits.stall;
  return limits.least_rate == 0 ? stalled : std::min(stalled, since_ + credit_);
}

}  // namespace adit::gateway
