// The pure rules: how windows grow, when a silent link is doubted.

#include <gtest/gtest.h>

#include "link/liveness.h"
#include "link/send_pace.h"
#include "link/window.h"

namespace adit::link {
namespace {

using namespace std::chrono_literals;
using Action = Liveness::Action;

constexpr base::TimePoint kNow{std::chrono::hours(1)};

TEST(Window, FollowsTheTimeInWhichHalfOfItIsDrained) {
  struct Case {
    const char* what;
    std::size_t consumed;
    base::Duration took;
    base::Duration round_trip;
    std::uint32_t most;
    std::int64_t change;
  };
  // Its first size is 1000, at present it has 4000.
  const Case cases[] = {
      {"in one and a half round trips", 2000, 150ms, 100ms, 32000, 4000},
      {"in half of a long one", 2000, 50ms, 100ms, 32000, 12000},
      {"in half of a short one", 2000, 1ms, 9ms, 32000, 4000},
      {"in more", 2000, 151ms, 100ms, 32000, 0},
      {"not half of it", 1999, 1ms, 100ms, 32000, 0},
      {"round trip not known", 2000, 1500us, 0ms, 32000, 4000},
      {"round trip not known, slow", 2000, 2ms, 0ms, 32000, 0},
      {"on one host", 2000, 1500us, 10us, 32000, 4000},
      {"up to the most", 2000, 1ms, 1ms, 4500, 500},
      {"at the most", 2000, 1ms, 1ms, 4000, 0},
      {"in eight round trips", 2000, 800ms, 100ms, 32000, 0},
      {"in more than eight", 2000, 801ms, 100ms, 32000, -2000},
      {"a short moment is never slow", 2000, 250ms, 1ms, 32000, 0},
      {"longer than that", 2000, 251ms, 1ms, 32000, -2000},
  };
  for (const auto& c : cases) {
    Window window(1000, kNow);
    window.resize(3000);
    window.on_consumed(c.consumed);
    EXPECT_EQ(window.advice(kNow + c.took, c.round_trip, c.most), c.change) << c.what;
    EXPECT_EQ(window.size(), 4000U) << "nothing changes before it is granted: " << c.what;
  }
}

TEST(Window, NeverShrinksBelowItsFirstSize) {
  Window window(1000, kNow);
  window.resize(500);
  window.on_consumed(1000);
  EXPECT_EQ(window.advice(kNow + 1h, 1ms, 8000), -500);
  window.resize(-500);
  window.on_consumed(1000);
  EXPECT_EQ(window.advice(kNow + 2h, 1ms, 8000), 0);
  EXPECT_EQ(window.grown(), 0U);
}

TEST(Window, MeasuresAnewAfterEachHalf) {
  Window window(1000, kNow);
  window.on_consumed(500);
  EXPECT_EQ(window.advice(kNow + 1h, 1ms, 8000), 0);
  window.on_consumed(500);
  EXPECT_EQ(window.advice(kNow + 1h + 1ms, 1ms, 8000), 1000);
  window.resize(1000);
  window.on_consumed(999);
  EXPECT_EQ(window.advice(kNow + 1h + 2ms, 1ms, 8000), 0) << "half of the larger window must be drained now";
  window.on_consumed(1);
  EXPECT_EQ(window.advice(kNow + 1h + 2ms, 1ms, 8000), 2000);
}

TEST(Window, IsIdleWhenItIsNotDrained) {
  Window window(1000, kNow);
  EXPECT_FALSE(window.is_idle(kNow + 2s, 10ms));
  EXPECT_TRUE(window.is_idle(kNow + 2s + 1ns, 10ms));
  EXPECT_FALSE(window.is_idle(kNow + 10s, 1s)) << "a few round trips are not idle";
  window.on_consumed(500);
  (void)window.advice(kNow + 3s, 10ms, 8000);
  EXPECT_FALSE(window.is_idle(kNow + 4s, 10ms));
}

TEST(SendPace, TakesLessOnASlowNetworkAndMoreOnAFastOne) {
  struct Case {
    const char* what;
    base::Duration each;
    std::size_t batch;
  };
  const Case cases[] = {
      {"fast", 100us, SendPace::kMost},
      {"as wanted", 4ms, SendPace::kMost},
      {"slow", 12ms, SendPace::kLeast},
  };
  for (const auto& c : cases) {
    SendPace pace;
    auto now = kNow;
    for (int i = 0; i < 20; ++i) pace.on_batch(now += c.each, true);
    EXPECT_EQ(pace.batch(), c.batch) << c.what;
    for (int i = 0; i < 20; ++i) pace.on_batch(now += 100us, true);
    EXPECT_EQ(pace.batch(), SendPace::kMost) << c.what << ", then fast";
  }
}

TEST(SendPace, ABatchThatWasNotWholeTellsNothing) {
  SendPace pace;
  EXPECT_FALSE(pace.on_batch(kNow, true)) << "the first has none before it";
  EXPECT_TRUE(pace.on_batch(kNow + 1s, false)) << "a second for a whole one";
  EXPECT_FALSE(pace.on_batch(kNow + 2s, true)) << "there was nothing to send";
  EXPECT_EQ(pace.batch(), SendPace::kMost / 2);
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

TEST_F(LivenessTest, IsAskedAtOnceWhenAnotherOfTheSamePeerIsSuspect) {
  EXPECT_FALSE(liveness.ask(kNow + 1s - 1ns)) << "it was heard just now";
  EXPECT_TRUE(liveness.ask(kNow + 1s));
  EXPECT_FALSE(liveness.ask(kNow + 1s)) << "it is asked already";
  EXPECT_EQ(liveness.on_time(kNow + 2s), Action::suspect);
  EXPECT_FALSE(liveness.ask(kNow + 3s)) << "its time runs already";
  EXPECT_TRUE(liveness.on_received(kNow + 3s));
}

TEST_F(LivenessTest, ProgramThatSleptAsksBeforeItGivesUp) {
  EXPECT_EQ(liveness.on_time(kNow + 1h), Action::ping);
  EXPECT_EQ(liveness.on_time(kNow + 1h), Action::none);
  EXPECT_EQ(liveness.deadline(), kNow + 1h + 1s);
}

}  // namespace
}  // namespace adit::link
