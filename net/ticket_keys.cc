#include "net/ticket_keys.h"

#include <algorithm>
#include <cstring>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/log.h"

namespace adit::net {
namespace {

std::shared_ptr<const TicketKey> make_key(base::TimePoint now) {
  auto key = std::make_shared<TicketKey>();
  key->since = now;
  const bool random = RAND_bytes(key->name.data(), static_cast<int>(key->name.size())) == 1 &&
                      RAND_priv_bytes(key->cipher.data(), static_cast<int>(key->cipher.size())) == 1 &&
                      RAND_priv_bytes(key->mac.data(), static_cast<int>(key->mac.size())) == 1;
  if (random) return key;
  base::log::error("no new key for TLS session tickets", {{"reason", "no randomness"}});
  return nullptr;
}

TicketKeys first_keys(base::TimePoint now) {
  if (auto key = make_key(now)) return {std::move(key)};
  return {};
}

bool set_mac_key(EVP_MAC_CTX* mac, const TicketKey& key) {
  char digest[] = "SHA256";
  auto bytes = key.mac;  // OSSL_PARAM takes it by a pointer that is not const
  const std::array<OSSL_PARAM, 3> parameters = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, bytes.data(), bytes.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  const bool done = EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return done;
}

constexpr int kFailed = -1;
constexpr int kNoTicket = 0;
constexpr int kDone = 1;
constexpr int kDoneRenew = 2;

}  // namespace

TicketKey::~TicketKey() {
  OPENSSL_cleanse(cipher.data(), cipher.size());
  OPENSSL_cleanse(mac.data(), mac.size());
}

TicketKeyRing::TicketKeyRing(base::TimePoint now) : keys_(std::make_shared<const TicketKeys>(first_keys(now))) {}

void TicketKeyRing::advance(base::TimePoint now) {
  const auto current = keys_.get();
  auto next = *current;
  if (next.empty() || now - next.front()->since >= kRotation) {
    if (auto key = make_key(now)) next.insert(next.begin(), std::move(key));
  }
  // A key is needed for a ticket's lifetime after its successor took over.
  while (next.size() > 1 && now - next[next.size() - 2]->since >= kLifetime) next.pop_back();
  if (next != *current) keys_.publish(std::make_shared<const TicketKeys>(std::move(next)));
}

int TicketSealer::seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  const auto& keys = *keys_.get();
  if (keys.empty()) return kNoTicket;
  const auto& key = *keys.front();
  if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return kFailed;
  std::copy(key.name.begin(), key.name.end(), name);
  const bool ready =
      EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) == 1 && set_mac_key(mac, key);
  return ready ? kDone : kFailed;
}

int TicketSealer::open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  const auto& keys = *keys_.get();
  const auto found = std::find_if(keys.begin(), keys.end(), [name](const auto& key) {
    return std::memcmp(key->name.data(), name, key->name.size()) == 0;
  });
  if (found == keys.end()) return kNoTicket;
  const bool ready = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, (*found)->cipher.data(), iv) == 1 &&
                     set_mac_key(mac, **found);
  if (!ready) return kFailed;
  return found == keys.begin() ? kDone : kDoneRenew;
}

}  // namespace adit::net
