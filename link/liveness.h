#pragma once
// When a silent link is asked for a sign of life, doubted and given up (docs/link.md, "Liveness"). Pure.

#include <cstdint>

#include "base/clock.h"

namespace adit::link {

/// alive → (silent for ping_after) PING → (silent for suspect_after) suspect → (silent for dead_after) dead.
/// Any received byte leads back to alive. Each wait counts from the step before it, so a program that was stopped for a
/// while asks its peer again before it gives it up.
class Liveness {
 public:
  struct Limits {
    base::Duration ping_after;
    base::Duration suspect_after;
    base::Duration dead_after;
  };
  enum class Action : std::uint8_t {
    none,
    ping,     ///< send a PING
    suspect,  ///< the link has become suspect
    dead,     ///< close it
  };

  Liveness(const Limits& limits, base::TimePoint now) : limits_(limits), since_(now) {}

  /// Bytes came. True when the link was suspect and no longer is.
  bool on_received(base::TimePoint now);
  /// Somebody has reason to doubt: send a PING. False when the link is suspect already.
  bool suspect(base::TimePoint now);
  /// Another connection to the same peer is suspect: true if this one, silent too, is to be sent a PING.
  bool ask(base::TimePoint now);
  Action on_time(base::TimePoint now);
  base::TimePoint deadline() const;
  bool is_suspect() const { return state_ == State::suspect; }

 private:
  enum class State : std::uint8_t { alive, asked, suspect, dead };

  Limits limits_;
  State state_ = State::alive;
  base::TimePoint since_;  // of state_
};

}  // namespace adit::link
