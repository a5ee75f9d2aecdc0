#pragma once
// When a connector dials (docs/link.md, "Dialling"). A slot is one of the links that it keeps; each is redialled alone.
// Sans-io: it is told what became of the link and says what to do next. Where it dials is decided by link::Coverage.

#include <chrono>
#include <cstdint>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/random.h"

namespace adit::link {

class Slot {
 public:
  enum class State : std::uint8_t { stopped, waiting, dialing, up };
  enum class Action : std::uint8_t {
    none,
    dial,   ///< resolve the name, connect, do the handshake; then call on_up or on_failed
    close,  ///< end the dial or the link that the slot holds
  };

  /// The waits between dials. With full jitter and doubling, connectors whose gateway was away for 5 s came back with a
  /// peak of 8 times the mean rate, the last after 29 s; with these it is 2 times, and 5 s.
  static constexpr base::Backoff::Limits kWaits{std::chrono::milliseconds(250), std::chrono::seconds(30), 150, 33};
  /// A link that stood for this long was a success: the next wait starts small. One that is accepted and dropped at
  /// once counts as a failure, or the connector would dial in a hot loop.
  static constexpr base::Duration kSteady = std::chrono::seconds(5);
  /// No gateway can silence a connector for longer than this.
  static constexpr std::chrono::seconds kMostRetryAfter{300};

  /// `random` is borrowed.
  Slot(base::Backoff::Limits limits, base::Random& random) : backoff_(limits, random) {}

  /// Dials at once.
  Action start();
  /// Dials after `wait`.
  void start_after(base::TimePoint now, base::Duration wait);
  /// Of one that waits: it dials at `when` instead.
  void postpone(base::TimePoint when);
  /// The dial failed or was refused; `retry_after` is 0 unless the gateway gave one.
  Action on_failed(base::TimePoint now, std::chrono::seconds retry_after = std::chrono::seconds{0});
  /// The handshake succeeded.
  Action on_up(base::TimePoint now);
  /// The handshake succeeded, and the link is not needed: no failure. Dials again after `wait`.
  void on_surplus(base::TimePoint now, base::Duration wait);
  /// The link broke or was closed.
  Action on_lost(base::TimePoint now);
  /// The gateway is about to leave: the slot forgets the link, which finishes its streams outside, and is filled anew.
  Action on_peer_leaving(base::TimePoint now) { return on_lost(now); }
  /// Ends whatever is held, for good.
  Action stop();
  /// To be called at deadline().
  Action on_time(base::TimePoint now);

  base::TimePoint deadline() const { return state_ == State::waiting ? until_ : base::kNever; }
  State state() const { return state_; }
  unsigned failures() const { return backoff_.failures(); }

 private:
  Action wait(base::TimePoint now, std::chrono::seconds at_least);

  base::Backoff backoff_;
  State state_ = State::stopped;
  base::TimePoint until_ = base::kNever;  // of waiting
  base::TimePoint up_since_{};            // of up
};

}  // namespace adit::link
