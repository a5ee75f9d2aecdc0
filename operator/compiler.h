#pragma once
// The thread that keeps the catalogue like the API server and compiles it after changes, while this process leads.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "kube/store.h"
#include "operator/catalogue.h"

namespace adit::controller {

using CompilationPtr = std::shared_ptr<const Compilation>;

class Compiler {
 public:
  struct Callbacks {
    /// On the compiler's thread: these Secrets are named from now on.
    std::function<void(std::set<std::string> keys)> on_named;
    /// On the compiler's thread, only while this process leads.
    std::function<void(const CompilationPtr& compilation)> on_compiled;
  };

  Compiler(Callbacks callbacks, routing::HostPolicy policy);
  ~Compiler();

  void start();
  void stop();

  // From any thread; none of these waits for a compilation.
  void tunnels_changed(const std::vector<kube::Change>& changes);
  void secret_changed(const std::string& key, const SecretState& state);
  /// Every Tunnel has been listed: from here on a compilation makes sense.
  void tunnels_listed();
  /// A term begins; `tunnels` tells what each object held in the terms before. The first compilation waits, for a
  /// while, until every named Secret has been read.
  void lead(const std::vector<kube::ObjectPtr>& tunnels);
  void resign();

  /// Of the newest compilation; nullptr when there is none or this process does not lead.
  TunnelFactsPtr facts(const std::string& tunnel) const;
  std::size_t tunnels() const;
  std::uint64_t compilations() const;

 private:
  /// What others handed in since the thread last looked.
  struct Inbox {
    std::vector<kube::Change> tunnels;
    std::vector<std::pair<std::string, SecretState>> secrets;
    std::optional<std::vector<routing::Claim>> claims;  ///< a term begins
    bool woken = false;
  };

  void run(const std::stop_token& stop);
  bool take_in(Inbox& inbox);
  bool may_compile(base::TimePoint now);
  void compile();

  Callbacks callbacks_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  Inbox inbox_;
  bool listed_ = false;
  bool leading_ = false;
  CompilationPtr latest_;
  std::uint64_t compilations_ = 0;

  // The thread's own.
  Catalogue catalogue_;
  std::set<std::string> named_;
  bool is_first_ = true;
  base::TimePoint first_waits_until_ = base::kNever;
  std::jthread thread_;
};

}  // namespace adit::controller
