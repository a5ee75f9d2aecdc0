#include "link/window.h"

#include <algorithm>

namespace adit::link {

std::int64_t Window::advice(base::TimePoint now, base::Duration round_trip, std::uint32_t most) {
  if (consumed_ < size_ / 2) return 0;
  const auto took = now - since_;
  const auto trip = std::max(round_trip, kLeastRoundTrip);
  consumed_ = 0;
  since_ = now;
  if (took <= trip + trip / 2) {
    const std::uint32_t times = trip >= kFar && took <= trip / 2 ? 3 : 1;
    return size_ < most ? std::min(times * size_, most - size_) : 0;
  }
  if (took <= std::max(kSlow * trip, kLeastSlow)) return 0;
  return -static_cast<std::int64_t>(size_ - std::max(first_, size_ / 2));
}

bool Window::is_idle(base::TimePoint now, base::Duration round_trip) const {
  return now - since_ > std::max(kIdle, 2 * kSlow * round_trip);
}

}  // namespace adit::link
