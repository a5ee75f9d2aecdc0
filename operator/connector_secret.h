#pragma once
// The Secret NAME-connector, which the operator makes for each Tunnel to be handed to the private side. Pure: reading,
// writing, the clock and random numbers surround it.

#include <chrono>
#include <optional>
#include <string>

#include "kube/object.h"
#include "operator/authority.h"

namespace adit::controller {

/// What a connector needs besides its token.
struct ConnectorAccess {
  std::string gateway;  ///< HOST:PORT that connectors dial
  std::string ca;       ///< PEM bundle; empty: the system's roots are meant to do
};

struct RotationSettings {
  std::chrono::seconds overlap{3600};  ///< for which the former token still counts
};

/// What to do about a Tunnel's connector Secret.
struct ConnectorSecretPlan {
  enum class Write { none, create, apply };
  Write write = Write::none;
  kube::Json object;                          ///< to be written
  std::optional<std::chrono::seconds> again;  ///< look again after this time: a former token ends then
  bool rotated = false;                       ///< the write brings a new token: worth an Event
};

/// Names of keys and annotations that others read too.
inline constexpr std::string_view kRotateToken = "adit.dev/rotate-token";  ///< on the Tunnel: any new value rotates

/// `secret` is what is stored under the name, nullptr if there is nothing. One that belongs to somebody else (no owner
/// reference to this very Tunnel) is never written. `new_token` is used if a token is needed. No Secret is made for a
/// Tunnel that names its own token Secrets.
ConnectorSecretPlan plan_connector_secret(const kube::Json& tunnel, const std::string& tunnel_id,
                                          const kube::Json* secret, const ConnectorAccess& access,
                                          const RotationSettings& rotation, const std::string& new_token, WallTime now);

/// "NAME-connector" of a Tunnel.
std::string connector_secret_name(const kube::Json& tunnel);
/// Whether the Tunnel's tokens are those of its NAME-connector: spec.connectorTokens is absent or empty.
bool uses_connector_secret(const kube::Json& tunnel);

}  // namespace adit::controller
