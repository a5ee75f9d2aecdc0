#include "gateway/tunnel_gate.h"

#include <algorithm>

namespace adit::gateway {

TunnelGate::Answer TunnelGate::enter(std::uint32_t connections, std::uint32_t requests_per_second,
                                     base::TimePoint now) {
  const auto before = under_way_.fetch_add(1, std::memory_order_relaxed);
  if (connections != 0 && before >= connections) {
    leave();
    return Answer::too_many;
  }
  if (requests_per_second != 0 && !in_time(requests_per_second, now)) {
    leave();
    return Answer::too_fast;
  }
  return Answer::admitted;
}

bool TunnelGate::in_time(std::uint32_t requests_per_second, base::TimePoint now) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t gap = kSecond / requests_per_second;
  const auto at = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  auto next = next_.load(std::memory_order_relaxed);
  for (;;) {
    const auto arrival = std::max(next, at);
    if (arrival - at > kSecond - gap) return false;
    if (next_.compare_exchange_weak(next, arrival + gap, std::memory_order_relaxed)) return true;
  }
}

std::shared_ptr<TunnelGate> TunnelGates::gate(std::string_view tunnel_id) {
  const std::lock_guard lock(mutex_);
  auto& known = gates_[std::string(tunnel_id)];
  if (auto gate = known.lock()) return gate;
  auto gate = std::make_shared<TunnelGate>();
  known = gate;
  std::erase_if(gates_, [](const auto& entry) { return entry.second.expired(); });
  return gate;
}

std::uint32_t TunnelGates::under_way(const std::string& tunnel_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = gates_.find(tunnel_id);
  const auto gate = found == gates_.end() ? nullptr : found->second.lock();
  return gate ? gate->under_way() : 0;
}

}  // namespace adit::gateway
