#pragma once
// The keys that seal TLS session tickets: one ring for the process, renewed as time goes by (RFC 5077 §4, RFC 8446
// §4.6.1).

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/published.h"

namespace adit::net {

/// AES-256-CBC and HMAC-SHA-256; wiped when it is freed.
struct TicketKey {
  std::array<unsigned char, 16> name;
  std::array<unsigned char, 32> cipher;
  std::array<unsigned char, 32> mac;
  base::TimePoint since;  ///< tickets are sealed with it from then on

  TicketKey() = default;
  TicketKey(const TicketKey&) = delete;
  TicketKey& operator=(const TicketKey&) = delete;
  ~TicketKey();
};
/// Newest first: that one seals, the others only open. Empty: no tickets.
using TicketKeys = std::vector<std::shared_ptr<const TicketKey>>;

/// One thread advances it, any thread may read.
class TicketKeyRing {
 public:
  static constexpr auto kRotation = std::chrono::hours(12);
  static constexpr auto kLifetime = std::chrono::hours(12);  ///< of a ticket

  explicit TicketKeyRing(base::TimePoint now);

  /// Publishes a new key when the newest is kRotation old, and drops those that no ticket needs any more. Should there
  /// be no randomness, the keys stay as they are.
  void advance(base::TimePoint now);
  const base::Published<TicketKeys>& keys() const { return keys_; }

 private:
  base::Published<TicketKeys> keys_;
};

/// One thread's view of a ring, which its TLS contexts use. Outlives them.
class TicketSealer {
 public:
  explicit TicketSealer(const TicketKeyRing& ring) : keys_(ring.keys()) {}

  /// Lets go of keys that the ring has dropped; now and then.
  void refresh() { keys_.get(); }
  /// For SSL_CTX_set_tlsext_ticket_key_evp_cb, with its results.
  int seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);
  int open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);

 private:
  base::Snapshot<TicketKeys> keys_;
};

}  // namespace adit::net
