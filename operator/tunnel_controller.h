#pragma once
// Brings each Tunnel's connector Secret and status to what they should be.

#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "kube/api.h"
#include "kube/controller.h"
#include "kube/events.h"
#include "kube/store.h"
#include "operator/compiler.h"
#include "operator/connector_secret.h"
#include "operator/edge_views.h"
#include "operator/secret_cache.h"
#include "operator/write_budget.h"

namespace adit::controller {

/// adit.dev/v1alpha1 Tunnel.
const kube::Resource& tunnels();

struct TunnelControllerSettings {
  std::string gateway;                 ///< HOST:PORT for connectors
  std::vector<std::string> addresses;  ///< by which visitors reach the edge
  RotationSettings rotation;
  double writes_per_second = 50;
};

/// Reading and writing around plan_connector_secret() and plan_status(). Started and stopped with each term.
class TunnelController {
 public:
  struct Parts {
    kube::Api& api;  ///< refuses writes of who does not lead
    std::function<kube::ObjectPtr(const std::string& key)> find_tunnel;
    const Compiler& compiler;
    const EdgeViews& views;
    SecretCache& secrets;
    kube::EventRecorder& events;
    /// The PEM bundle for connectors; empty until it is known.
    std::function<std::string()> trusted;
  };

  TunnelController(Parts parts, TunnelControllerSettings settings);

  void start() { controller_.start(); }
  void stop() { controller_.stop(); }
  void enqueue(const std::string& key) { controller_.enqueue(key); }
  kube::Controller::Counts counts() const { return controller_.counts(); }

 private:
  kube::ReconcileResult reconcile(const std::string& key);
  /// With the status that was last written, which the watch may not have told yet.
  kube::ObjectPtr find(const std::string& key);
  kube::ReconcileResult reconcile_secret(const kube::Json& tunnel, const TunnelFacts& facts);
  bool is_behind(const kube::Json& tunnel, const TunnelFacts& facts) const;
  kube::ReconcileResult write_secret(const kube::Json& tunnel, ConnectorSecretPlan plan, const SecretState& state);
  kube::ReconcileResult reconcile_status(const kube::Json& tunnel, const TunnelFacts& facts);
  void tell_failure(const kube::Json& tunnel, const std::string& what, const kube::ApiError& error);

  Parts parts_;
  TunnelControllerSettings settings_;
  WriteBudget budget_;
  std::mutex mutex_;
  std::unordered_map<std::string, kube::ObjectPtr> written_;  ///< until the watch has told of it
  kube::Controller controller_;                               // last: its workers use the rest
};

}  // namespace adit::controller
