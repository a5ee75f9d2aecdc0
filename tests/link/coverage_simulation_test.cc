#include "tests/link/coverage_simulation.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "link/coverage.h"

namespace adit::link::test {
namespace {

constexpr unsigned kLinks = 4;

struct Case {
  const char* name;
  Front front;
};
constexpr Case kFronts[] = {{"random", Front::random},
                            {"round robin", Front::round_robin},
                            {"least connections", Front::least_connections},
                            {"one name", Front::name},
                            {"addresses", Front::addresses}};

Coverage::Settings settings_of(Front front, std::size_t gateways) {
  Coverage::Settings settings;
  settings.links = kLinks;
  settings.addresses = front == Front::addresses ? gateways : 1;
  return settings;
}

/// 20 connectors and `gateways` gateways, "0", "1" and so on, all covered.
std::unique_ptr<Simulation> started(const Case& one, std::size_t gateways, std::size_t addresses) {
  auto simulation = std::make_unique<Simulation>(one.front, 20, settings_of(one.front, addresses));
  for (std::size_t i = 0; i < gateways; ++i) simulation->fleet.add(std::to_string(i));
  simulation->start();
  simulation->run(600s);
  return simulation;
}

TEST(Coverage, r10_everything_is_covered_after_a_start_with_few_dials) {
  for (const auto& one : kFronts) {
    for (const std::size_t gateways : {1, 2, 3, 6}) {
      Simulation simulation(one.front, 20, settings_of(one.front, gateways));
      for (std::size_t i = 0; i < gateways; ++i) simulation.fleet.add(std::to_string(i));
      simulation.start();
      simulation.run(10s);
      const auto needed = 20 * kLinks * gateways;
      EXPECT_LE(simulation.dials(), 3 * needed) << one.name << ", " << gateways;
      EXPECT_LE(simulation.wrong(kLinks), needed / 25) << one.name << ", " << gateways;
      simulation.run(600s);
      EXPECT_EQ(simulation.wrong(kLinks), 0U) << one.name << ", " << gateways;
      const auto settled = simulation.dials();
      simulation.run(600s);
      EXPECT_EQ(simulation.dials(), settled) << one.name << ", " << gateways;
    }
  }
}

TEST(Coverage, r10_a_new_gateway_is_covered_with_few_dials) {
  for (const auto& one : kFronts) {
    if (one.front == Front::addresses) continue;  // which has no address for it
    auto simulation = started(one, 2, 2);
    const auto before = simulation->dials();
    simulation->fleet.add("new");
    simulation->hear();
    simulation->run(10s);
    const auto needed = 20 * kLinks;
    std::size_t uncovered = 0;
    EXPECT_LE(simulation->dials() - before, 3U * needed) << one.name;
    for (const auto& dialer : simulation->dialers) uncovered += dialer->held("new") == 0 ? 1 : 0;
    EXPECT_LE(uncovered, 1U) << one.name;
    simulation->run(1800s);
    EXPECT_EQ(simulation->wrong(kLinks), 0U) << one.name;
  }
}

TEST(Coverage, r10_a_gateway_that_vanishes_costs_few_dials_and_none_once_it_is_known) {
  for (const auto& one : kFronts) {
    auto simulation = started(one, 3, 3);
    const auto before = simulation->handshakes();
    simulation->kill("1");
    simulation->run(3s);  // until the others notice
    EXPECT_LE(simulation->handshakes() - before, 20 * 3 * kLinks) << one.name;
    simulation->fleet.get("1").ready = false;
    simulation->hear();
    simulation->run(100ms);
    EXPECT_EQ(simulation->wrong(kLinks), 0U) << one.name;
    const auto known = simulation->handshakes();
    simulation->run(600s);
    EXPECT_EQ(simulation->handshakes(), known) << one.name;
    EXPECT_EQ(simulation->wrong(kLinks), 0U) << one.name;
  }
}

TEST(Coverage, r2_a_rolling_restart_leaves_no_moment_without_a_link) {
  for (const auto& one : kFronts) {
    if (one.front == Front::addresses) continue;
    auto simulation = started(one, 2, 2);
    for (const char* id : {"0", "1"}) {
      const auto before = simulation->dials();
      simulation->leave(id);
      simulation->hear();
      for (int i = 0; i < 100; ++i) {
        simulation->run(20ms);
        for (const auto& dialer : simulation->dialers) ASSERT_FALSE(dialer->links.empty()) << one.name;
      }
      simulation->fleet.add(std::string("next-") + id);
      simulation->hear();
      simulation->run(20s);
      EXPECT_LE(simulation->dials() - before, 20U * 3 * kLinks) << one.name;
    }
    simulation->run(600s);
    EXPECT_EQ(simulation->wrong(kLinks), 0U) << one.name;
  }
}

/// The dials of each second from `from` on.
std::vector<std::size_t> dials_by_second(const Simulation& simulation, base::TimePoint from) {
  std::vector<std::size_t> rate;
  for (const auto& dialer : simulation.dialers) {
    for (const auto at : dialer->dials) {
      if (at < from) continue;
      const auto second = static_cast<std::size_t>((at - from) / 1s);
      if (rate.size() <= second) rate.resize(second + 1);
      ++rate[second];
    }
  }
  return rate;
}

/// Over the time in which so many of a hundred come.
double peak_to_mean(const std::vector<std::size_t>& rate, std::size_t percent) {
  const auto all = std::accumulate(rate.begin(), rate.end(), std::size_t{0});
  std::size_t seconds = 0;
  std::size_t sum = 0;
  while (sum * 100 < all * percent) sum += rate[seconds++];
  return static_cast<double>(*std::max_element(rate.begin(), rate.end()) * seconds) / static_cast<double>(sum);
}

TEST(Coverage, r1_a_storm_is_spread_and_over_within_a_minute) {
  const struct {
    std::size_t connectors;
    std::size_t gateways;
    std::chrono::seconds retry_after;
    std::size_t percent;  // a gateway that is met by chance may be looked for long after
  } cases[] = {{2000, 1, 0s, 99}, {500, 1, 1s, 99}, {300, 3, 0s, 90}};
  for (const auto& one : cases) {
    Simulation simulation(Front::round_robin, one.connectors, settings_of(Front::round_robin, 1));
    for (std::size_t i = 0; i < one.gateways; ++i) simulation.fleet.add("old-" + std::to_string(i));
    simulation.start();
    simulation.run(60s);
    for (auto& dialer : simulation.dialers) dialer->retry_after = one.retry_after;
    for (std::size_t i = 0; i < one.gateways; ++i) simulation.kill("old-" + std::to_string(i));
    simulation.run(5s);
    const auto back = simulation.now;
    simulation.fleet.gateways.clear();
    for (std::size_t i = 0; i < one.gateways; ++i) simulation.fleet.add("new-" + std::to_string(i));
    simulation.run(60s);
    EXPECT_LE(simulation.wrong(kLinks), one.connectors * one.gateways * kLinks / 500);
    for (const auto& dialer : simulation.dialers) ASSERT_FALSE(dialer->links.empty());
    EXPECT_LT(peak_to_mean(dials_by_second(simulation, back), one.percent), 3)
        << one.gateways << " gateways, Retry-After " << one.retry_after.count();
  }
}

TEST(Coverage, AnyLimitSpreadsConnectorsOverGateways) {
  for (const auto& one : kFronts) {
    auto settings = settings_of(one.front, 10);
    settings.most_gateways = 3;
    Simulation simulation(one.front, 30, settings);
    for (std::size_t i = 0; i < 10; ++i) simulation.fleet.add(std::to_string(i));
    simulation.start();
    simulation.run(1800s);
    std::size_t exact = 0;
    for (const auto& dialer : simulation.dialers) {
      std::size_t covered = 0;
      for (const auto& gateway : simulation.fleet.gateways) {
        EXPECT_LE(dialer->held(gateway.id), kLinks) << one.name;
        covered += dialer->held(gateway.id) > 0 ? 1 : 0;
      }
      EXPECT_GE(covered, 1U) << one.name;
      EXPECT_LE(covered, 3U) << one.name;
      exact += covered == 3 ? 1 : 0;
    }
    EXPECT_GE(exact, 27U) << one.name;
    for (const auto& gateway : simulation.fleet.gateways) {
      EXPECT_GE(gateway.links, 2 * kLinks) << one.name;  // of 9 on average
      EXPECT_LE(gateway.links, 20 * kLinks) << one.name;
    }
  }
}

}  // namespace
}  // namespace adit::link::test
