#pragma once
// What a connector lacks: the pure part of link::Coverage.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "link/dial_places.h"
#include "link/known_gateways.h"

namespace adit::link {

/// How many links are held, by gateway id; those to gateways that leave do not count.
using LinksHeld = std::map<std::string, unsigned>;
/// How many links are missing, by what for: a gateway's id; or "@N", whatever is behind address N; or "@N/IP", a link
/// by which to learn whose IP address that is. ('@' and '/' are in no id.)
using CoverageNeeds = std::map<std::string, unsigned>;

struct CoverageRules {
  unsigned links;
  unsigned most_gateways;  ///< 0: all
  std::string_view instance;
};

/// Those to whom links are to be had: all that are named, or held and have not said yet whom they know; of these
/// `most_gateways`, if that is not 0.
GatewayIds wanted_gateways(const CoverageRules& rules, const KnownGateways& known, const LinksHeld& held);
/// Those whose links are kept: the wanted ones; others that are held, unless there is a limit; and in the stead of
/// wanted ones that can't be reached yet, as many others.
GatewayIds kept_gateways(const CoverageRules& rules, const KnownGateways& known, const LinksHeld& held);
/// The missing links.
CoverageNeeds find_needs(const CoverageRules& rules, const KnownGateways& known, const DialPlaces& places,
                         const LinksHeld& held);

/// The address that a need is for; nothing when it is for a gateway.
std::optional<std::size_t> address_of(const std::string& need);
unsigned total(const CoverageNeeds& needs);
GatewayIds ids_of(const LinksHeld& held);

}  // namespace adit::link
