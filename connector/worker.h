#pragma once
// One worker: a thread with its own links, pipes and counters. Nothing on its byte path is shared.

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "connector/link_slot.h"
#include "connector/options.h"

namespace adit::connector {

class Worker {
 public:
  /// All are borrowed and outlive the worker.
  Worker(const Options& options, const Identity& identity, WorkerMetrics& metrics, LinkCoordinator& coordinator,
         LinkReports& reports, std::shared_ptr<link::BufferBudget> budget = nullptr);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Dials as it is told, and serves, on a thread of its own until stop().
  void run();
  void stop();

  // From any thread.
  /// The services that are down now: the gateways are told.
  void set_health(link::Health down);
  /// What the coordinator wants done; addresses are those of the options' gateways, by index.
  void carry(const link::Coverage::Action& action);
  /// Tells the gateways to open no more streams; open ones go on.
  void leave(std::string reason);
  /// After leave(): links end as soon as they carry no stream.
  void finish();
  /// True when no pipe is open any more; as of the last tick.
  bool has_no_pipes() const { return no_pipes_.load(std::memory_order_relaxed); }
  /// True when no link is left; as of the last tick.
  bool has_no_links() const { return no_links_.load(std::memory_order_relaxed); }

 private:
  void dial(const link::Coverage::Dial& dial);
  LinkSlot* find(std::uint32_t number);
  void tick();
  void look();

  LinkReports& reports_;
  net::Loop loop_;
  base::Random random_;
  Credentials credentials_;
  ServicePipes pipes_;
  HealthFeed health_;
  SlotContext context_;
  std::deque<GatewayContext> gateways_;  ///< one for each address
  std::vector<std::unique_ptr<LinkSlot>> slots_;
  net::Deadline tick_;
  bool draining_ = false;
  std::atomic<bool> no_pipes_{true};
  std::atomic<bool> no_links_{true};
  std::jthread thread_;
};

}  // namespace adit::connector
