#include "routing/holders.h"

#include <algorithm>

namespace adit::routing {

Holders holders_of(std::span<const Claim> claims) {
  Holders holders;
  for (const Claim& claim : claims) {
    for (const auto* keys : {&claim.hosts, &claim.shared}) {
      for (const auto& key : *keys) holders[key].push_back(claim.name);
    }
  }
  for (auto& [key, names] : holders) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
  }
  return holders;
}

}  // namespace adit::routing
