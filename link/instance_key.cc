#include "link/instance_key.h"

#include <string>

#include <openssl/sha.h>

namespace adit::link {

InstanceKey instance_key(std::string_view tunnel_id, std::string_view instance) {
  if (instance.empty()) return 0;
  const auto text = std::string(tunnel_id).append("/").append(instance);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  InstanceKey key = 0;
  for (std::size_t i = 0; i < sizeof key; ++i) key = key << 8U | digest[i];
  return key;
}

InstanceText::InstanceText(InstanceKey key) {
  for (auto digit = text_.rbegin(); digit != text_.rend(); ++digit, key >>= 4U) {
    *digit = "0123456789abcdef"[key & 0xfU];
  }
}

std::optional<InstanceKey> parse_instance_key(std::string_view text) {
  if (text.size() != 2 * sizeof(InstanceKey)) return std::nullopt;
  InstanceKey key = 0;
  for (const char c : text) {
    const bool letter = c >= 'a' && c <= 'f';
    if (!letter && (c < '0' || c > '9')) return std::nullopt;
    key = key << 4U | static_cast<InstanceKey>(letter ? c - 'a' + 10 : c - '0');
  }
  if (key == 0) return std::nullopt;
  return key;
}

}  // namespace adit::link
