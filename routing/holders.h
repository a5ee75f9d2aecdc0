#pragma once
// Who holds which host, in the form that outlives a compilation.

#include <map>
#include <span>
#include <string>
#include <vector>

namespace adit::routing {

/// Who holds a host: host → the names of the objects that hold it, sorted: "namespace/name" of a Tunnel, "Ingress
/// namespace/name" of an Ingress. A host that several share has, besides, an entry for each path → its one holder:
/// "shop.example.com/api", or "shop.example.com=/api" for that path alone; no host has a slash or "=".
using Holders = std::map<std::string, std::vector<std::string>>;

/// What one object holds, as it is recorded.
struct Claim {
  std::string name;                 ///< as in Holders
  std::vector<std::string> hosts;   ///< canonical
  std::vector<std::string> shared;  ///< the paths it has of those hosts that several share: "shop.example.com/api"
};

/// The holders of which every object has its part recorded: those of the compilation that gave the claims, in whatever
/// order they come. Records that contradict each other make several holders of one path or host; the compiler decides
/// between those as at a first claim.
Holders holders_of(std::span<const Claim> claims);

}  // namespace adit::routing
