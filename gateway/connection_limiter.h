#pragma once
// How many connections visitors may have: in all, and from one address.

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/ip_network.h"

namespace adit::gateway {

/// Any thread. Locks for an instant at the begin and the end of a connection, and only if addresses are counted.
class ConnectionLimiter {
 public:
  /// 0: any number.
  ConnectionLimiter(std::uint32_t in_all, std::uint32_t per_address) : in_all_(in_all), per_address_(per_address) {}

  enum class Answer : std::uint8_t { admitted, too_many, too_many_of_address };
  /// admitted: leave() must follow.
  Answer enter(const base::IpAddress& address);
  void leave(const base::IpAddress& address);

 private:
  /// Whoever has one IPv6 address mostly has its /64.
  using Key = std::array<std::uint8_t, 9>;
  static Key key_of(const base::IpAddress& address);
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<Key, std::uint32_t, Hash> counts;
  };
  Shard& shard(const Key& key) { return shards_[Hash{}(key) % shards_.size()]; }

  const std::uint32_t in_all_;
  const std::uint32_t per_address_;
  std::atomic<std::uint32_t> count_{0};
  std::array<Shard, 16> shards_;
};

/// One connection that was admitted, for as long as it counts. Any thread.
class ConnectionPlace {
 public:
  ConnectionPlace() = default;
  /// enter() has admitted `address`.
  ConnectionPlace(ConnectionLimiter& limiter, const base::IpAddress& address) : limiter_(&limiter), address_(address) {}
  ConnectionPlace(ConnectionPlace&& other) noexcept
      : limiter_(std::exchange(other.limiter_, nullptr)), address_(other.address_) {}
  ConnectionPlace& operator=(ConnectionPlace&& other) noexcept {
    std::swap(limiter_, other.limiter_);
    std::swap(address_, other.address_);
    return *this;
  }
  ~ConnectionPlace() {
    if (limiter_ != nullptr) limiter_->leave(address_);
  }

 private:
  ConnectionLimiter* limiter_ = nullptr;
  base::IpAddress address_;
};

}  // namespace adit::gateway
