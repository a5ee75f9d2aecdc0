#pragma once
// The thread that keeps the catalogue like the API server and compiles it after changes, while this process leads.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
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
    /// On the compiler's thread, once for each term: all Tunnels, whose status tells what each held in the terms
    /// before.
    std::function<std::vector<kube::ObjectPtr>()> recorded;
    /// On the compiler's thread: these Secrets are named from now on.
    std::function<void(std::set<std::string> keys)> on_named;
    /// On the compiler's thread, only while this process leads: none of a term comes after its resign(). Must not call
    /// lead() or resign().
    std::function<void(const CompilationPtr& compilation)> on_compiled;
  };

  /// `secrets_come_within`: how long the first compilation of a term waits for Secrets. What is not known then is kept
  /// as gateways have it.
  Compiler(Callbacks callbacks, routing::HostPolicy policy,
           std::chrono::milliseconds secrets_come_within = std::chrono::seconds(10));
  ~Compiler();

  void start();
  void stop();

  // From any thread; none of these waits for a compilation.
  void tunnels_changed(const std::vector<kube::Change>& changes);
  void secret_changed(const std::string& key, const SecretState& state);
  /// Every Tunnel has been listed: from here on a compilation makes sense.
  void tunnels_listed();
  /// A term begins. Its first compilation waits until every Tunnel has been listed and, for a while, until every named
  /// Secret has been read.
  void lead();
  void resign();

  /// Of the newest compilation; nullptr when there is none or this process does not lead.
  TunnelFactsPtr facts(const std::string& tunnel) const;
  std::size_t tunnels() const;
  /// Those of which the newest generation is not taken.
  std::size_t refused() const;
  std::uint64_t compilations() const;

 private:
  /// What others handed in since the thread last looked.
  struct Inbox {
    std::vector<kube::Change> tunnels;
    std::vector<std::pair<std::string, SecretState>> secrets;
    bool woken = false;
  };

  void run(const std::stop_token& stop);
  void wait(const std::stop_token& stop);
  bool take_in(const Inbox& inbox);
  void tell_named();
  /// The term to compile for; 0: not now.
  std::uint64_t term_to_compile();
  void begin_term(std::uint64_t term);
  void compile(std::uint64_t term);
  void wake();

  Callbacks callbacks_;
  const std::chrono::milliseconds secrets_come_within_;
  std::mutex publishing_;  ///< before mutex_: while on_compiled is called
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  Inbox inbox_;
  bool listed_ = false;
  std::uint64_t term_ = 0;   ///< this process leads; 0: it does not
  std::uint64_t terms_ = 0;  ///< of this process so far
  CompilationPtr latest_;
  std::uint64_t compilations_ = 0;

  // The thread's own.
  Catalogue catalogue_;
  std::set<std::string> named_;
  bool dirty_ = false;
  std::uint64_t begun_term_ = 0;  ///< whose claims the catalogue has
  bool is_first_ = true;
  base::TimePoint first_waits_until_ = base::kNever;  ///< while that is what is waited for
  std::jthread thread_;
};

}  // namespace adit::controller
