#pragma once
// Which gateway was met where: what a connector remembers of the addresses that it dials. Pure.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "link/known_gateways.h"

namespace adit::link {

/// What a dial met on its way. Both are empty through a proxy.
struct DialPath {
  std::vector<std::string> resolved;  ///< the IP addresses that the name had
  std::vector<std::string> tried;     ///< those that were gone to; of a dial that ended at a gateway the last is its
};

/// An address is known by its index. Its spots are the IP addresses that its name has; through a proxy, which looks
/// names up itself, there is one with an empty text.
class DialPlaces {
 public:
  /// After so many dials that did not get anywhere there a spot is no longer looked into.
  static constexpr unsigned kMostTries = 3;

  explicit DialPlaces(std::size_t addresses) : places_(addresses) {}

  std::size_t size() const { return places_.size(); }
  /// A dial of the address ended at `gateway`. `useful`: it was not surplus.
  void on_up(std::size_t address, const DialPath& path, const std::string& gateway, bool useful);
  void on_failed(std::size_t address, const DialPath& path);

  /// One of `ids` was the last one met at some spot of the address.
  bool leads_to(std::size_t address, const GatewayIds& ids) const;
  /// The last ones met, at any address.
  GatewayIds met() const;
  /// Nothing was ever met there.
  bool is_unknown(std::size_t address) const;
  /// Spots of a known address at which nothing was met yet.
  std::vector<std::string> unexplored(std::size_t address) const;
  /// Spots that lead to one of `ids`.
  std::vector<std::string> spots_of(std::size_t address, const GatewayIds& ids) const;
  /// Where to look for `id`: the address that led there last; else one that leads to nothing in `held`; else one that
  /// led to different gateways, as a load balancer does; in each case rather one where fewer dials were in vain.
  std::size_t best_for(const std::string& id, const GatewayIds& held);
  /// Counts the dials of an address, for taking its spots in turn.
  unsigned next_turn(std::size_t address) { return places_[address].turn++; }

 private:
  struct Spot {
    std::string gateway;  ///< the last one met; empty: none yet
    bool mixed = false;   ///< different ones were met
    unsigned tries = 0;   ///< while none was met
  };
  struct Place {
    std::map<std::string, Spot> spots;
    unsigned turn = 0;
    unsigned in_vain = 0;  ///< dials since one was useful, up to kMostInVain
  };

  static void note(Place& place, const DialPath& path);
  static unsigned cost(const Place& place, const std::string& id, const GatewayIds& held);

  std::vector<Place> places_;
  std::size_t next_ = 0;  ///< of equal ones, the one to take first
};

}  // namespace adit::link
