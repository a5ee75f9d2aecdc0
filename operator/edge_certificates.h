#pragma once
// Which certificates the edge needs now: the operator's authority, its own serving certificate, and those of gateways
// for links and for each other. Pure but for the random numbers in keys: reading and writing the Secrets surrounds it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "operator/authority.h"

namespace adit::controller {

/// What a Secret of the authority holds.
struct AuthoritySecret {
  KeyCertificate signer;               ///< signs now
  std::optional<KeyCertificate> next;  ///< is trusted already and signs when everybody has had time to learn of it
  std::string trusted;  ///< PEM bundle that peers are to trust: signer, next, and a former one that lives
};

/// What is stored, as it was read; absent where there is no Secret or it lacks a key.
struct StoredCertificates {
  std::optional<AuthoritySecret> authority;
  std::optional<KeyCertificate> serving;
  std::optional<KeyCertificate> link;
  std::optional<KeyCertificate> peer;
};

/// What is to be in force, and what of it has to be stored first.
struct EdgeCertificates {
  AuthoritySecret authority;
  KeyCertificate serving;
  std::optional<KeyCertificate> link;
  KeyCertificate peer;  ///< by which gateways know each other; they are clients with it, too
  bool authority_changed = false;
  bool serving_changed = false;
  bool link_changed = false;
  bool peer_changed = false;
  std::vector<std::string> reasons;  ///< for the log: why something was made anew
};

struct EdgeNames {
  std::vector<std::string> serving;  ///< by which gateways dial the operator
  std::vector<std::string> link;     ///< by which connectors dial gateways; empty: no link certificate is issued
};

/// The name in the certificates by which gateways know each other (docs/peers.md).
inline constexpr std::string_view kPeerName = "adit-gateway-peer";

// An authority lives ten years and a server certificate 90 days; each is replaced when a third of its life is left. A
// new authority is only trusted for a week before it signs, so that connectors and gateways know it when they meet it.
inline constexpr auto kAuthorityLife = std::chrono::hours(24 * 3650);
inline constexpr auto kServerLife = std::chrono::hours(24 * 90);
inline constexpr auto kAnnounced = std::chrono::hours(24 * 7);

/// Certificates that are unusable, expired, for other names or of another authority are made anew; nothing else is.
base::Result<EdgeCertificates> plan_certificates(const StoredCertificates& stored, const EdgeNames& names,
                                                 WallTime now);

}  // namespace adit::controller
