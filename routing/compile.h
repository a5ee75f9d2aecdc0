#pragma once
// Manifests → tunnel configuration → route table. Pure: the same objects and the same former holders give the same
// table.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "routing/manifest.h"
#include "routing/problem.h"
#include "routing/table.h"

namespace adit::routing {

/// Who holds a host: host → "namespace/name" of the Tunnels that held it, in the order of their claims. A host that
/// several share has, besides, an entry for each path, "shop.example.com/api" → its one holder; no host has a slash.
using Holders = std::map<std::string, std::vector<std::string>>;

struct Compiled {
  std::shared_ptr<const Table> table;  ///< never nullptr: what is wrong is left out, the rest stands
  std::vector<Problem> problems;       ///< what was left out or does not resolve, each naming object and field
  Holders holders;                     ///< to be handed to the next compilation
};

/// Compiles all objects. `before` are the holders of the table in force: a holder keeps a host until it drops it; at
/// the first claim the older creationTimestamp wins, then the smaller "namespace/name" (design of ownership: docs/).
Compiled compile(const Objects& objects, const Holders& before);

}  // namespace adit::routing
