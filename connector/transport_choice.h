#pragma once
// Which transport a dial tries, and which one after it. Pure.

#include <cstdint>
#include <optional>

#include "link/handshake.h"

namespace adit::connector {

/// --transport.
enum class TransportMode : std::uint8_t { automatic, upgrade, websocket };

/// What worked at one gateway; shared by the slots that dial it.
class TransportMemory {
 public:
  /// The upgrade as long as nothing else is known: it costs less.
  link::Transport first() const { return works_.value_or(link::Transport::upgrade); }
  void worked(link::Transport transport) { works_ = transport; }
  void failed(link::Transport transport) {
    if (works_ == transport) works_.reset();
  }

 private:
  std::optional<link::Transport> works_;
};

/// The attempts of one dial. With `automatic`: what worked last time; an upgrade that does not get through is followed
/// at once by a WebSocket; and when a WebSocket does not, the next dial begins with the upgrade again.
class TransportChoice {
 public:
  /// `memory` is borrowed.
  TransportChoice(TransportMode mode, TransportMemory& memory) : mode_(mode), memory_(memory) {}

  /// A dial begins.
  link::Transport begin();
  /// The attempt failed; `other_may_work`: in a way that another transport may not (DialProblem::other_transport). What
  /// to try next within the same dial, or nothing when the dial has failed.
  std::optional<link::Transport> on_failed(bool other_may_work);
  void on_up() { memory_.worked(current_); }
  link::Transport current() const { return current_; }

 private:
  TransportMode mode_;
  TransportMemory& memory_;
  link::Transport current_ = link::Transport::upgrade;
};

}  // namespace adit::connector
