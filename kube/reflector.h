#pragma once
// Keeps a Store like what the API server has: lists, watches, and begins again when it must (watch_machine.h decides).

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/backoff.h"
#include "kube/api.h"
#include "kube/store.h"

namespace adit::kube {

struct ReflectorOptions {
  Selection selection;
  std::string name;  ///< for logs and metrics: "tunnels"
  unsigned page_size = 500;
  /// Short: a watch that has died silently is made anew after this and ten seconds, and a new one costs next to
  /// nothing.
  std::chrono::seconds watch_timeout{45};
  base::Backoff::Limits backoff{std::chrono::milliseconds(500), std::chrono::milliseconds(15'000)};
};

/// A thread of its own from start() to stop(). `api` outlives it. Log lines on transitions only: a failure that repeats
/// itself is told once, with what will happen; so is the recovery. Objects are kept without metadata.managedFields.
class Reflector {
 public:
  /// Called on the reflector's thread, after the store has changed: one call for each event of a watch, one for a whole
  /// list. Empty changes are told once: when the first list is taken in and was empty.
  using OnChanges = std::function<void(const std::vector<Change>& changes)>;
  /// The failure of the store came, changed or went.
  using OnFailure = std::function<void()>;

  Reflector(Api& api, ReflectorOptions options, OnChanges on_changes, OnFailure on_failure = {});
  ~Reflector();

  void start();
  /// Returns when the thread has ended: no call comes any more.
  void stop();

  const Store& store() const { return store_; }

  struct Counts {
    std::uint64_t lists = 0;
    std::uint64_t watches = 0;
    std::uint64_t failures = 0;
    std::uint64_t events = 0;
  };
  Counts counts() const;

 private:
  struct Running;
  Api& api_;
  ReflectorOptions options_;
  OnChanges on_changes_;
  OnFailure on_failure_;
  Store store_;
  std::unique_ptr<Running> running_;
};

}  // namespace adit::kube
