#pragma once
// How many further attempts the requests of one tunnel may cost, so that retries do not multiply the load on services
// that are in trouble already. Pure.

#include <cstdint>

#include "base/clock.h"

namespace adit::gateway {

/// A token bucket, of one tunnel at one worker. Ten requests earn an attempt; and a second earns one while there are
/// fewer than kFloor, so that a quiet tunnel can retry at all.
class RetryBudget {
 public:
  static constexpr std::uint32_t kFloor = 10;
  static constexpr std::uint32_t kMost = 100;

  explicit RetryBudget(base::TimePoint now) : earned_until_(now) {}

  void on_request() {
    if (tenths_ < kMost * 10) ++tenths_;
  }
  /// False: it is used up, and nothing is taken.
  bool take(base::TimePoint now);
  bool has(base::TimePoint now) {
    earn(now);
    return tenths_ >= 10;
  }

 private:
  void earn(base::TimePoint now);

  std::uint32_t tenths_ = kFloor * 10;  ///< of an attempt
  base::TimePoint earned_until_;
};

}  // namespace adit::gateway
