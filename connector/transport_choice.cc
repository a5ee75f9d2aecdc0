#include "connector/transport_choice.h"

namespace adit::connector {

link::Transport TransportChoice::begin() {
  switch (mode_) {
    case TransportMode::automatic:
      current_ = memory_.first();
      break;
    case TransportMode::upgrade:
      current_ = link::Transport::upgrade;
      break;
    case TransportMode::websocket:
      current_ = link::Transport::websocket;
      break;
  }
  return current_;
}

std::optional<link::Transport> TransportChoice::on_failed(bool other_may_work) {
  if (!other_may_work) return std::nullopt;
  memory_.failed(current_);
  if (mode_ != TransportMode::automatic || current_ == link::Transport::websocket) return std::nullopt;
  current_ = link::Transport::websocket;
  return current_;
}

}  // namespace adit::connector
