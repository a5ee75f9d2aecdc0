#pragma once
// All Tunnels and the Secrets they name, as last seen, and what the compiler makes of them. Sans-io.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kube/object.h"
#include "operator/tunnel_status.h"
#include "routing/compile.h"
#include "routing/host_policy.h"

namespace adit::controller {

/// What is known of a Secret that a Tunnel names.
struct SecretState {
  enum class Kind {
    unknown,  ///< not asked yet, or no answer yet
    absent,
    present,
    unreadable,  ///< the API server refuses to tell
  };
  Kind kind = Kind::unknown;
  std::shared_ptr<const kube::Json> object;  ///< when present
  std::string reason;                        ///< when unreadable
};

using TunnelFactsPtr = std::shared_ptr<const TunnelFacts>;

/// What a compilation decided.
struct Compilation {
  std::vector<routing::TunnelConfigurationPtr> configurations;
  /// Ids of Tunnels whose configuration cannot be told now, so that gateways are to keep what they have.
  std::vector<std::string> keep;
  std::map<std::string, TunnelFactsPtr> facts;  ///< by "namespace/name"
  std::vector<std::string> changed;             ///< keys whose facts are others than before, or gone
};

/// Used by one thread.
class Catalogue {
 public:
  explicit Catalogue(routing::HostPolicy policy = {}) : policy_(std::move(policy)) {}

  /// What former leaders recorded; before the first compile() of a term, which then tells of every Tunnel.
  void restore(const std::vector<routing::Claim>& claims) {
    holders_ = routing::holders_of(claims);
    facts_.clear();
    key_pairs_ = {};  // another leader may have taken up newer ones meanwhile
    inherited_.clear();
    for (const auto& claim : claims) {
      if (!claim.hosts.empty()) inherited_.insert(claim.name);
    }
  }

  /// An object of which nothing counts but spec, uid and name; true if that calls for a new compilation. An object that
  /// cannot be taken keeps its last good form in force.
  bool set_tunnel(const kube::Json& object);
  bool erase_tunnel(const std::string& key);
  /// `key` is "namespace/name".
  void set_secret(const std::string& key, const SecretState& state);

  /// The Secrets that Tunnels name.
  std::set<std::string> named_secrets() const;
  /// Whether something is still unknown of a named Secret.
  bool is_waiting() const;

  Compilation compile();

 private:
  struct Entry {
    std::string uid;
    std::int64_t generation = 0;
    std::string id;
    bool is_there = false;  ///< objects_ has a form of it
    bool is_ghost = false;  ///< which is no more than what its status says that it held: it keeps that from others
    std::size_t at = 0;     ///< in objects_.tunnels
    std::vector<routing::Problem> refused;
    std::vector<routing::Problem> forbidden;  ///< rules that the policy took out of its form in objects_
  };
  struct Secret {
    SecretState state;
    bool is_good = false;
    std::size_t at = 0;   ///< in objects_.secrets
    std::string problem;  ///< of a Secret that cannot be read as one
  };

  void put_tunnel(Entry& entry, routing::TunnelObject tunnel);
  void drop_tunnel(Entry& entry);
  void drop_secret(Secret& secret);
  bool is_unknown(const std::string& secret) const;
  void look_at_secrets(const routing::TunnelObject& tunnel, TunnelFacts& facts) const;
  TunnelFactsPtr facts_of(const std::string& key, const Entry& entry, const routing::Outcome* outcome) const;

  routing::HostPolicy policy_;
  std::map<std::string, Entry> tunnels_;
  std::unordered_map<std::string, Secret> secrets_;
  routing::Objects objects_;
  routing::Holders holders_;
  routing::KeyPairs key_pairs_;
  /// Tunnels of former leaders that this one has not told gateways anything of yet: "namespace/name".
  std::set<std::string> inherited_;
  std::map<std::string, TunnelFactsPtr> facts_;
};

}  // namespace adit::controller
