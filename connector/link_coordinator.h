#pragma once
// The shell of link::Coverage: what the slots of all workers report to, and by which they are told what to do.

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "link/coverage.h"
#include "net/loop.h"

namespace adit::connector {

/// Dials are rare, so one lock serves all workers; it is never held while anything is waited for.
class LinkCoordinator {
 public:
  /// Takes an action to a worker; must not act on it before it returns.
  using Carry = std::function<void(const link::Coverage::Action& action)>;
  /// What there is to show.
  struct View {
    std::vector<link::Coverage::Row> gateways;
    std::uint64_t surplus = 0;
    std::size_t slots = 0;  ///< links that are held or to be had
  };

  /// `loop` tells the time; it is borrowed, and does not run any more when the coordinator is destroyed. On its thread,
  /// or before it runs: construction, add_worker(), start().
  LinkCoordinator(net::Loop& loop, link::Coverage::Settings settings);
  LinkCoordinator(const LinkCoordinator&) = delete;
  LinkCoordinator& operator=(const LinkCoordinator&) = delete;

  void add_worker(Carry carry);
  void start();

  // Any thread. For the reports see link::Coverage.
  /// No dials from here on.
  void stop();
  bool on_up(std::uint32_t slot, const std::string& gateway, const link::DialPath& path);
  /// When the slot dials again.
  base::TimePoint on_failed(std::uint32_t slot, std::chrono::seconds retry_after, const link::DialPath& path);
  void on_lost(std::uint32_t slot);
  void on_leaving(std::uint32_t slot);
  void on_gateways(std::uint32_t slot, const std::vector<std::string>& ids);
  View view() const;

 private:
  struct WorkerEntry {
    Carry carry;
    std::size_t slots = 0;
  };

  void carry_out();
  std::size_t worker_of(std::uint32_t slot);
  void wind();
  void on_deadline();

  net::Loop& loop_;
  net::Deadline deadline_;
  mutable std::mutex mutex_;  // of all below
  base::Random random_;
  link::Coverage coverage_;
  std::vector<WorkerEntry> workers_;
  std::map<std::uint32_t, std::size_t> placed_;  ///< slot → worker
  base::TimePoint wound_for_ = base::kNever;     ///< what deadline_ is set to, or will be
};

}  // namespace adit::connector
