#include "gateway/failure_limiter.h"

#include <gtest/gtest.h>

namespace adit::gateway {
namespace {

using std::chrono::seconds;

class FailureLimiterTest : public ::testing::Test {
 protected:
  void fail(const std::string& address, int times) {
    for (int i = 0; i < times; ++i) limiter.failed(address, now);
  }
  FailureLimiter limiter;
  base::TimePoint now{seconds(1000)};
};

TEST_F(FailureLimiterTest, AFewFailuresAreForgiven) {
  fail("192.0.2.1", 29);
  EXPECT_TRUE(limiter.allows("192.0.2.1", now));
  fail("192.0.2.1", 1);
  EXPECT_FALSE(limiter.allows("192.0.2.1", now));
}

TEST_F(FailureLimiterTest, EachAddressCountsForItself) {
  fail("192.0.2.1", 100);
  EXPECT_TRUE(limiter.allows("192.0.2.2", now));
}

TEST_F(FailureLimiterTest, OneMoreTryASecond) {
  fail("192.0.2.1", 30);
  EXPECT_FALSE(limiter.allows("192.0.2.1", now + std::chrono::milliseconds(900)));
  EXPECT_TRUE(limiter.allows("192.0.2.1", now + seconds(1)));
  now += seconds(1);
  fail("192.0.2.1", 1);
  EXPECT_FALSE(limiter.allows("192.0.2.1", now));
}

TEST_F(FailureLimiterTest, ManyAddressesTakeBoundedMemoryAndSpareTheOthers) {
  for (std::size_t i = 0; i < 3 * FailureLimiter::kMostAddresses; ++i) limiter.failed(std::to_string(i), now);
  EXPECT_TRUE(limiter.allows("192.0.2.1", now));
}

}  // namespace
}  // namespace adit::gateway
