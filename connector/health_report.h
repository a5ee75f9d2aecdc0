#pragma once
// What the probes of services tell the admin thread.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace adit::connector {

/// What is known of one service that is probed.
struct ProbedService {
  std::string name;
  std::string probe;  ///< "tcp" or "http:/path"
  bool healthy = true;
  std::string reason;                             ///< while it is down
  std::chrono::system_clock::time_point since{};  ///< of `healthy`
  std::uint64_t failures = 0;                     ///< probes that failed
};

/// Written by the loop of the probes, read by any thread.
class HealthReport {
 public:
  void set(std::size_t index, const ProbedService& service) {
    const std::lock_guard lock(mutex_);
    services_.resize(std::max(services_.size(), index + 1));
    services_[index] = service;
  }
  std::vector<ProbedService> get() const {
    const std::lock_guard lock(mutex_);
    return services_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<ProbedService> services_;
};

}  // namespace adit::connector
