#pragma once
// Whether a connector is let in, and to which tunnel.

#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/ip_network.h"
#include "gateway/failure_limiter.h"
#include "gateway/link_directory.h"
#include "link/handshake.h"
#include "routing/table.h"

namespace adit::gateway {

/// What it says: a refusal, or the tunnel.
struct LinkVerdict {
  std::optional<link::Refusal> refusal;
  std::shared_ptr<const routing::Tunnel> tunnel;
  routing::TokenHash token{};  ///< of the token shown
};

/// On the acceptor's thread. Pure but for the failures that it counts.
class LinkAdmission {
 public:
  /// Most links that one tunnel may have at this gateway, those that are ending included: a connector with a valid
  /// token must not be able to fill the gateway's memory.
  static constexpr std::size_t kMostOfTunnel = 10'000;
  /// The same for one instance: more than it needs for --links, with some for links that it has lost and the gateway
  /// still believes alive.
  static constexpr std::size_t kMostOfInstance = 256;

  /// `from`: the connector's address, behind trusted proxies too.
  LinkVerdict admit(const link::Hello& hello, const base::IpAddress& from, const routing::Table& table,
                    const LinkDirectory& links, base::TimePoint now);

 private:
  FailureLimiter failures_;
};

}  // namespace adit::gateway
