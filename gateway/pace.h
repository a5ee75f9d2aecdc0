#pragma once
// Whether a peer moves its bytes fast enough, counted only while it is the peer's turn.

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace adit::gateway {

struct PaceLimits {
  base::Duration stall{};        ///< the longest time without any byte
  base::Duration grace{};        ///< before the rate counts
  std::uint64_t least_rate = 0;  ///< bytes a second; 0: any
};

/// Of one body in one direction. Pure. Each byte earns time, at most limits.stall ahead: neither a slow start nor a
/// burst long ago excuses a trickle.
class Pace {
 public:
  /// A body begins; it is nobody's turn yet.
  void begin(const PaceLimits& limits) {
    credit_ = limits.grace;
    waiting_ = false;
  }
  bool is_waiting() const { return waiting_; }
  /// It is the peer's turn. No effect if it was already.
  void wait(base::TimePoint now);
  /// It is ours.
  void pause(base::TimePoint now);
  /// The peer has moved `bytes`.
  void moved(const PaceLimits& limits, base::TimePoint now, std::size_t bytes);
  /// When the peer has been too slow; kNever while it is our turn.
  base::TimePoint deadline(const PaceLimits& limits) const;

 private:
  void spend(base::TimePoint now);

  base::Duration credit_{};
  base::TimePoint since_;  ///< of credit_, and of the last byte or the begin of the peer's turn
  base::TimePoint last_;
  bool waiting_ = false;
};

}  // namespace adit::gateway
