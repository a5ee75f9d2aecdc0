#include "link/window.h"

#include <algorithm>

namespace adit::link {

std::uint32_t Window::grow(base::TimePoint now, base::Duration round_trip, std::uint32_t most, std::uint64_t budget) {
  if (consumed_ < size_) return 0;
  const bool quick = now - since_ <= 2 * std::max(round_trip, kLeastRoundTrip);
  consumed_ = 0;
  since_ = now;
  if (!quick || size_ >= most) return 0;
  const std::uint64_t wanted = std::min(size_, most - size_);
  const auto granted = static_cast<std::uint32_t>(std::min(wanted, budget));
  size_ += granted;
  return granted;
}

}  // namespace adit::link
