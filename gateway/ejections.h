#pragma once
// Connectors that could not reach a service, and how long they are left alone. Pure.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace adit::gateway {

/// Of one service, as one worker sees it. A connector whose dial fails is left out for half a second, and twice as long
/// for each failure in a row after that, at most a minute; a dial that succeeds ends it. What comes of dials that were
/// under way when it was left out counts for nothing. Whether there is another to choose is not asked here.
class Ejections {
 public:
  static constexpr base::Duration kFirst = std::chrono::milliseconds(500);
  static constexpr base::Duration kMost = std::chrono::minutes(1);
  static constexpr std::size_t kMostKept = 256;  ///< the one whose time is up first makes room

  /// Returns for how long it is left out from now on; 0 if it was left out already.
  base::Duration failed(std::uint64_t connector, base::TimePoint now);
  void succeeded(std::uint64_t connector) {
    if (!items_.empty()) erase(connector);
  }
  bool contains(std::uint64_t connector, base::TimePoint now) const;
  /// Nobody has failed lately; contains() need not be asked.
  bool empty() const { return items_.empty(); }
  /// Forgets those that were not chosen for a long time after they could have been.
  void forget_old(base::TimePoint now);

 private:
  struct Item {
    std::uint64_t connector;
    unsigned failures;  ///< in a row
    base::TimePoint until;
  };
  void erase(std::uint64_t connector);

  std::vector<Item> items_;
};

}  // namespace adit::gateway
