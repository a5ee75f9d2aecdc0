#include "link/liveness.h"

namespace adit::link {

bool Liveness::on_received(base::TimePoint now) {
  const bool was_suspect = state_ == State::suspect;
  if (state_ != State::dead) state_ = State::alive;
  since_ = now;
  return was_suspect;
}

bool Liveness::suspect(base::TimePoint now) {
  if (state_ == State::suspect || state_ == State::dead) return false;
  // A link that was heard just now is alive: what is late is late for another reason.
  if (state_ == State::alive && now - since_ < limits_.suspect_after) return false;
  state_ = State::suspect;
  since_ = now;
  return true;
}

bool Liveness::ask(base::TimePoint now) {
  if (state_ != State::alive || now - since_ < limits_.suspect_after) return false;
  state_ = State::asked;
  since_ = now;
  return true;
}

Liveness::Action Liveness::on_time(base::TimePoint now) {
  if (now < deadline()) return Action::none;
  since_ = now;
  switch (state_) {
    case State::alive:
      state_ = State::asked;
      return Action::ping;
    case State::asked:
      state_ = State::suspect;
      return Action::suspect;
    default:
      state_ = State::dead;
      return Action::dead;
  }
}

base::TimePoint Liveness::deadline() const {
  switch (state_) {
    case State::alive:
      return since_ + limits_.ping_after;
    case State::asked:
      return since_ + limits_.suspect_after;
    case State::suspect:
      return since_ + limits_.dead_after;
    default:
      return base::kNever;
  }
}

}  // namespace adit::link
