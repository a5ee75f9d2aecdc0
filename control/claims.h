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
  void clear() { owners_.clear(); }

 private:
  using Owner = std::shared_ptr<const routing::Tunnel>;

  const Owner* owner(const std::string& key) const;

  // A host has no slash and a path begins with one, so "HOST/PATH" is a rule's and "HOST" a certificate's.
  std::unordered_map<std::string, Owner> owners_;
};

}  // namespace adit::control
