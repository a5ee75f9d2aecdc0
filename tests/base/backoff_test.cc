#include "base/backoff.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace adit::base {
namespace {

using std::chrono::milliseconds;

/// The longest of many first, second, … waits.
std::vector<milliseconds> longest_waits(Backoff::Limits limits, std::size_t tries) {
  Random random(1);
  std::vector<milliseconds> longest(tries, milliseconds{0});
  for (int run = 0; run < 2000; ++run) {
    Backoff backoff(limits, random);
    for (auto& wait : longest) wait = std::max(wait, backoff.next());
  }
  return longest;
}

TEST(Backoff, DoublesItsCeilingUpToTheMost) {
  const auto longest = longest_waits({milliseconds{100}, milliseconds{1000}}, 7);
  const std::vector<int> ceilings{100, 200, 400, 800, 1000, 1000, 1000};
  for (std::size_t i = 0; i < ceilings.size(); ++i) {
    EXPECT_LE(longest[i].count(), ceilings[i]) << "try " << i;
    EXPECT_GT(longest[i].count(), ceilings[i] * 95 / 100) << "try " << i;
  }
}

TEST(Backoff, GrowsAndStaysAboveAsAsked) {
  Random random(7);
  const Backoff::Limits limits{milliseconds{90}, milliseconds{1000}, 150, 33};
  const std::vector<std::pair<int, int>> ranges{{29, 90}, {44, 135}, {66, 202}, {99, 303}, {149, 454}};
  const auto longest = longest_waits(limits, ranges.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) EXPECT_NEAR(longest[i].count(), ranges[i].second, 6) << i;
  for (int run = 0; run < 2000; ++run) {
    Backoff backoff(limits, random);
    for (const auto& [least, most] : ranges) {
      const auto wait = backoff.next().count();
      EXPECT_GE(wait, least);
      EXPECT_LE(wait, most);
    }
  }
}

TEST(Backoff, UsesTheWholeRangeFromZero) {
  Random random(2);
  milliseconds shortest{1000};
  for (int run = 0; run < 2000; ++run) {
    Backoff backoff({milliseconds{1000}, milliseconds{1000}}, random);
    shortest = std::min(shortest, backoff.next());
  }
  EXPECT_LT(shortest.count(), 20);
}

TEST(Backoff, IsNeverShorterThanTheServerAskedFor) {
  Random random(3);
  Backoff backoff({milliseconds{250}, milliseconds{30'000}}, random);
  for (int i = 0; i < 100; ++i) EXPECT_GE(backoff.next(milliseconds{60'000}), milliseconds{60'000});
}

TEST(Backoff, DoesNotOverflowAfterManyFailures) {
  Random random(4);
  Backoff backoff({milliseconds{250}, milliseconds{30'000}}, random);
  for (int i = 0; i < 10'000; ++i) {
    const auto wait = backoff.next();
    ASSERT_GE(wait.count(), 0);
    ASSERT_LE(wait.count(), 30'000);
  }
  EXPECT_EQ(backoff.failures(), 10'000U);
}

TEST(Backoff, StartsSmallAgainAfterASuccess) {
  Random random(5);
  Backoff backoff({milliseconds{10}, milliseconds{30'000}}, random);
  for (int i = 0; i < 20; ++i) (void)backoff.next();
  backoff.reset();
  EXPECT_EQ(backoff.failures(), 0U);
  EXPECT_LE(backoff.next(), milliseconds{10});
}

TEST(Backoff, OfZeroIsAlwaysZero) {
  Random random(6);
  Backoff backoff({milliseconds{0}, milliseconds{0}}, random);
  EXPECT_EQ(backoff.next(), milliseconds{0});
  EXPECT_EQ(backoff.next(), milliseconds{0});
}

}  // namespace
}  // namespace adit::base
