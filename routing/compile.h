#pragma once
// Tunnels and Secrets → tunnel configurations. Pure: the same objects and the same former holders give the same
// configurations, whether they come from files or from an API server.

#include <string>
#include <vector>

#include "routing/configuration.h"
#include "routing/holders.h"
#include "routing/key_pairs.h"
#include "routing/manifest.h"
#include "routing/problem.h"

namespace adit::routing {

/// What became of one Tunnel object.
struct Outcome {
  std::string name;                      ///< "namespace/name"
  TunnelConfigurationPtr configuration;  ///< nullptr: the object was left out: it, or its id, is there already
  std::vector<Problem> problems;         ///< of this object: what was left out or does not resolve
  std::vector<std::string> hosts;        ///< that it holds: canonical, sorted
  std::vector<std::string> shared;       ///< what it holds of shared hosts, as in Claim; sorted
  /// Rules that it shares with other Tunnels: "shop.example.com/ is shared with Tunnel team-a/canary by weight (90 of
  /// 100 requests come here)".
  std::vector<std::string> sharing = {};
  bool lacks_key_pair = false;  ///< a TLS Secret is there but bad, and what it held before is not known
};

struct Compiled {
  std::vector<Outcome> outcomes;  ///< one for each Tunnel object, in their order
  std::vector<Problem> problems;  ///< all, those of Secrets too, by file, line and object
  Holders holders;                ///< to be handed to the next compilation
};

/// Compiles all objects. `before` are the holders of the configurations in force: a holder keeps a host until it drops
/// it; at the first claim the older creationTimestamp wins, then the smaller "namespace/name" (design of ownership:
/// docs/). `memo` is that of the compilation before; while a TLS Secret is bad, the last good key pair of it stays.
Compiled compile(const Objects& objects, const Holders& before, KeyPairs& memo);
/// The same without a compilation before.
Compiled compile(const Objects& objects, const Holders& before);

/// The configurations of all that were accepted.
std::vector<TunnelConfigurationPtr> configurations(const Compiled& compiled);

}  // namespace adit::routing
