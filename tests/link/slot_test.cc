#include "link/slot.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace adit::link {
namespace {

using namespace std::chrono_literals;
using Action = Slot::Action;
using State = Slot::State;

constexpr base::TimePoint kNow{std::chrono::hours(1)};

struct Fixture : testing::Test {
  base::Random random{7};
  Slot slot{{}, random};
};
using SlotTest = Fixture;

TEST_F(SlotTest, DialsAtOnce) {
  EXPECT_EQ(slot.start(), Action::dial);
  EXPECT_EQ(slot.state(), State::dialing);
  EXPECT_EQ(slot.deadline(), base::kNever);
  EXPECT_EQ(slot.start(), Action::none);
}

TEST_F(SlotTest, WaitsLongerAfterEachFailureUpToTheMost) {
  slot.start();
  auto now = kNow;
  auto ceiling = 250ms;
  for (int i = 0; i < 20; ++i) {
    slot.on_failed(now);
    EXPECT_EQ(slot.state(), State::waiting);
    const auto without = std::max<base::Duration>(now - kNow, Slot::kLongestAtFirst);
    EXPECT_LE(slot.deadline(), now + std::min<base::Duration>(ceiling, without)) << i;
    EXPECT_GE(slot.deadline(), now) << i;
    ceiling = std::min<std::chrono::milliseconds>(2 * ceiling, 30s);
    if (slot.deadline() > now) {
      EXPECT_EQ(slot.on_time(slot.deadline() - 1ns), Action::none);
    }
    now = slot.deadline();
    EXPECT_EQ(slot.on_time(now), Action::dial);
  }
}

/// R1: 2,000 connectors whose gateway is away for five seconds, each dial refused at once.
TEST(SlotStorm, R1_ThoseWhoLostTheirGatewayTogetherComeBackSpread) {
  constexpr int kSlots = 2000;
  constexpr auto kAway = 5s;
  base::Random random{11};
  std::vector<int> in_second(60, 0);
  for (int i = 0; i < kSlots; ++i) {
    Slot slot({}, random);
    slot.start();
    slot.on_up(kNow - 1h);
    slot.on_lost(kNow);
    while (slot.deadline() < kNow + kAway) {
      const auto now = slot.deadline();
      slot.on_time(now);
      slot.on_failed(now);
    }
    ++in_second.at(static_cast<std::size_t>((slot.deadline() - kNow - kAway) / 1s));
  }
  const auto last = std::find_if(in_second.rbegin(), in_second.rend(), [](int count) { return count != 0; }).base();
  const auto seconds = last - in_second.begin();
  EXPECT_LE(seconds, 6) << "no longer than it was away, and one more";
  EXPECT_LT(*std::max_element(in_second.begin(), last) * seconds, 3 * kSlots) << "peak against mean";
}

TEST_F(SlotTest, RetryAfterIsAFloorAndIsCapped) {
  slot.start();
  slot.on_failed(kNow, 10s);
  EXPECT_GE(slot.deadline(), kNow + 10s);
  EXPECT_LE(slot.deadline(), kNow + 20s);
  slot.on_time(slot.deadline());
  slot.on_failed(kNow, 24h);
  EXPECT_LE(slot.deadline(), kNow + Slot::kMostRetryAfter + 30s);
  slot.on_time(slot.deadline());
  slot.on_failed(kNow, -5s);
  EXPECT_GE(slot.deadline(), kNow);
}

TEST_F(SlotTest, AcceptedAndDroppedCountsAsFailure) {
  slot.start();
  for (unsigned i = 1; i <= 10; ++i) {
    slot.on_up(kNow);
    slot.on_lost(kNow + Slot::kSteady - 1ms);
    EXPECT_EQ(slot.failures(), i);
    slot.on_time(slot.deadline());
  }
}

TEST_F(SlotTest, LossOfASteadyLinkStartsSmall) {
  slot.start();
  for (int i = 0; i < 8; ++i) {
    slot.on_failed(kNow);
    slot.on_time(slot.deadline());
  }
  slot.on_up(kNow);
  EXPECT_EQ(slot.state(), State::up);
  const auto lost = kNow + Slot::kSteady;
  slot.on_lost(lost);
  EXPECT_LE(slot.deadline(), lost + 250ms);
}

TEST_F(SlotTest, PeerLeavingBringsAReplacement) {
  slot.start();
  slot.on_up(kNow);
  const auto later = kNow + 1h;
  EXPECT_EQ(slot.on_peer_leaving(later), Action::none) << "the old link finishes its streams";
  EXPECT_LE(slot.deadline(), later + 250ms);
  EXPECT_EQ(slot.on_time(slot.deadline()), Action::dial);
  EXPECT_EQ(slot.on_lost(later), Action::none) << "of the old link";
  EXPECT_EQ(slot.state(), State::dialing);
}

TEST_F(SlotTest, StopEndsWhatIsHeld) {
  EXPECT_EQ(slot.stop(), Action::none);
  slot.start();
  EXPECT_EQ(slot.stop(), Action::close);
  EXPECT_EQ(slot.stop(), Action::none);
  slot.start();
  slot.on_failed(kNow);
  EXPECT_EQ(slot.stop(), Action::none);
  EXPECT_EQ(slot.deadline(), base::kNever);
  EXPECT_EQ(slot.on_time(kNow + 1h), Action::none);
  slot.start();
  slot.on_up(kNow);
  EXPECT_EQ(slot.stop(), Action::close);
  EXPECT_EQ(slot.on_lost(kNow), Action::none);
}

}  // namespace
}  // namespace adit::link
