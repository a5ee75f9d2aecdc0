#pragma once
// Who holds which host and path: the rules by which objects that want the same are told apart. Pure.

#include <string>
#include <vector>

#include "routing/holders.h"
#include "routing/manifest.h"
#include "routing/problem.h"

namespace adit::routing {

/// A rule that stands: `tunnels[tunnel]->routes[route]`.
struct HeldRoute {
  std::size_t tunnel;
  std::size_t route;
};

struct HeldHost {
  std::string host;
  std::vector<std::size_t> tunnels;  ///< that hold it, by age; all of one namespace
  std::vector<HeldRoute> routes;     ///< by path; paths differ
};

/// A host or path that an object wanted and did not get.
struct Loss {
  std::size_t tunnel;
  Problem problem;
};

struct Ownership {
  std::vector<HeldHost> hosts;  ///< by name
  Holders holders;
  std::vector<Loss> losses;
};

/// Decides for all routes of `tunnels`, which stand in the order of their age (what decides a first claim).
///
/// - A holder named by `before` keeps its host for as long as it has a rule for it.
/// - Otherwise the older object is first. The namespace of the first one has the host; Tunnels of that namespace
///   merge by path, and of two rules for one path the first claim stands.
/// - A wildcard protects the names below it: no other namespace can newly claim one, whether exact or a longer
///   wildcard. Of several wildcards above a name the longest counts. Claims that were there before the wildcard stay.
///   "*" protects nothing, else one namespace could shut out all others.
/// - Who loses is told who holds it, and gets it in the compilation in which the holder has gone.
Ownership assign_hosts(const std::vector<const TunnelObject*>& tunnels, const Holders& before);

}  // namespace adit::routing
