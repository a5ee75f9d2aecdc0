#include "gateway/link_choice.h"

#include <algorithm>

namespace adit::gateway {
namespace {

constexpr std::int64_t kSteps = 10;

/// In tenths. Whole steps, so that links that came together are equals and take turns.
std::uint64_t weight_of(base::Duration age) {
  const auto step = age / (kSlowStart / kSteps);
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(step + 1, 1, kSteps));
}

}  // namespace

LinkRank rank_of(const LinkStanding& standing) {
  constexpr std::uint64_t kScale = 2520;  // which every weight divides
  const auto with_this_one = std::uint64_t{standing.requests} + 1;
  return {standing.trouble(), with_this_one * kScale / weight_of(standing.age)};
}

}  // namespace adit::gateway
