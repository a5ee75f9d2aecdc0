// The pure rules: how windows grow, when a silent link is doubted.

#include <gtest/gtest.h>

#include "link/liveness.h"
#include "link/window.h"

namespace adit::link {
namespace {

using namespace std::chrono_literals;
using Action = Liveness::Action;

constexpr base::TimePoint kNow{std::chrono::hours(1)};

TEST(Window, GrowsOnlyWhenDrainedWithinTwoRoundTrips) {
  struct Case {
    const char* what;
    std::size_t consumed;
    base::Duration took;
    base::Duration round_trip;
    std::uint32_t most;
    std::uint64_t budget;
    std::uint32_t by;
  };
  const Case cases[] = {
      {"in one round trip", 1000, 100ms, 100ms, 8000, 8000, 1000},
      {"in two", 1000, 200ms, 100ms, 8000, 8000, 1000},
      {"in more", 1000, 201ms, 100ms, 8000, 8000, 0},
      {"not all of it", 999, 1ms, 100ms, 8000, 8000, 0},
      {"round trip not known", 1000, 2ms, 0ms, 8000, 8000, 1000},
      {"round trip not known, slow", 1000, 3ms, 0ms, 8000, 8000, 0},
      {"on one host", 1000, 2ms, 10us, 8000, 8000, 1000},
      {"up to the most", 1000, 1ms, 1ms, 1500, 8000, 500},
      {"at the most", 1000, 1ms, 1ms, 1000, 8000, 0},
      {"within the budget", 1000, 1ms, 1ms, 8000, 300, 300},
      {"budget used up", 1000, 1ms, 1ms, 8000, 0, 0},
  };
  for (const auto& c : cases) {
    Window window(1000, kNow);
    window.on_consumed(c.consumed);
    EXPECT_EQ(window.grow(kNow + c.took, c.round_trip, c.most, c.budget), c.by) << c.what;
    EXPECT_EQ(window.size(), 1000 + c.by) << c.what;
    EXPECT_EQ(window.grown(), c.by) << c.what;
  }
}

TEST(Window, MeasuresAnewAfterASlowOne) {
  Window window(1000, kNow);
  window.on_consumed(1000);
  EXPECT_EQ(window.grow(kNow + 1h, 1ms, 8000, 8000), 0U);
  window.on_consumed(1000);
  EXPECT_EQ(window.grow(kNow + 1h + 1ms, 1ms, 8000, 8000), 1000U);
  window.on_consumed(1999);
  EXPECT_EQ(window.grow(kNow + 1h + 2ms, 1ms, 8000, 8000), 0U) << "the larger window must be drained now";
  window.on_consumed(1);
  EXPECT_EQ(window.grow(kNow + 1h + 2ms, 1ms, 8000, 8000), 2000U);
}

struct LivenessTest : testing::Test {
  Liveness liveness{{5s, 1s, 2s}, kNow};
};

TEST_F(LivenessTest, StepsFromPingToDeath) {
  EXPECT_EQ(liveness.deadline(), kNow + 5s);
  EXPECT_EQ(liveness.on_time(kNow + 5s - 1ns), Action::none);
  EXPECT_EQ(liveness.on_time(kNow + 5s), Action::ping);
  EXPECT_EQ(liveness.deadline(), kNow + 6s);
  EXPECT_EQ(liveness.on_time(kNow + 6s), Action::suspect);
  EXPECT_TRUE(liveness.is_suspect());
  EXPECT_EQ(liveness.deadline(), kNow + 8s);
  EXPECT_EQ(liveness.on_time(kNow + 8s), Action::dead);
  EXPECT_EQ(liveness.deadline(), base::kNever);
  EXPECT_EQ(liveness.on_time(kNow + 9s), Action::none);
}

TEST_F(LivenessTest, AnyByteIsLife) {
  EXPECT_FALSE(liveness.on_received(kNow + 4s));
  EXPECT_EQ(liveness.deadline(), kNow + 9s);
  liveness.on_time(kNow + 9s);
  EXPECT_FALSE(liveness.on_received(kNow + 10s)) << "asked, but not suspect";
  EXPECT_EQ(liveness.deadline(), kNow + 15s);
  EXPECT_TRUE(liveness.suspect(kNow + 11s));
  EXPECT_FALSE(liveness.suspect(kNow + 12s)) << "its time runs already";
  EXPECT_EQ(liveness.deadline(), kNow + 13s);
  EXPECT_TRUE(liveness.on_received(kNow + 13s));
  EXPECT_FALSE(liveness.is_suspect());
}

TEST_F(LivenessTest, ProgramThatSleptAsksBeforeItGivesUp) {
  EXPECT_EQ(liveness.on_time(kNow + 1h), Action::ping);
  EXPECT_EQ(liveness.on_time(kNow + 1h), Action::none);
  EXPECT_EQ(liveness.deadline(), kNow + 1h + 1s);
}

}  // namespace
}  // namespace adit::link
