#pragma once
// The Secrets that Tunnels name, and no others: read one by one, when metadata tells that one has changed.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "kube/api.h"
#include "kube/controller.h"
#include "kube/reflector.h"
#include "operator/catalogue.h"

namespace adit::controller {

struct SecretCacheSettings {
  std::chrono::milliseconds look_again{10'000};  ///< at what cannot be read, and at what cannot be watched
};

/// Watches metadata only (docs/design/0002), so that no content of any other Secret ever leaves the API server, and
/// gets those that are named. Where metadata cannot be watched, it looks at the named ones from time to time. What was
/// read stays until something newer is known. Any thread.
class SecretCache {
 public:
  /// On one of its own threads or on that of put(): the state of a named Secret is another than before. One call at a
  /// time, in the order in which the states came about; must not call put().
  using OnChange = std::function<void(const std::string& key, const SecretState& state)>;

  /// `spaces`: the namespaces to watch; one empty name: all.
  SecretCache(kube::Api& api, const std::vector<std::string>& spaces, OnChange on_change,
              SecretCacheSettings settings = {});
  ~SecretCache();

  void start();
  void stop();

  /// The keys that count from now on; others are forgotten.
  void set_named(std::set<std::string> keys);
  SecretState state(const std::string& key) const;
  /// What this process has just written, so that it need not be read.
  void put(const kube::Json& secret);
  /// What is known of it has turned out to be old: reads it if it is named.
  void look(const std::string& key);

  /// Why metadata cannot be watched; absent while it can.
  std::optional<kube::ApiError> failure() const;

 private:
  struct Named {
    SecretState state;
    bool is_stale = true;    ///< something newer may be there
    std::uint64_t puts = 0;  ///< what was asked for before the last of them is older than what it brought
  };

  void on_metadata(const std::vector<kube::Change>& changes);
  void on_failure();
  kube::ReconcileResult read(const std::string& key);
  /// The puts so far; absent when there is nothing to be read.
  std::optional<std::uint64_t> begin_read(const std::string& key);
  void mark_stale(const std::string& key);
  /// `puts` of begin_read(); absent for a put itself.
  void store(const std::string& key, const SecretState& state, std::optional<std::uint64_t> puts);

  kube::Api& api_;
  OnChange on_change_;
  SecretCacheSettings settings_;
  std::vector<std::unique_ptr<kube::Reflector>> metadata_;
  std::mutex telling_;  ///< before mutex_
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Named> named_;
  kube::Controller readers_;
};

/// core/v1 Secret.
const kube::Resource& secrets();

}  // namespace adit::controller
