#include "link/buffer_budget.h"

#include <algorithm>

namespace adit::link {

std::uint64_t BufferBudget::grant(std::uint64_t wanted) {
  std::uint64_t held = granted_.load(std::memory_order_relaxed);
  std::uint64_t granted = 0;
  do {
    granted = std::min(wanted, limit_ / 2 - std::min(limit_ / 2, held));
    if (granted == 0) return 0;
  } while (!granted_.compare_exchange_weak(held, held + granted, std::memory_order_relaxed));
  if (!parent_) return granted;
  const auto above = parent_->grant(granted);
  granted_.fetch_sub(granted - above, std::memory_order_relaxed);
  return above;
}

void BufferBudget::give_back(std::uint64_t size) {
  granted_.fetch_sub(size, std::memory_order_relaxed);
  if (parent_) parent_->give_back(size);
}

void BufferBudget::hold(std::int64_t change) {
  held_.fetch_add(static_cast<std::uint64_t>(change), std::memory_order_relaxed);
  if (parent_) parent_->hold(change);
}

bool BufferBudget::is_full() const { return held() > limit_ || (parent_ && parent_->is_full()); }

void BufferAccount::received(std::uint64_t size) {
  held_ += size;
  if (held_ >= told_ + kStep) tell();
}

void BufferAccount::delivered(std::uint64_t size) {
  held_ -= std::min(size, held_);
  // A step lower than where it would be told upwards, so that a link that goes to and fro tells nobody.
  if (held_ + kStep <= told_) tell();
}

void BufferAccount::tell() {
  const auto now = held_ - held_ % kStep;
  budget_.hold(static_cast<std::int64_t>(now) - static_cast<std::int64_t>(told_));
  told_ = now;
}

}  // namespace adit::link
