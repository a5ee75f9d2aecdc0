#include "link/known_gateways.h"

#include <algorithm>
#include <utility>

namespace adit::link {
namespace {

/// FNV-1a, 64 bits (RFC 9923).
std::uint64_t hash(std::string_view text, std::uint64_t state) {
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return state;
}

/// The finalizer of SplitMix64 (S. Vigna): FNV alone leaves ids that differ in their last letter close together.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

}  // namespace

std::uint64_t nearness(std::string_view instance, std::string_view id) {
  constexpr std::uint64_t kBasis = 0xcbf29ce484222325U;
  return mix(hash(id, hash("\n", hash(instance, kBasis))));
}

GatewayIds nearest(std::string_view instance, const GatewayIds& ids, std::size_t most) {
  if (most == 0 || ids.size() <= most) return ids;
  std::vector<std::pair<std::uint64_t, std::string_view>> ranked;
  for (const auto& id : ids) ranked.emplace_back(nearness(instance, id), id);
  std::sort(ranked.rbegin(), ranked.rend());
  GatewayIds chosen;
  for (std::size_t i = 0; i < most; ++i) chosen.emplace(ranked[i].second);
  return chosen;
}

void KnownGateways::on_line(std::uint32_t link, const std::string& gateway, std::vector<std::string> ids) {
  lines_[link] = Line{gateway, std::move(ids)};
}

void KnownGateways::on_time(base::TimePoint now) {
  std::erase_if(leaving_, [now](const auto& item) { return item.second <= now; });
}

base::TimePoint KnownGateways::deadline() const {
  auto first = base::kNever;
  for (const auto& item : leaving_) first = std::min(first, item.second);
  return first;
}

bool KnownGateways::has_spoken(const std::string& gateway) const {
  return std::any_of(lines_.begin(), lines_.end(), [&](const auto& item) { return item.second.gateway == gateway; });
}

GatewayIds KnownGateways::named() const {
  GatewayIds ids;
  for (const auto& item : lines_) {
    for (const auto& id : item.second.ids) {
      if (!is_leaving(id)) ids.insert(id);
    }
  }
  return ids;
}

}  // namespace adit::link
