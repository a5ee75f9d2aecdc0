#include "gateway/connection_limiter.h"

#include <algorithm>
#include <string_view>

namespace adit::gateway {

ConnectionLimiter::Key ConnectionLimiter::key_of(const base::IpAddress& address) {
  const auto& bytes = address.bytes();
  Key key{};
  key[0] = address.is_v4() ? 4 : 6;
  std::copy_n(bytes.begin() + (address.is_v4() ? 12 : 0), address.is_v4() ? 4 : 8, key.begin() + 1);
  return key;
}

std::size_t ConnectionLimiter::Hash::operator()(const Key& key) const {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(key.data()), key.size()});
}

ConnectionLimiter::Answer ConnectionLimiter::enter(const base::IpAddress& address) {
  const auto before = count_.fetch_add(1, std::memory_order_relaxed);
  if (in_all_ != 0 && before >= in_all_) {
    count_.fetch_sub(1, std::memory_order_relaxed);
    return Answer::too_many;
  }
  if (per_address_ == 0) return Answer::admitted;
  const auto key = key_of(address);
  auto& part = shard(key);
  const std::lock_guard lock(part.mutex);
  auto& count = part.counts[key];
  if (count == per_address_) {
    count_.fetch_sub(1, std::memory_order_relaxed);
    return Answer::too_many_of_address;
  }
  ++count;
  return Answer::admitted;
}

void ConnectionLimiter::leave(const base::IpAddress& address) {
  count_.fetch_sub(1, std::memory_order_relaxed);
  if (per_address_ == 0) return;
  const auto key = key_of(address);
  auto& part = shard(key);
  const std::lock_guard lock(part.mutex);
  const auto found = part.counts.find(key);
  if (found != part.counts.end() && --found->second == 0) part.counts.erase(found);
}

}  // namespace adit::gateway
