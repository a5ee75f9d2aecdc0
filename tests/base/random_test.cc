#include "base/random.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace adit::base {
namespace {

static_assert(std::uniform_random_bit_generator<Random>);

TEST(Random, RepeatsItselfForTheSameSeed) {
  Random first(7);
  Random second(7);
  Random other(8);
  const auto number = first();
  EXPECT_EQ(number, second());
  EXPECT_NE(number, other());
}

TEST(Random, SeededByTheKernelDiffersEachTime) {
  Random first;
  Random second;
  EXPECT_NE(first(), second());
}

TEST(Random, UpToReachesBothEndsAndNothingElse) {
  Random random(1);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.up_to(5));
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5}));
}

TEST(Random, UpToTakesTheGreatestAndTheLeastBound) {
  Random random(1);
  EXPECT_EQ(random.up_to(0), 0U);
  EXPECT_GT(random.up_to(Random::max()), std::uint64_t{1} << 32U);
}

TEST(RandomId, IsThirtyTwoHexDigitsAndNew) {
  Random random;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto id = random_id(random);
    const std::string text(id.begin(), id.end());
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos) << text;
    seen.insert(text);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace adit::base
