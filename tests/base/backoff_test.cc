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

TEST(Backoff, SpreadsThoseWhoWereToldToWaitEquallyLong) {
  Random random(7);
  milliseconds longest{0};
  for (int run = 0; run < 2000; ++run) {
    longest = std::max(longest, Backoff({milliseconds{250}, milliseconds{30'000}}, random).next(milliseconds{4'000}));
  }
  EXPECT_GT(longest.count(), 7'800);
  EXPECT_LE(longest.count(), 8'000);
}

TEST(Backoff, ItsJitterCanBeBounded) {
  Random random(8);
  for (int run = 0; run < 2000; ++run) {
    Backoff backoff({milliseconds{250}, milliseconds{30'000}}, random);
    for (int i = 0; i < 10; ++i) EXPECT_LE(backoff.next(milliseconds{0}, milliseconds{1'000}).count(), 1'000);
    EXPECT_LE(backoff.next(milliseconds{5'000}, milliseconds{1'000}).count(), 10'000);
  }
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
