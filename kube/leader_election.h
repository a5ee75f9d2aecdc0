#pragma once
// One of several replicas leads: who holds a coordination.k8s.io/v1 Lease.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "kube/api.h"

namespace adit::kube {

struct LeaderElectionOptions {
  std::string space;
  std::string name;      ///< of the Lease
  std::string identity;  ///< unique to this process
  std::chrono::milliseconds lease{15'000};
  std::chrono::milliseconds renew{10'000};  ///< the leader gives up when it could not renew for this long; < lease
  std::chrono::milliseconds retry{2'000};   ///< between tries
};

/// Decides on locally observed times only: a holder is dead when this process has seen no change of the Lease for its
/// duration, whatever the clocks of others say. Losing the lease never ends anything: it is tried for again for as long
/// as this runs. A thread of its own from start() to stop(); stop() gives the Lease back if it is held.
class LeaderElection {
 public:
  /// On the election's thread. `term` counts the holders of the Lease (leaseTransitions): later leaders have a higher
  /// one, also across restarts of all replicas, and the same process gets a higher one after it lost the Lease.
  using OnLeading = std::function<void(std::uint64_t term)>;
  using OnStopped = std::function<void()>;

  LeaderElection(Api& api, LeaderElectionOptions options, OnLeading on_leading, OnStopped on_stopped);
  ~LeaderElection();

  void start();
  void stop();

  /// True while this process may write. Falls by itself when the renewal deadline passes, even if the election's thread
  /// is stuck in a call: ask before each write. Any thread.
  bool may_write() const;
  /// The holder as last seen; empty: none. Any thread.
  std::string holder() const;

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace adit::kube
