#pragma once
// How far ahead of the network a link's bytes are put in order. Pure.

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/clock.h"

namespace adit::link {

/// What was taken from a session cannot be overtaken any more: a small stream's frame waits behind all of it. So a link
/// takes as much at a time as the network carries within milliseconds: much on a fast one, where each batch costs
/// system calls, little on a slow one.
class SendPace {
 public:
  static constexpr std::size_t kLeast = std::size_t{16} * 1024;
  static constexpr std::size_t kMost = std::size_t{128} * 1024;
  /// A batch that needs longer is halved, one that needs a quarter of it doubled.
  static constexpr base::Duration kWithin = std::chrono::milliseconds(8);

  /// Bytes to take at a time, and that the kernel may hold unsent.
  std::size_t batch() const { return batch_; }

  /// A batch was taken; `whole`: there was more to send. Returns true when batch() has changed. Only batches one behind
  /// the other tell how fast the network is.
  bool on_batch(base::TimePoint now, bool whole) {
    const auto took = now - last_;
    const bool measured = std::exchange(whole_, whole);
    last_ = now;
    if (!measured) return false;
    const auto before = batch_;
    if (took > kWithin) batch_ = std::max(kLeast, batch_ / 2);
    if (took < kWithin / 4) batch_ = std::min(kMost, batch_ * 2);
    return batch_ != before;
  }

 private:
  std::size_t batch_ = kMost;
  base::TimePoint last_{};
  bool whole_ = false;
};

}  // namespace adit::link
