#include "connector/failure_filter.h"

#include <gtest/gtest.h>

namespace adit::connector::test {
namespace {

using namespace std::chrono_literals;
using Passed = std::optional<unsigned>;

TEST(FailureFilter, PassesTheFirstAndOneInAWhile) {
  FailureFilter filter;
  const base::TimePoint start{1h};
  EXPECT_EQ(filter.pass("refused", start), Passed(0));
  EXPECT_EQ(filter.pass("refused", start + 1s), std::nullopt);
  EXPECT_EQ(filter.pass("refused", start + 29s), std::nullopt);
  EXPECT_EQ(filter.pass("refused", start + 30s), Passed(2));
  EXPECT_EQ(filter.pass("refused", start + 31s), std::nullopt);
  EXPECT_EQ(filter.pass("refused", start + 60s), Passed(1));
}

TEST(FailureFilter, ChangeIsNews) {
  FailureFilter filter;
  const base::TimePoint start{1h};
  EXPECT_EQ(filter.pass("refused", start), Passed(0));
  EXPECT_EQ(filter.pass("refused", start), std::nullopt);
  EXPECT_EQ(filter.pass("timed out", start), Passed(0));
  EXPECT_EQ(filter.pass("refused", start), Passed(0));
}

TEST(FailureFilter, AfterASuccessTheNextIsNews) {
  FailureFilter filter;
  const base::TimePoint start{1h};
  EXPECT_EQ(filter.pass("refused", start), Passed(0));
  filter.reset();
  EXPECT_EQ(filter.pass("refused", start + 1s), Passed(0));
}

}  // namespace
}  // namespace adit::connector::test
