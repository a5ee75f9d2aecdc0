#pragma once
// The Secrets that Tunnels name, and no others: read one by one, when metadata tells that one has changed.

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

/// Watches metadata only (docs/design/0002), so that no content of any other Secret ever leaves the API server, and
/// gets those that are named. Where metadata cannot be watched, it looks at the named ones every ten seconds. What was
/// read stays until something newer is known. Any thread.
class SecretCache {
 public:
  /// On one of its own threads: the state of a named Secret is another than before.
  using OnChange = std::function<void(const std::string& key, const SecretState& state)>;

  /// `spaces`: the namespaces to watch; one empty name: all.
  SecretCache(kube::Api& api, const std::vector<std::string>& spaces, OnChange on_change);
  ~SecretCache();

  void start();
  void stop();

  /// The keys that count from now on; others are forgotten.
  void set_named(std::set<std::string> keys);
  SecretState state(const std::string& key) const;
  /// What this process has just written, so that it need not be read.
  void put(const kube::Json& secret);

  /// Why metadata cannot be watched; absent while it can.
  std::optional<kube::ApiError> failure() const;

 private:
  bool is_watched() const;
  void on_metadata(const std::vector<kube::Change>& changes);
  kube::ReconcileResult read(const std::string& key);
  void store(const std::string& key, SecretState state);

  kube::Api& api_;
  OnChange on_change_;
  std::vector<std::unique_ptr<kube::Reflector>> metadata_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, SecretState> states_;  ///< of the named
  kube::Controller readers_;
};

/// core/v1 Secret.
const kube::Resource& secrets();

}  // namespace adit::controller
