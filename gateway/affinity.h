#pragma once
// Which instance of a tunnel's connectors a request goes to, where the tunnel wants visitors to stay with one. Pure.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/ip_network.h"
#include "gateway/affinity_cookie.h"
#include "gateway/ejections.h"
#include "gateway/link_choice.h"
#include "link/instance_key.h"
#include "routing/affinity.h"

namespace adit::gateway {

/// An instance that offers the service, as a choice among instances sees it: by the best of its links.
struct InstanceStanding {
  link::InstanceKey instance = 0;
  Trouble trouble = kNoTrouble;  ///< without ejections
  bool own = false;              ///< this gateway has a link of it; else a peer
};

/// Adds an instance, or what is known of it from another of its links.
void add_instance(std::vector<InstanceStanding>& instances, const InstanceStanding& standing);

/// What one request asks for.
class AffinityWish {
 public:
  /// None.
  AffinityWish() = default;
  /// Of a visitor with that cookie, which may be empty, at a service of a tunnel.
  AffinityWish(const AffinityCookie& cookie, std::string_view tunnel_id, std::string_view service);
  /// Of a visitor with that address.
  explicit AffinityWish(const base::IpAddress& address);

  routing::Affinity::Mode mode() const { return mode_; }
  explicit operator bool() const { return mode_ != routing::Affinity::Mode::none; }

  /// Its cookie names an instance for this service.
  bool is_known() const { return here_.instance != 0; }

  /// How far from what is wished for: 0 is that. With an address, instances are ranked by a digest of both (highest
  /// random weight: one that goes moves its own visitors only); with a cookie, the instance that served the visitor
  /// at this service comes first, then those that did at other services of the tunnel.
  std::uint64_t distance(link::InstanceKey instance) const;
  static constexpr std::uint64_t kFarthest = ~std::uint64_t{0};

  /// The cookie to give to the visitor that was served by `instance`; false: none, it has the right one.
  bool cookie_for(link::InstanceKey instance, AffinityCookie& cookie) const;

 private:
  routing::Affinity::Mode mode_ = routing::Affinity::Mode::none;
  AffinityEntry here_;       ///< tunnel and service; its instance is that of the cookie, or 0
  AffinityCookie cookie_;    ///< as it came
  std::uint64_t place_ = 0;  ///< digest of the address
};

/// The instance with the least trouble, and of those the nearest to the wish. 0: any will do, since of those with the
/// least trouble none is wished for.
link::InstanceKey choose_instance(const AffinityWish& wish, std::span<const InstanceStanding> instances,
                                  const Ejections& ejections, base::TimePoint now);

}  // namespace adit::gateway
