#pragma once
// What the visitors of one tunnel use of this gateway, counted over all workers without a lock.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "routing/table.h"

namespace adit::gateway {

/// Which limit of a tunnel a request met.
enum class TunnelLimit : std::uint8_t { connections, rate };
inline constexpr std::array<std::string_view, 2> kTunnelLimitNames = {"connections", "rate"};

/// Any thread.
class TunnelGate {
 public:
  enum class Answer : std::uint8_t { admitted, too_many, too_fast };

  /// admitted: leave() must follow. The rate is a token bucket of one second's worth (as a theoretical arrival time).
  Answer enter(std::uint32_t connections, std::uint32_t requests_per_second, base::TimePoint now);
  void leave() { under_way_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t under_way() const { return under_way_.load(std::memory_order_relaxed); }

 private:
  bool in_time(std::uint32_t requests_per_second, base::TimePoint now);

  std::atomic<std::uint32_t> under_way_{0};
  std::atomic<std::int64_t> next_{0};  ///< when a request would come that keeps the rate exactly; ns of base::Clock
};

/// A place behind a gate; given back when it is destroyed.
class TunnelPlace {
 public:
  TunnelPlace() = default;
  explicit TunnelPlace(std::shared_ptr<TunnelGate> gate) : gate_(std::move(gate)) {}
  TunnelPlace(TunnelPlace&& other) noexcept : gate_(std::move(other.gate_)) {}
  TunnelPlace& operator=(TunnelPlace&& other) noexcept {
    std::swap(gate_, other.gate_);
    return *this;
  }
  TunnelPlace(const TunnelPlace&) = delete;
  TunnelPlace& operator=(const TunnelPlace&) = delete;
  ~TunnelPlace() { give_back(); }

  void give_back() {
    if (const auto gate = std::exchange(gate_, nullptr)) gate->leave();
  }

 private:
  std::shared_ptr<TunnelGate> gate_;
};

/// The gates by tunnel id; one of which nobody holds a part is forgotten. Any thread, locks: workers keep what they
/// got.
class TunnelGates {
 public:
  std::shared_ptr<TunnelGate> gate(std::string_view tunnel_id);
  /// What is behind the gate of that tunnel; 0 when there is none.
  std::uint32_t under_way(const std::string& tunnel_id) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<TunnelGate>> gates_;
};

}  // namespace adit::gateway
