#pragma once
// Who a connector is.

#include <string>
#include <string_view>

namespace adit::connector {

/// What the connector says of itself at every gateway; the token comes from Credentials.
struct Identity {
  std::string tunnel;    ///< UUID in lower case, or empty: the token tells the tunnel
  std::string name;      ///< the same for all replicas of one Deployment
  std::string instance;  ///< of this process alone
};

/// With a fresh instance.
Identity new_identity(std::string_view tunnel, std::string_view name);

}  // namespace adit::connector
