#pragma once
// Full-jitter exponential backoff (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).

#include "base/clock.h"
#include "base/random.h"

namespace adit::base {

/// The waits between the tries of one thing. Pure: it neither sleeps nor reads a clock.
class Backoff {
 public:
  struct Limits {
    std::chrono::milliseconds first{250};
    std::chrono::milliseconds most{30'000};
  };

  Backoff(Limits limits, Random& random) : limits_(limits), random_(random) {}

  /// The wait before the next try: uniform in [0, min(most, first · 2^failures)], so that a thousand peers that failed
  /// together do not come back together. `at_least` (a server's Retry-After) is a floor, to which the jitter is added;
  /// it is then drawn from a range as long as the floor (up to `most`), or all who were told the same would return in
  /// the first 250 ms after it. `longest` bounds the jitter where less than the limit's `most` is enough.
  std::chrono::milliseconds next(std::chrono::milliseconds at_least = std::chrono::milliseconds{0},
                                 std::chrono::milliseconds longest = std::chrono::milliseconds::max());

  /// After a success: the next failure starts small again.
  void reset() { failures_ = 0; }
  unsigned failures() const { return failures_; }

 private:
  Limits limits_;
  Random& random_;
  unsigned failures_ = 0;
};

}  // namespace adit::base
