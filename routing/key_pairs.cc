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
  return sha256({secret.type, value(secret, "tls.crt"), value(secret, "tls.key"), value(secret, "tls.ocsp-staple")});
}

}  // namespace

const KnownKeyPair& KeyPairs::read(const SecretObject& secret) {
  const auto [found, is_new] = entries_.try_emplace(secret.meta.full_name());
  Entry& entry = found->second;
  if (std::exchange(entry.is_used, true)) return entry.known;
  const Sha256 digest = digest_of(secret);
  if (!is_new && entry.digest == digest) return entry.known;
  entry.digest = digest;
  auto pair = KeyPair::read(secret);
  entry.known.fault = pair ? std::string() : pair.error();
  if (pair) entry.known.pair = std::move(*pair);
  return entry.known;
}

void KeyPairs::drop_unused() {
  std::erase_if(entries_, [](const auto& entry) { return !entry.second.is_used; });
  for (auto& [name, entry] : entries_) entry.is_used = false;
}

}  // namespace adit::routing
