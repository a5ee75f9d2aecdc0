#pragma once
// What Tunnels get from the Secrets they name: tokens, key pairs, logins. A part of the compiler.

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "routing/compile.h"
#include "routing/key_pairs.h"
#include "routing/manifest.h"

namespace adit::routing {

/// Adds a problem of a Tunnel to its outcome.
void report(Outcome& outcome, const Place& place, std::string field, std::string reason, ProblemKind kind);

/// Tunnels are told by their index in the objects. What is missing or wrong is reported in `compiled`. Borrows all.
class SecretReferences {
 public:
  SecretReferences(const Objects& objects, KeyPairs& memo, Compiled& compiled);

  /// Of all Secrets in connectorTokens that have some.
  std::vector<TokenHash> tokens(std::size_t tunnel);

  /// Those that can be served, their key types differ; read and reported once.
  const std::vector<const KeyPair*>& key_pairs(std::size_t tunnel);

  /// The filters of a route with the logins of BasicAuth: none, so that nobody gets in, when they cannot be had.
  FiltersPtr filters(std::size_t tunnel, const RouteSpec& route);

 private:
  void index_secrets();
  const TunnelObject& object(std::size_t tunnel) const { return objects_.tunnels[tunnel]; }
  /// nullptr when it does not exist, which is reported with what follows from it.
  const SecretObject* find(std::size_t tunnel, const SecretField& field, const char* consequence);
  void report_secret(std::size_t tunnel, const SecretField& field, const std::string& reason, ProblemKind kind);
  const KeyPair* read_key_pair(std::size_t tunnel, const SecretField& field);
  std::vector<const KeyPair*> read_key_pairs(std::size_t tunnel);

  const Objects& objects_;
  KeyPairs& memo_;
  Compiled& compiled_;
  std::unordered_map<std::string, const SecretObject*> secrets_;
  std::unordered_map<std::size_t, std::vector<const KeyPair*>> key_pairs_;
  std::unordered_map<std::size_t, std::size_t> logins_;  ///< how many a Tunnel has got
};

}  // namespace adit::routing
