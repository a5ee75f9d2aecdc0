#include "link/coverage.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::link {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

/// A planner whose dials end as the test says.
class CoverageTest : public testing::Test {
 protected:
  void begin(std::size_t addresses = 1, unsigned links = 2, unsigned most = 0) {
    coverage = std::make_unique<Coverage>(
        Coverage::Settings{.links = links, .most_gateways = most, .addresses = addresses, .instance = "me"}, random);
    coverage->start(now);
    take();
  }
  /// Takes the actions: new dials go behind `dials`, and `released` has the numbers of the others.
  void take() {
    for (auto& action : coverage->take_actions()) {
      if (auto* dial = std::get_if<Coverage::Dial>(&action)) {
        dials.push_back(std::move(*dial));
      } else {
        released.push_back(std::get<Coverage::Release>(action).slot);
      }
    }
  }
  /// The oldest dial ends at that gateway; returns its slot, or nothing if it was surplus.
  std::optional<std::uint32_t> up(const std::string& gateway, const DialPath& path = {}) {
    const auto slot = pop().slot;
    const bool kept = coverage->on_up(slot, gateway, path, now);
    take();
    return kept ? std::optional(slot) : std::nullopt;
  }
  void fail(std::chrono::seconds retry_after = 0s) {
    coverage->on_failed(pop().slot, retry_after, {}, now);
    take();
  }
  void say(std::uint32_t slot, std::vector<std::string> ids) {
    coverage->on_gateways(slot, std::move(ids), now);
    take();
  }
  /// Lets time pass; every dial that starts stays open.
  void pass(base::Duration time) {
    const auto until = now + time;
    while (coverage->deadline() <= until) {
      now = std::max(now, coverage->deadline());
      coverage->on_time(now);
      take();
    }
    now = until;
  }
  /// The same, and every dial ends at that gateway after 10 ms; returns how many there were.
  std::size_t pass_with_all_at(const std::string& gateway, base::Duration time) {
    std::size_t count = 0;
    for (const auto until = now + time; now < until;) {
      pass(10ms);
      for (; !dials.empty(); ++count) up(gateway);
    }
    return count;
  }
  Coverage::Dial pop() {
    EXPECT_FALSE(dials.empty()) << "nothing was dialled";
    auto dial = dials.front();
    dials.erase(dials.begin());
    return dial;
  }
  std::vector<std::size_t> addresses() const {
    std::vector<std::size_t> list;
    for (const auto& dial : dials) list.push_back(dial.address);
    return list;
  }

  base::Random random{7};
  base::TimePoint now{1h};
  std::unique_ptr<Coverage> coverage;
  std::vector<Coverage::Dial> dials;
  std::vector<std::uint32_t> released;
};

TEST_F(CoverageTest, FirstLinksAreDialledAtOnceAtEveryAddress) {
  begin(3);
  EXPECT_THAT(addresses(), UnorderedElementsAre(0, 0, 1, 1, 2, 2));
  std::set<std::uint32_t> numbers;
  for (const auto& dial : dials) numbers.insert(dial.slot);
  EXPECT_THAT(numbers, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST_F(CoverageTest, MoreThanIsWantedIsSurplus) {
  begin(2);
  EXPECT_TRUE(up("a"));
  EXPECT_TRUE(up("a"));
  EXPECT_FALSE(up("a"));
  EXPECT_EQ(coverage->surplus(), 1U);
  EXPECT_TRUE(up("b"));
}

TEST_F(CoverageTest, r10_a_gateway_that_is_named_is_dialled_soon) {
  begin();
  const auto link = *up("a");
  up("a");
  say(link, {"a"});
  EXPECT_EQ(coverage->deadline(), base::kNever) << "all is there";
  say(link, {"a", "b"});
  pass(Coverage::kSpread);
  EXPECT_THAT(dials, SizeIs(2));
  EXPECT_TRUE(up("b"));
  EXPECT_TRUE(up("b"));
  EXPECT_EQ(coverage->deadline(), base::kNever);
}

TEST_F(CoverageTest, WhatNobodyNamesIsKeptAndNotExtended) {
  begin();
  const auto link = *up("new");
  say(link, {"other"});
  EXPECT_THAT(coverage->gateways(), SizeIs(2));
  up("other");
  pass(1min);
  while (!dials.empty()) up("other");
  EXPECT_THAT(released, IsEmpty()) << "of slots that hold links";
  EXPECT_EQ(coverage->deadline(), base::kNever);
  EXPECT_EQ(coverage->slots(), 3U) << "one to the new one, two to the other";
}

TEST_F(CoverageTest, r3_a_gateway_that_leaves_is_replaced_at_once_only_if_it_was_the_last) {
  begin();
  const auto one = *up("a");
  const auto two = *up("a");
  say(one, {"a", "b"});
  pass(Coverage::kSpread);
  const auto three = *up("b");
  const auto four = *up("b");
  say(three, {"a", "b"});
  coverage->on_leaving(one, now);
  coverage->on_leaving(two, now);
  take();
  pass(KnownGateways::kLeaving - 1s);
  EXPECT_THAT(dials, IsEmpty()) << "b is there, though it still names a";
  say(three, {"b"});
  pass(1min);
  EXPECT_THAT(dials, IsEmpty());
  coverage->on_leaving(three, now);
  coverage->on_leaving(four, now);
  take();
  pass(500ms);
  EXPECT_THAT(dials, SizeIs(2)) << "no other is left";
}

TEST_F(CoverageTest, AGatewayThatComesBackUnderItsIdIsWantedAgain) {
  begin(2, 1);
  const auto one = *up("a");
  const auto where = dials[0].address;
  const auto two = *up("b");
  say(one, {"a", "b"});
  say(two, {"a", "b"});
  coverage->on_leaving(two, now);
  take();
  pass(KnownGateways::kLeaving + Coverage::kSpread);
  ASSERT_THAT(dials, SizeIs(1)) << "it is still named";
  EXPECT_EQ(dials[0].address, where);
  EXPECT_TRUE(up("b"));
}

TEST_F(CoverageTest, WhenAllIsLostEachIsRedialledAloneWithGrowingWaits) {
  begin();
  const auto one = *up("a");
  const auto two = *up("a");
  say(one, {"a"});
  now += Slot::kSteady;
  coverage->on_lost(one, now);
  coverage->on_lost(two, now);
  take();
  pass(250ms);
  EXPECT_THAT(dials, SizeIs(2));
  EXPECT_EQ(dials[0].slot + dials[1].slot, one + two) << "under their numbers";
  const auto number = dials[0].slot;
  fail(20s);
  EXPECT_GE(coverage->next_dial(number), now + 20s) << "Retry-After";
  EXPECT_TRUE(up("a"));
}

TEST_F(CoverageTest, TheBudgetOfAChangeIsThreeDialsForEachLinkThenItGoesSlowly) {
  begin();
  const auto link = *up("a");
  up("a");
  say(link, {"a", "b"});  // which a balancer never chooses
  const auto soon = pass_with_all_at("a", 30s);
  EXPECT_GE(soon, 6U);
  EXPECT_LE(soon, 7U);
  const auto late = pass_with_all_at("a", 20min);
  EXPECT_GE(late, 25U) << "one in 30 s, about";
  EXPECT_LE(late, 60U);
  say(link, {"a", "c"});
  EXPECT_EQ(pass_with_all_at("a", 30s), 6U) << "a change, and its budget";
  say(link, {"a"});
  EXPECT_EQ(pass_with_all_at("a", 10min), 0U);
}

TEST_F(CoverageTest, DialsThatFailDoNotUseUpTheBudget) {
  begin(2, 1);
  const auto link = *up("a");
  say(link, {"a", "b"});
  for (int i = 0; i < 50; ++i) {
    while (!dials.empty()) fail();
    pass(30s);
  }
  EXPECT_THAT(dials, SizeIs(1));
  EXPECT_TRUE(up("b"));
}

TEST_F(CoverageTest, ALineThatNamesAThousandCostsLittle) {
  begin();
  const auto link = *up("a");
  std::vector<std::string> ids{"a"};
  for (int i = 0; i < 999; ++i) ids.push_back("x" + std::to_string(i));
  say(link, ids);
  EXPECT_LE(coverage->slots(), 300U);
  pass_with_all_at("a", 1min);
  EXPECT_LE(pass_with_all_at("a", 1min), 30U) << "the budget is used up";
  say(link, {"a"});
  EXPECT_LE(coverage->slots(), 2U);
}

TEST_F(CoverageTest, AddressesAtWhichACoveredGatewayWasMetAreAvoided) {
  begin();
  const auto link = *up("a", {{"1", "2"}, {"1"}});
  up("a", {{"1", "2"}, {"1"}});
  say(link, {"a", "b"});
  pass(Coverage::kSpread);
  ASSERT_THAT(dials, SizeIs(2));
  EXPECT_THAT(dials[0].avoid, ElementsAre("1"));
  up("b", {{"1", "2"}, {"2"}});
  const auto last = *up("b", {{"1", "2"}, {"2"}});
  coverage->on_lost(last, now);
  take();
  pass(250ms);
  EXPECT_THAT(pop().avoid, ElementsAre("1")) << "b's address is where to go";
}

TEST_F(CoverageTest, EveryAddressOfANameIsLookedInto) {
  begin(1, 1);
  const auto one = *up("a", {{"1", "2", "3"}, {"1"}});
  say(one, {"a"});
  pass(Coverage::kSpread);
  ASSERT_THAT(dials, SizeIs(2));
  EXPECT_THAT(dials[0].avoid, ElementsAre("1"));
  EXPECT_TRUE(up("b", {{"1", "2", "3"}, {"2"}}));
  EXPECT_FALSE(up("b", {{"1", "2", "3"}, {"3"}}));
  pass(10min);
  EXPECT_THAT(dials, IsEmpty());
}

TEST_F(CoverageTest, ALimitKeepsOthersOnlyUntilTheChosenAreThere) {
  const GatewayIds ids{"a", "b", "c", "d"};
  const auto chosen = *nearest("me", ids, 1).begin();
  const auto other = chosen == "a" ? "b" : "a";
  begin(1, 1, 1);
  const auto first = *up(other);
  say(first, {"a", "b", "c", "d"});
  EXPECT_THAT(released, IsEmpty());
  pass(Coverage::kSpread);
  ASSERT_THAT(dials, SizeIs(1));
  EXPECT_TRUE(up(chosen));
  EXPECT_THAT(released, ElementsAre(first));
  EXPECT_EQ(coverage->slots(), 1U);
}

TEST_F(CoverageTest, NumbersComeBackLate) {
  begin(1, 1);
  auto held = *up("a");
  std::set<std::uint32_t> seen{held};
  for (int i = 0; i < 200; ++i) {
    say(held, {"a", "b"});
    pass(Coverage::kSpread);
    const auto number = pop().slot;
    EXPECT_TRUE(seen.insert(number).second) << number;
    coverage->on_failed(number, 0s, {}, now);
    say(held, {"a"});
    EXPECT_THAT(released, ElementsAre(number));
    released.clear();
    EXPECT_FALSE(coverage->on_up(number, "b", {}, now)) << "it is no more";
  }
}

TEST_F(CoverageTest, StoppedItDoesNothing) {
  begin();
  const auto link = *up("a");
  coverage->stop();
  coverage->on_lost(link, now);
  coverage->on_gateways(link, {"x"}, now);
  coverage->on_time(now + 1h);
  EXPECT_FALSE(coverage->on_up(pop().slot, "b", {}, now));
  EXPECT_THAT(coverage->take_actions(), IsEmpty());
  EXPECT_EQ(coverage->deadline(), base::kNever);
}

}  // namespace
}  // namespace adit::link
