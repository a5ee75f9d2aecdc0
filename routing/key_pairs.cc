#include "routing/key_pairs.h"

#include <string_view>
#include <utility>

namespace adit::routing {
namespace {

std::string_view value(const SecretObject& secret, const std::string& key) {
  const auto found = secret.data.find(key);
  return found == secret.data.end() ? std::string_view{} : found->second;
}

/// Of all that KeyPair::read() looks at.
Sha256 digest_of(const SecretObject& secret) {
  return sha256({secret.type, value(secret, "tls.crt"), value(secret, "tls.key")});
}

}  // namespace

const base::Result<KeyPair>& KeyPairs::read(const SecretObject& secret) {
  const std::string name = secret.meta.full_name();
  const auto known = entries_.find(name);
  if (known != entries_.end() && known->second.is_used) return known->second.pair;
  const Sha256 digest = digest_of(secret);
  if (known == entries_.end()) {
    return entries_.try_emplace(name, Entry{digest, KeyPair::read(secret), true}).first->second.pair;
  }
  Entry& entry = known->second;
  if (entry.digest != digest) entry = {digest, KeyPair::read(secret), true};
  entry.is_used = true;
  return entry.pair;
}

void KeyPairs::drop_unused() {
  std::erase_if(entries_, [](const auto& entry) { return !entry.second.is_used; });
  for (auto& [name, entry] : entries_) entry.is_used = false;
}

}  // namespace adit::routing
