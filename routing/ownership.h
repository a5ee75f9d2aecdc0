#pragma once
// Who holds which host and path: the rules by which objects that want the same are told apart. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "routing/holders.h"
#include "routing/manifest.h"
#include "routing/problem.h"

namespace adit::routing {

/// An object that wants hosts and paths. Borrows.
struct Claimant {
  enum class Kind : std::uint8_t { tunnel, ingress };

  Kind kind = Kind::tunnel;
  const Meta* meta = nullptr;
  std::vector<const RouteSpec*> rules = {};
  /// Where each rule stands in the object; empty: rule n is "spec.routes[n]".
  std::vector<std::string> fields = {};

  /// All rules of a Tunnel.
  static Claimant of(const TunnelObject& tunnel);

  /// By which it is recorded, as in Claim.
  std::string name() const;
  /// "Tunnel team-a/shop".
  std::string title() const;
  std::string field(std::size_t rule) const;
  /// Where its host stands.
  std::string host_field(std::size_t rule) const;
};

/// Which requests a rule is for, as in Holders: "shop.example.com/api", or "shop.example.com=/api" for that path alone.
std::string path_key(const RouteSpec& rule);

/// A rule that stands: `claimants[claimant].rules[rule]`.
struct HeldRule {
  std::size_t claimant;
  std::size_t rule;
};

struct HeldHost {
  std::string host;
  std::vector<std::size_t> claimants;  ///< that hold it, by age; all of one namespace
  std::vector<HeldRule> rules;         ///< by path; several for the same requests share them by weight
};

/// A host or path that an object wanted and did not get.
struct Loss {
  std::size_t claimant;
  Problem problem;
};

struct Ownership {
  std::vector<HeldHost> hosts;  ///< by name
  Holders holders;
  std::vector<Loss> losses;
};

/// Decides for all rules of `claimants`, which stand in the order of their age (what decides a first claim).
///
/// - A holder named by `before` keeps its host for as long as it has a rule for it.
/// - Otherwise the older object is first. The namespace of the first one has the host; Tunnels and Ingresses of that
///   namespace merge by path, and of two rules for one path the first claim stands. A path as a prefix and the same
///   path alone are two paths.
/// - Rules of several Tunnels for one path share it if the first of them has a weight: with it those that have one,
/// too,
///   and the same visibility.
/// - A wildcard protects the names below it: no other namespace can newly claim one, whether exact or a longer
///   wildcard. Of several wildcards above a name the longest counts. Claims that were there before the wildcard stay.
///   "*" protects nothing, else one namespace could shut out all others.
/// - Who loses is told who holds it, and gets it in the compilation in which the holder has gone.
Ownership assign_hosts(const std::vector<Claimant>& claimants, const Holders& before);

}  // namespace adit::routing
