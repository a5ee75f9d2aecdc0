#include "gateway/retry_budget.h"

#include <algorithm>

namespace adit::gateway {

void RetryBudget::earn(base::TimePoint now) {
  constexpr base::Duration kTenth = std::chrono::milliseconds(100);
  if (now < earned_until_) return;
  const auto tenths = (now - earned_until_) / kTenth;
  earned_until_ += tenths * kTenth;
  if (tenths_ >= kFloor * 10) return;
  tenths_ += static_cast<std::uint32_t>(std::min<std::int64_t>(tenths, kFloor * 10 - tenths_));
}

bool RetryBudget::take(base::TimePoint now) {
  if (!has(now)) return false;
  tenths_ -= 10;
  return true;
}

}  // namespace adit::gateway
