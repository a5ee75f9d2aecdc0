// The rules by which a request gets its link, its further attempts, and connectors a rest. No sockets.

#include "gateway/link_choice.h"

#include <vector>

#include <gtest/gtest.h>

#include "gateway/ejections.h"
#include "gateway/retry_budget.h"
#include "gateway/retry_rules.h"

namespace adit::gateway::test {
namespace {

using namespace std::chrono_literals;
using base::TimePoint;

const TimePoint kStart{1h};

LinkStanding standing(std::uint32_t requests, base::Duration age = 1h) { return {false, false, false, requests, age}; }

struct Pair {
  const char* what;
  LinkStanding better;
  LinkStanding worse;
};
const Pair kPairs[] = {
    {"fewer requests", standing(3), standing(4)},
    {"one that is not ejected", standing(90), {false, false, true, 0, 1h}},
    {"ejected before down", {false, false, true, 9, 1h}, {false, true, false, 0, 1h}},
    {"down before down and ejected", {false, true, false, 9, 1h}, {false, true, true, 0, 1h}},
    {"anything before suspect", {false, true, true, 9, 1h}, {true, false, false, 0, 1h}},
    {"an old one with few requests before a new one", standing(8), standing(0, 0s)},
    {"a new one before an old one with many", standing(0, 0s), standing(10)},
    {"a new one in trouble after a new one", standing(9, 0s), {false, true, false, 0, 1h}},
};

TEST(LinkChoice, Order) {
  for (const auto& test : kPairs) EXPECT_LT(rank_of(test.better), rank_of(test.worse)) << test.what;
  EXPECT_EQ(rank_of(standing(2, 3s)), rank_of(standing(2, 3900ms))) << "those that came together are equals";
  EXPECT_EQ(rank_of(standing(2, 10s)), rank_of(standing(2, 9s)));
}

using Standings = std::vector<std::optional<LinkStanding>>;

std::optional<std::size_t> choose(const Standings& links, std::size_t turn = 0) {
  const auto choice = choose_link(links, turn, [](const auto& standing) { return standing; });
  return choice ? std::optional(choice->index) : std::nullopt;
}

TEST(LinkChoice, OfWhatCanBeChosen) {
  EXPECT_EQ(choose({}), std::nullopt);
  EXPECT_EQ(choose({std::nullopt, std::nullopt}), std::nullopt);
  EXPECT_EQ(choose({std::nullopt, standing(7)}), 1U);
  EXPECT_EQ(choose({standing(7, 0s)}), 0U) << "a new link serves where it is the only one";
  EXPECT_EQ(choose({LinkStanding{true, true, true, 7, 0s}}), 0U);
}

TEST(LinkChoice, EqualsTakeTurns) {
  std::vector<int> chosen(3);
  for (std::size_t turn = 0; turn < 30; ++turn) ++chosen[*choose({standing(1), standing(1), standing(1)}, turn)];
  EXPECT_EQ(chosen, (std::vector<int>{10, 10, 10}));
}

/// Requests that stay, one after the other, on an old link and one of that age.
std::pair<std::uint32_t, std::uint32_t> place(std::uint32_t requests, base::Duration age) {
  Standings links = {standing(0), standing(0, age)};
  for (std::uint32_t i = 0; i < requests; ++i) ++links[*choose(links, i)]->requests;
  return {links[0]->requests, links[1]->requests};
}

TEST(LinkChoice, SlowStart) {
  EXPECT_EQ(place(110, 0s), std::pair(100U, 10U));
  EXPECT_EQ(place(110, 1s).second, 18U);
  EXPECT_EQ(place(150, 4s), std::pair(100U, 50U));
  EXPECT_EQ(place(110, 10s), std::pair(55U, 55U));
}

TEST(Ejections, GrowWhileFailuresGoOn) {
  Ejections ejections;
  EXPECT_TRUE(ejections.empty());
  TimePoint now = kStart;
  for (const base::Duration time : std::vector<base::Duration>{500ms, 1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    EXPECT_FALSE(ejections.contains(7, now));
    EXPECT_EQ(ejections.failed(7, now), time);
    EXPECT_TRUE(ejections.contains(7, now));
    EXPECT_FALSE(ejections.contains(8, now));
    EXPECT_EQ(ejections.failed(7, now + time - 1ms), 0s) << "a dial that was under way";
    now += time;
  }
  ejections.succeeded(7);
  EXPECT_TRUE(ejections.empty());
  EXPECT_EQ(ejections.failed(7, now), 500ms);
}

TEST(Ejections, AreForgotten) {
  Ejections ejections;
  ejections.failed(7, kStart);
  ejections.forget_old(kStart + 1min);
  EXPECT_EQ(ejections.failed(7, kStart + 1min), 1s) << "in a row";
  ejections.forget_old(kStart + 1min + 1s + 1min);
  EXPECT_FALSE(ejections.empty());
  ejections.forget_old(kStart + 1min + 1s + 1min + 1ms);
  EXPECT_TRUE(ejections.empty());
}

TEST(Ejections, AreBounded) {
  Ejections ejections;
  for (std::uint64_t connector = 0; connector < Ejections::kMostKept + 10; ++connector) {
    ejections.failed(connector, kStart + connector * 1ms);
  }
  const auto now = kStart + 300ms;
  EXPECT_FALSE(ejections.contains(9, now)) << "its time is up first";
  EXPECT_TRUE(ejections.contains(10, now));
  EXPECT_TRUE(ejections.contains(Ejections::kMostKept + 9, now));
}

unsigned take_all(RetryBudget& budget, TimePoint now) {
  unsigned taken = 0;
  while (budget.take(now)) ++taken;
  return taken;
}

TEST(RetryBudget, IsATenthOfTheRequests) {
  RetryBudget budget(kStart);
  EXPECT_EQ(take_all(budget, kStart), 10U);
  for (int i = 0; i < 9; ++i) budget.on_request();
  EXPECT_FALSE(budget.take(kStart));
  budget.on_request();
  EXPECT_EQ(take_all(budget, kStart), 1U);
  for (int i = 0; i < 500; ++i) budget.on_request();
  EXPECT_EQ(take_all(budget, kStart), 50U);
  for (int i = 0; i < 100'000; ++i) budget.on_request();
  EXPECT_EQ(take_all(budget, kStart), 100U) << "a long quiet time saves up no storm";
}

TEST(RetryBudget, HasAFloorForTheQuiet) {
  RetryBudget budget(kStart);
  take_all(budget, kStart);
  EXPECT_FALSE(budget.has(kStart + 999ms));
  EXPECT_TRUE(budget.take(kStart + 1s));
  EXPECT_EQ(take_all(budget, kStart + 4s), 3U);
  EXPECT_EQ(take_all(budget, kStart + 24h), 10U);
  EXPECT_FALSE(budget.take(kStart)) << "time does not go back";
}

struct Rule {
  AttemptEnd end;
  AttemptsMade made;  ///< attempts, left, repeatable, repeated, answer_begun
  Retry retry;
};
const Rule kRules[] = {
    {AttemptEnd::link_lost, {1}, Retry::free},
    {AttemptEnd::refused, {2}, Retry::free},
    {AttemptEnd::link_lost, {3}, Retry::none},
    {AttemptEnd::unreachable, {1}, Retry::budgeted},
    {AttemptEnd::unreachable, {3}, Retry::none},
    {AttemptEnd::timed_out, {1}, Retry::none},
    {AttemptEnd::stream_lost, {1}, Retry::budgeted},
    {AttemptEnd::link_lost, {1, true}, Retry::none},
    {AttemptEnd::stream_lost, {1, true}, Retry::none},
    {AttemptEnd::link_lost, {1, true, true}, Retry::budgeted},
    {AttemptEnd::stream_lost, {1, true, true}, Retry::budgeted},
    {AttemptEnd::link_lost, {2, true, true, true}, Retry::none},
    {AttemptEnd::link_lost, {2, false, true, true}, Retry::free},
    {AttemptEnd::link_lost, {1, true, true, false, true}, Retry::none},
    {AttemptEnd::refused, {1, false, true, false, true}, Retry::none},
};

TEST(RetryRules, Table) {
  for (const auto& rule : kRules) {
    EXPECT_EQ(retry_of(rule.end, rule.made), rule.retry) << "line " << &rule - std::begin(kRules);
  }
}

}  // namespace
}  // namespace adit::gateway::test
