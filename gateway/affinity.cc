#include "gateway/affinity.h"

#include <algorithm>
#include <utility>

namespace adit::gateway {
namespace {

using Mode = routing::Affinity::Mode;

/// The finalizer of SplitMix64 (Steele, Lea, Flood): every bit of the result depends on all of `word`.
std::uint64_t mix(std::uint64_t word) {
  word = (word ^ word >> 30U) * 0xbf58476d1ce4e5b9U;
  word = (word ^ word >> 27U) * 0x94d049bb133111ebU;
  return word ^ word >> 31U;
}

std::uint64_t word_at(const base::IpAddress& address, std::size_t from) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < sizeof word; ++i) word = word << 8U | address.bytes()[from + i];
  return word;
}

}  // namespace

AffinityWish::AffinityWish(const AffinityCookie& cookie, std::string_view tunnel_id, std::string_view service)
    : mode_(Mode::cookie), here_{affinity_digest(tunnel_id), affinity_digest(service), 0}, cookie_(cookie) {
  for (const AffinityEntry& entry : cookie_.entries()) {
    if (entry.tunnel == here_.tunnel && entry.service == here_.service && here_.instance == 0) {
      here_.instance = entry.instance;
    }
  }
}

AffinityWish::AffinityWish(const base::IpAddress& address)
    : mode_(Mode::address), place_(mix(mix(word_at(address, 0)) ^ word_at(address, 8))) {}

std::uint64_t AffinityWish::distance(link::InstanceKey instance) const {
  if (mode_ == Mode::address) return mix(place_ ^ instance);
  if (mode_ == Mode::none || instance == 0) return kFarthest;
  if (instance == here_.instance) return 0;
  std::uint64_t place = 1;
  for (const AffinityEntry& entry : cookie_.entries()) {
    if (entry.tunnel == here_.tunnel && entry.instance == instance) return place;
    ++place;
  }
  return kFarthest;
}

bool AffinityWish::cookie_for(link::InstanceKey instance, AffinityCookie& cookie) const {
  if (mode_ != Mode::cookie || instance == 0 || instance == here_.instance) return false;
  cookie = cookie_;
  cookie.put({here_.tunnel, here_.service, instance});
  return true;
}

void add_instance(std::vector<InstanceStanding>& instances, const InstanceStanding& standing) {
  const auto known = std::find_if(instances.begin(), instances.end(),
                                  [&](const InstanceStanding& held) { return held.instance == standing.instance; });
  if (known == instances.end()) return instances.push_back(standing);
  known->trouble = std::min(known->trouble, standing.trouble);
  known->own = known->own || standing.own;
}

link::InstanceKey choose_instance(const AffinityWish& wish, std::span<const InstanceStanding> instances,
                                  const Ejections& ejections, base::TimePoint now) {
  using Rank = std::pair<Trouble, std::uint64_t>;
  Rank best(kAnyTrouble, AffinityWish::kFarthest);
  link::InstanceKey chosen = 0;
  for (const InstanceStanding& standing : instances) {
    const bool ejected = !ejections.empty() && ejections.contains(standing.instance, now);
    const Rank rank(static_cast<Trouble>(standing.trouble | (ejected ? kEjected : kNoTrouble)),
                    wish.distance(standing.instance));
    if (rank >= best) continue;
    best = rank;
    chosen = rank.second == AffinityWish::kFarthest ? 0 : standing.instance;
  }
  return chosen;
}

}  // namespace adit::gateway
