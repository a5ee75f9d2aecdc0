#pragma once
// Workers that bring one object after another to its desired state.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/backoff.h"
#include "base/clock.h"

namespace adit::kube {

/// What a reconciliation wants next.
struct ReconcileResult {
  enum class Next {
    done,   ///< until something enqueues the key again
    retry,  ///< after the key's own exponential backoff
    later,  ///< after `after`
  };
  Next next = Next::done;
  std::chrono::milliseconds after{0};

  static ReconcileResult done() { return {}; }
  static ReconcileResult retry() { return {Next::retry, {}}; }
  static ReconcileResult later(std::chrono::milliseconds after) { return {Next::later, after}; }
};

struct ControllerOptions {
  std::string name;  ///< for logs and metrics: "tunnel"
  unsigned workers = 2;
  base::Backoff::Limits backoff{std::chrono::milliseconds(200), std::chrono::milliseconds(60'000)};
};

/// A work queue (work_queue.h) and the threads that empty it. A key is never with two workers at once; one that is
/// enqueued while it is worked on comes again afterwards. Any thread may enqueue, also before start() and after stop().
class Controller {
 public:
  /// Runs on a worker's thread. An exception counts as retry and is logged.
  using Reconcile = std::function<ReconcileResult(const std::string& key)>;

  Controller(ControllerOptions options, Reconcile reconcile);
  ~Controller();

  void start();
  /// Drops what is queued and waits for what is under way.
  void stop();

  void enqueue(const std::string& key);
  void enqueue_after(const std::string& key, std::chrono::milliseconds delay);

  struct Counts {
    std::size_t queued = 0;
    std::uint64_t done = 0;
    std::uint64_t retries = 0;
  };
  Counts counts() const;

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace adit::kube
