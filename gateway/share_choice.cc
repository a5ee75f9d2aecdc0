#include "gateway/share_choice.h"

namespace adit::gateway {
namespace {

std::uint64_t weight_of(const routing::Route& rule) { return rule.weight.value_or(0); }

/// By weight among those that `counts`; nullptr if their weights are 0 in all.
template <class Counts>
const routing::Route* by_lot(std::span<const routing::Route> shares, std::uint64_t lot, Counts counts) {
  std::uint64_t total = 0;
  for (const auto& rule : shares) {
    if (counts(rule)) total += weight_of(rule);
  }
  if (total == 0) return nullptr;
  std::uint64_t point = (lot >> 32U) * total >> 32U;  // weights are small, and so is their sum
  for (const auto& rule : shares) {
    if (!counts(rule)) continue;
    if (point < weight_of(rule)) return &rule;
    point -= weight_of(rule);
  }
  return nullptr;  // one was served a moment ago
}

/// Another lot: of those that fell on one share, the next choice would else find a part of the line only.
std::uint64_t redrawn(std::uint64_t lot) {
  lot = (lot ^ lot >> 30U) * 0xbf58476d1ce4e5b9U;  // SplitMix64 (Steele, Lea, Flood)
  lot = (lot ^ lot >> 27U) * 0x94d049bb133111ebU;
  return lot ^ lot >> 31U;
}

}  // namespace

ShareChoice choose_share(std::span<const routing::Route> shares, std::uint64_t lot, ServedRules& served) {
  const auto* rule = by_lot(shares, lot, [](const auto&) { return true; });
  if (rule == nullptr || served.is_served(*rule)) return {rule, false};
  const auto* other =
      by_lot(shares, redrawn(lot), [&](const auto& share) { return weight_of(share) != 0 && served.is_served(share); });
  return other != nullptr ? ShareChoice{other, true} : ShareChoice{rule, false};
}

const routing::Route* known_share(std::span<const routing::Route> shares, std::string_view cookie_name,
                                  const AffinityCookie& cookie, ServedRules& served) {
  for (const AffinityEntry& entry : cookie.entries()) {
    for (const auto& rule : shares) {
      const auto& tunnel = *rule.tunnel;
      const bool gives =
          tunnel.affinity.mode == routing::Affinity::Mode::cookie && tunnel.affinity.cookie_name == cookie_name;
      if (!gives || weight_of(rule) == 0) continue;
      if (entry.tunnel != affinity_digest(tunnel.id) || entry.service != affinity_digest(rule.service)) continue;
      if (served.is_served(rule)) return &rule;
    }
  }
  return nullptr;
}

}  // namespace adit::gateway
