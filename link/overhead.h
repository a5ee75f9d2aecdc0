#pragma once
// How much a peer may send that carries nothing for anybody (docs/link.md, "Peers that misbehave"). Pure.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace adit::link {

/// Counts received bytes that are no payload of a stream: frame heads, SETTINGS, PING, RST_STREAM, WINDOW_UPDATE,
/// frames of unknown types, DATA for streams that are gone, control lines. A peer earns them by what it is asked to do,
/// and a few as time passes, so that no flood of frames is cheaper than the work that it is part of.
class OverheadBudget {
 public:
  static constexpr std::int64_t kBurst = 1 << 20;        ///< bytes
  static constexpr std::int64_t kPerSecond = 16 * 1024;  ///< up to kBurst
  static constexpr std::int64_t kPerStream = 1024;       ///< its head, its end, its credit
  static constexpr std::int64_t kPerDataSent = 64;       ///< WINDOW_UPDATEs for stream and connection
  static constexpr std::int64_t kPerDataReceived = 16;   ///< the head of its frame

  explicit OverheadBudget(base::TimePoint now) : since_(now) {}

  void earn(std::int64_t bytes) { left_ += bytes; }
  /// False when there is no more left.
  bool spend(std::int64_t bytes, base::TimePoint now) {
    if (left_ < bytes) refill(now);
    left_ -= bytes;
    return left_ >= 0;
  }

 private:
  void refill(base::TimePoint now) {
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - since_).count();
    if (passed <= 0) return;
    since_ += std::chrono::milliseconds(passed);
    // What was earned beyond the burst stays; time alone does not add to it.
    left_ = std::max(left_, std::min(kBurst, left_ + std::min<std::int64_t>(passed, 100'000) * kPerSecond / 1000));
  }

  std::int64_t left_ = kBurst;
  base::TimePoint since_;
};

}  // namespace adit::link
