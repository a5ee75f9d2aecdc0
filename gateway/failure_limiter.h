#pragma once
// How often an address may present tokens or passwords that are wrong.

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/ip_network.h"

namespace adit::gateway {

/// A token bucket for each address: kBurst failures at once, then kPerSecond. Pure but for its memory, which is
/// bounded. Generous, since the connectors of a whole site may share one address, and one of them may have an old
/// token.
class FailureLimiter {
 public:
  static constexpr double kBurst = 30;
  static constexpr double kPerSecond = 1;
  static constexpr std::size_t kMostAddresses = 10'000;

  /// Who counts as one: an IPv4 address, or all of an IPv6 /64, since whoever has one address of it mostly has all.
  static std::string source_of(const base::IpAddress& address);

  /// Whether a token of this address may be looked at now.
  bool allows(const std::string& address, base::TimePoint now) const;
  /// The token was wrong.
  void failed(const std::string& address, base::TimePoint now);

 private:
  struct Bucket {
    double failures = 0;  ///< as of `since`
    base::TimePoint since;
  };
  static double failures_now(const Bucket& bucket, base::TimePoint now);

  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace adit::gateway
