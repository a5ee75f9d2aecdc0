#include "gateway/pace.h"

#include <gtest/gtest.h>

namespace adit::gateway {
namespace {

using std::chrono::seconds;

const base::TimePoint kStart{seconds(1000)};
constexpr PaceLimits kLimits{seconds(60), seconds(5), 100};

Pace waiting(const PaceLimits& limits = kLimits) {
  Pace pace;
  pace.begin(limits);
  pace.wait(kStart);
  return pace;
}

TEST(PaceTest, NothingIsOwedBeforeItIsThePeersTurn) {
  Pace pace;
  EXPECT_EQ(pace.deadline(kLimits), base::kNever);
  pace.begin(kLimits);
  EXPECT_EQ(pace.deadline(kLimits), base::kNever);
}

TEST(PaceTest, TheGraceThenTheRate) {
  auto pace = waiting();
  EXPECT_EQ(pace.deadline(kLimits), kStart + seconds(5));
  pace.moved(kLimits, kStart + seconds(4), 1000);  // worth ten seconds
  EXPECT_EQ(pace.deadline(kLimits), kStart + seconds(15));
  pace.moved(kLimits, kStart + seconds(10), 0);
  EXPECT_EQ(pace.deadline(kLimits), kStart + seconds(15)) << "nothing earns nothing";
}

TEST(PaceTest, ATrickleIsCutHoweverMuchCameBefore) {
  auto pace = waiting();
  pace.moved(kLimits, kStart, std::size_t{1} << 40);
  auto now = kStart;
  while (pace.deadline(kLimits) > now && now < kStart + seconds(1000)) {
    now += seconds(1);
    pace.moved(kLimits, now, 1);
  }
  EXPECT_LE(now, kStart + seconds(62));
}

TEST(PaceTest, JustTheRateGoesOnForEver) {
  auto pace = waiting();
  auto now = kStart;
  for (int i = 0; i < 10'000; ++i) {
    now += seconds(1);
    pace.moved(kLimits, now, 100);
    ASSERT_GT(pace.deadline(kLimits), now);
  }
}

TEST(PaceTest, AStall) {
  auto pace = waiting();
  pace.moved(kLimits, kStart, 1'000'000);
  EXPECT_EQ(pace.deadline(kLimits), kStart + seconds(60));
  constexpr PaceLimits kAnyRate{seconds(60), seconds(5), 0};
  auto idle = waiting(kAnyRate);
  EXPECT_EQ(idle.deadline(kAnyRate), kStart + seconds(60));
  idle.moved(kAnyRate, kStart + seconds(50), 1);
  EXPECT_EQ(idle.deadline(kAnyRate), kStart + seconds(110));
}

TEST(PaceTest, OurOwnTurnsDoNotCount) {
  auto pace = waiting();
  pace.pause(kStart + seconds(3));
  EXPECT_EQ(pace.deadline(kLimits), base::kNever);
  pace.wait(kStart + seconds(100));
  EXPECT_EQ(pace.deadline(kLimits), kStart + seconds(102)) << "two seconds of the grace are left";
  pace.wait(kStart + seconds(101));
  EXPECT_EQ(pace.deadline(kLimits), kStart + seconds(102)) << "its turn has not begun anew";
}

}  // namespace
}  // namespace adit::gateway
