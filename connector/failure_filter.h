#pragma once
// Which of many equal failures are worth a log line. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace adit::connector {

/// Lets the first failure through, each that differs from the one before, and of equal ones one per kEvery.
class FailureFilter {
 public:
  static constexpr base::Duration kEvery = std::chrono::seconds(30);

  /// The number of equal failures that were not logged before this one; nothing when this one shall not be logged.
  std::optional<unsigned> pass(std::string_view cause, base::TimePoint now);
  /// After a success the next failure is news.
  void reset() { cause_.clear(); }

 private:
  std::string cause_;
  base::TimePoint logged_{};
  unsigned held_back_ = 0;
};

}  // namespace adit::connector
