#pragma once
// Which tunnel of a set has which rule and which host's certificate.

#include <memory>
#include <string>
#include <unordered_map>

#include "routing/configuration.h"

namespace adit::control {

/// Finds contradictions in time that grows with the configuration asked about, not with the set.
class Claims {
 public:
  /// Adds all claims of a configuration that contradict() says nothing about.
  void add(const routing::TunnelConfiguration& configuration);
  /// Takes back what add() added.
  void remove(const routing::TunnelConfiguration& configuration);
  /// What another tunnel has already, in words; empty: nothing.
  std::string contradiction(const routing::TunnelConfiguration& configuration) const;
  /// The configuration without what another tunnel has.
  routing::TunnelConfiguration without_contradictions(const routing::TunnelConfiguration& configuration) const;
  void clear() {
    rules_.clear();
    hosts_.clear();
  }

 private:
  using Owner = std::shared_ptr<const routing::Tunnel>;

  struct RuleOwner {
    Owner tunnel;
    bool has_weight;
    bool is_private;
  };

  /// Who has the rule's host and path, and does not share them with it; nullptr: nobody.
  const Owner* rival(const routing::Rule& rule) const;
  /// Whose certificates the host has.
  const Owner* owner(const std::string& host) const;

  std::unordered_multimap<std::string, RuleOwner> rules_;  ///< by host and path
  std::unordered_map<std::string, Owner> hosts_;
};

}  // namespace adit::control
