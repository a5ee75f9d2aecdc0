#include "link/slot.h"

#include <algorithm>

namespace adit::link {

Slot::Action Slot::start() {
  if (state_ != State::stopped) return Action::none;
  state_ = State::dialing;
  return Action::dial;
}

void Slot::start_after(base::TimePoint now, base::Duration wait) {
  if (state_ != State::stopped) return;
  state_ = State::waiting;
  until_ = now + wait;
}

void Slot::postpone(base::TimePoint when) {
  if (state_ == State::waiting) until_ = when;
}

Slot::Action Slot::on_failed(base::TimePoint now, std::chrono::seconds retry_after) {
  if (state_ != State::dialing) return Action::none;
  return wait(now, std::clamp(retry_after, std::chrono::seconds(0), kMostRetryAfter));
}

Slot::Action Slot::on_up(base::TimePoint now) {
  if (state_ != State::dialing) return Action::none;
  state_ = State::up;
  up_since_ = now;
  return Action::none;
}

void Slot::on_surplus(base::TimePoint now, base::Duration wait) {
  if (state_ != State::dialing) return;
  backoff_.reset();
  state_ = State::waiting;
  until_ = now + wait;
}

Slot::Action Slot::on_lost(base::TimePoint now) {
  if (state_ != State::up) return Action::none;
  if (now - up_since_ >= kSteady) backoff_.reset();
  return wait(now, std::chrono::seconds(0));
}

Slot::Action Slot::stop() {
  const bool holds = state_ == State::dialing || state_ == State::up;
  state_ = State::stopped;
  return holds ? Action::close : Action::none;
}

Slot::Action Slot::on_time(base::TimePoint now) {
  if (state_ != State::waiting || now < until_) return Action::none;
  state_ = State::dialing;
  return Action::dial;
}

Slot::Action Slot::wait(base::TimePoint now, std::chrono::seconds at_least) {
  state_ = State::waiting;
  if (backoff_.failures() == 0) without_since_ = now;
  const auto without = std::chrono::duration_cast<std::chrono::milliseconds>(now - without_since_);
  until_ = now + backoff_.next(at_least, std::max(without, kLongestAtFirst));
  return Action::none;
}

}  // namespace adit::link
