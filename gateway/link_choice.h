#pragma once
// Which of several links a request gets. Pure: it is told what is known of each.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>

#include "base/clock.h"

namespace adit::gateway {

/// A new link gets a tenth of what an old one does, and a tenth more for each second.
inline constexpr base::Duration kSlowStart = std::chrono::seconds(10);

/// What speaks against a link, as a number: one is chosen only if there is none with a lesser one. So a link that may
/// be dead comes last, and where all are in the same trouble it means nothing.
using Trouble = std::uint8_t;
inline constexpr Trouble kNoTrouble = 0;
inline constexpr Trouble kEjected = 1;
inline constexpr Trouble kDown = 2;
inline constexpr Trouble kMayBeDead = 4;   ///< this, and more
inline constexpr Trouble kAnyTrouble = 8;  ///< more than any link has

/// What is known of a link that offers the service, at the moment of the choice.
struct LinkStanding {
  bool suspect = false;        ///< it may be dead
  bool down = false;           ///< its connector says that the service is down
  bool ejected = false;        ///< its connector could not reach the service lately
  std::uint32_t requests = 0;  ///< under way on it, whoever sent them; idle streams are none
  base::Duration age = kSlowStart;

  Trouble trouble() const {
    return static_cast<Trouble>((suspect ? kMayBeDead : 0) + (down ? kDown : 0) + (ejected ? kEjected : 0));
  }
};

/// The smaller one is chosen: by trouble, then by requests under way, those of a new link counting more.
struct LinkRank {
  Trouble trouble = kAnyTrouble;
  std::uint64_t load = 0;

  friend bool operator==(const LinkRank&, const LinkRank&) = default;
  friend bool operator<(const LinkRank& a, const LinkRank& b) {
    return std::tie(a.trouble, a.load) < std::tie(b.trouble, b.load);
  }
};
LinkRank rank_of(const LinkStanding& standing);

struct LinkChoice {
  std::size_t index = 0;
  LinkRank rank;
};

/// The best of `items`. `standing_of(item)` is absent for one that cannot be chosen. Begins at `turn`, so that with a
/// turn that grows equals are chosen one after the other.
template <class Items, class StandingOf>
std::optional<LinkChoice> choose_link(const Items& items, std::size_t turn, StandingOf standing_of) {
  std::optional<LinkChoice> best;
  const std::size_t count = items.size();
  std::size_t index = count != 0 ? turn % count : 0;
  for (std::size_t seen = 0; seen < count; ++seen) {
    if (const std::optional<LinkStanding> standing = standing_of(items[index])) {
      const LinkRank rank = rank_of(*standing);
      if (!best || rank < best->rank) best = LinkChoice{index, rank};
    }
    if (++index == count) index = 0;
  }
  return best;
}

}  // namespace adit::gateway
