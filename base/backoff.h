#pragma once
// Exponential backoff with jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).

#include "base/clock.h"
#include "base/random.h"

namespace adit::base {

/// The waits between the tries of one thing. Pure: it neither sleeps nor reads a clock.
class Backoff {
 public:
  struct Limits {
    std::chrono::milliseconds first{250};
    std::chrono::milliseconds most{30'000};
    unsigned growth = 200;  ///< of the ceiling with each failure, percent
    unsigned least = 0;     ///< the shortest wait, percent of the ceiling: 0 is full jitter
  };

  Backoff(Limits limits, Random& random) : limits_(limits), random_(random) {}

  /// The wait before the next try: uniform between `least` and all of min(most, first · growth^failures), so that a
  /// thousand peers that failed together do not come back together. `at_least` (a server's Retry-After) is a floor, to
  /// which the jitter is added.
  std::chrono::milliseconds next(std::chrono::milliseconds at_least = std::chrono::milliseconds{0});

  /// After a success: the next failure starts small again.
  void reset() { failures_ = 0; }
  unsigned failures() const { return failures_; }

 private:
  Limits limits_;
  Random& random_;
  unsigned failures_ = 0;
};

}  // namespace adit::base
