#pragma once
// How many connections visitors may have: in all, and from one address.

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

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

}  // namespace adit::gateway
