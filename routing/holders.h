#pragma once
// Who holds which host, in the form that outlives a compilation.

#include <map>
#include <span>
#include <string>
#include <vector>

namespace adit::routing {

/// Who holds a host: host → "namespace/name" of the Tunnels that hold it, by name. A host that several share has,
/// besides, an entry for each path, "shop.example.com/api" → its one holder; no host has a slash.
using Holders = std::map<std::string, std::vector<std::string>>;

/// What one Tunnel holds, as it is recorded with the object.
struct Claim {
  std::string name;                 ///< "namespace/name"
  std::vector<std::string> hosts;   ///< canonical
  std::vector<std::string> shared;  ///< the paths it has of those hosts that several share: "shop.example.com/api"
};

/// The holders of which every Tunnel has recorded its part: those of the compilation that gave the claims, in whatever
/// order they come. Records that contradict each other make several holders of one path or host; the compiler decides
/// between those as at a first claim.
Holders holders_of(std::span<const Claim> claims);

}  // namespace adit::routing
