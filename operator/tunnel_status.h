#pragma once
// What the status of a Tunnel is to say, from everything that is known of it. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kube/events.h"
#include "kube/object.h"
#include "routing/compile.h"

namespace adit::controller {

/// A connector with at least one live link, as gateways report it.
struct LiveConnector {
  std::string instance;  ///< unique to its process
  std::vector<std::string> services;

  friend bool operator==(const LiveConnector&, const LiveConnector&) = default;
};

/// What the gateways say of one tunnel.
struct EdgeView {
  std::size_t gateways = 0;               ///< that have the whole configuration
  std::size_t current = 0;                ///< of these, that have this tunnel's newest
  std::string refused;                    ///< "gateway ID: reason" of one that does not take it; empty: none
  std::vector<LiveConnector> connectors;  ///< of all gateways, each instance once

  friend bool operator==(const EdgeView&, const EdgeView&) = default;
};

/// What the compiler knows of one Tunnel object.
struct TunnelFacts {
  std::string uid;
  std::int64_t generation = 0;  ///< that was looked at
  std::string id;
  routing::Outcome outcome;               ///< of this generation, or of the last good one if this one was refused
  std::vector<routing::Problem> refused;  ///< why this generation is not taken at all; then what was good stays
  std::vector<std::string> unreadable;    ///< Secrets of which nothing can be told now, each with the reason
  /// A TLS Secret turned bad before this operator ever read a good one of it: gateways keep the key pair they have.
  bool keeps_key_pair = false;
  bool waiting = false;  ///< one of these has only not been read yet: more will be known in a moment
};

struct PlannedEvent {
  kube::EventType type = kube::EventType::normal;
  std::string reason;
  std::string message;
};

struct StatusPlan {
  std::optional<kube::Json> object;  ///< for a status apply; absent: the status says all this already
  std::vector<PlannedEvent> events;
};

/// `addresses` are what visitors reach the edge by; `now` is RFC 3339.
StatusPlan plan_status(const kube::Json& tunnel, const TunnelFacts& facts, const EdgeView& edge,
                       const std::vector<std::string>& addresses, const std::string& now);

/// What a former status says that the object holds, for the first compilation of a new leader.
routing::Claim recorded_claim(const kube::Json& tunnel);

}  // namespace adit::controller
