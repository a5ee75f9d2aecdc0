#pragma once
// Metrics and the status page of the operator.

#include <string>

#include "kube/events.h"
#include "kube/leader_election.h"
#include "operator/compiler.h"
#include "operator/edge_views.h"
#include "operator/secret_cache.h"
#include "operator/tunnel_controller.h"
#include "operator/tunnel_watch.h"
#include "telemetry/metrics.h"

namespace adit::controller {

/// What is looked at; borrowed.
struct ObservedParts {
  const TunnelWatch& tunnels;
  const SecretCache& secrets;
  const Compiler& compiler;
  const TunnelController& controller;
  const EdgeViews& views;
  const kube::EventRecorder& events;
  const kube::LeaderElection& election;
};

void collect(const ObservedParts& parts, telemetry::Families& families);
/// A JSON document.
std::string status_json(const ObservedParts& parts);

}  // namespace adit::controller
