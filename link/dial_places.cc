#include "link/dial_places.h"

#include <algorithm>

namespace adit::link {
namespace {

constexpr unsigned kMostInVain = 8;
// How many dials in vain outweigh that an address does not look like the right one.
constexpr unsigned kMixed = 3;
constexpr unsigned kOther = 6;

}  // namespace

void DialPlaces::on_up(std::size_t address, const DialPath& path, const std::string& gateway, bool useful) {
  auto& place = places_[address];
  note(place, path);
  auto& spot = place.spots[path.tried.empty() ? std::string() : path.tried.back()];
  if (!spot.gateway.empty() && spot.gateway != gateway) spot.mixed = true;
  spot.gateway = gateway;
  place.in_vain = useful ? 0 : std::min(place.in_vain + 1, kMostInVain);
}

void DialPlaces::on_failed(std::size_t address, const DialPath& path) {
  auto& place = places_[address];
  note(place, path);
  place.in_vain = std::min(place.in_vain + 1, kMostInVain);
}

void DialPlaces::note(Place& place, const DialPath& path) {
  // An IP address that the name no longer has is forgotten.
  if (!path.resolved.empty()) {
    std::erase_if(place.spots, [&](const auto& item) {
      return std::find(path.resolved.begin(), path.resolved.end(), item.first) == path.resolved.end();
    });
  }
  for (const auto& ip : path.resolved) place.spots.try_emplace(ip);
  for (const auto& ip : path.tried) {
    auto& spot = place.spots[ip];
    if (spot.gateway.empty()) ++spot.tries;
  }
}

bool DialPlaces::leads_to(std::size_t address, const GatewayIds& ids) const {
  const auto& spots = places_[address].spots;
  return std::any_of(spots.begin(), spots.end(), [&](const auto& item) { return ids.contains(item.second.gateway); });
}

GatewayIds DialPlaces::met() const {
  GatewayIds ids;
  for (const auto& place : places_) {
    for (const auto& item : place.spots) ids.insert(item.second.gateway);
  }
  ids.erase("");
  return ids;
}

bool DialPlaces::is_unknown(std::size_t address) const {
  const auto& spots = places_[address].spots;
  return std::all_of(spots.begin(), spots.end(), [](const auto& item) { return item.second.gateway.empty(); });
}

std::vector<std::string> DialPlaces::unexplored(std::size_t address) const {
  std::vector<std::string> ips;
  if (is_unknown(address)) return ips;
  for (const auto& [ip, spot] : places_[address].spots) {
    if (spot.gateway.empty() && spot.tries < kMostTries) ips.push_back(ip);
  }
  return ips;
}

std::vector<std::string> DialPlaces::spots_of(std::size_t address, const GatewayIds& ids) const {
  std::vector<std::string> ips;
  for (const auto& [ip, spot] : places_[address].spots) {
    if (ids.contains(spot.gateway)) ips.push_back(ip);
  }
  return ips;
}

unsigned DialPlaces::cost(const Place& place, const std::string& id, const GatewayIds& held) {
  bool leads = false;
  bool covered = false;
  bool mixed = false;
  bool unexplored = false;
  for (const auto& item : place.spots) {
    const auto& spot = item.second;
    leads |= spot.gateway == id;
    covered |= held.contains(spot.gateway);
    mixed |= spot.mixed;
    unexplored |= spot.gateway.empty() && spot.tries < kMostTries;
  }
  const bool likely = leads || !covered || unexplored;
  return place.in_vain + (likely ? 0 : mixed ? kMixed : kOther);
}

std::size_t DialPlaces::best_for(const std::string& id, const GatewayIds& held) {
  std::size_t best = next_ % places_.size();
  for (std::size_t i = 1; i < places_.size(); ++i) {
    const auto other = (next_ + i) % places_.size();
    if (cost(places_[other], id, held) < cost(places_[best], id, held)) best = other;
  }
  ++next_;
  return best;
}

}  // namespace adit::link
