#include "gateway/failure_limiter.h"

#include <algorithm>

namespace adit::gateway {

std::string FailureLimiter::source_of(const base::IpAddress& address) {
  if (address.is_v4()) return address.text();
  auto network = address.bytes();
  std::fill(network.begin() + 8, network.end(), std::uint8_t{0});
  return base::IpAddress(network).text();
}

double FailureLimiter::failures_now(const Bucket& bucket, base::TimePoint now) {
  const double passed = std::chrono::duration<double>(now - bucket.since).count();
  return std::max(0.0, bucket.failures - passed * kPerSecond);
}

bool FailureLimiter::allows(const std::string& address, base::TimePoint now) const {
  const auto bucket = buckets_.find(address);
  return bucket == buckets_.end() || failures_now(bucket->second, now) <= kBurst - 1;
}

void FailureLimiter::failed(const std::string& address, base::TimePoint now) {
  if (buckets_.size() >= kMostAddresses) {
    std::erase_if(buckets_, [now](const auto& entry) { return failures_now(entry.second, now) == 0; });
    // An attacker with that many addresses is not held up by counting them.
    if (buckets_.size() >= kMostAddresses) buckets_.clear();
  }
  auto& bucket = buckets_[address];
  bucket.failures = failures_now(bucket, now) + 1;
  bucket.since = now;
}

}  // namespace adit::gateway
