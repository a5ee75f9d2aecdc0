// Budgets of buffered bytes, and how they are shown.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/buffer_metrics.h"

namespace adit::gateway {
namespace {

using testing::HasSubstr;

TEST(BufferBudgets, LinksOfOneTunnelShareABudget) {
  BufferBudgets budgets({1000, 600, 400});
  const auto one = budgets.session_options("a");
  const auto two = budgets.session_options("a");
  const auto other = budgets.session_options("b");
  EXPECT_EQ(one.most_buffered, 400U);
  EXPECT_EQ(one.budget, two.budget);
  EXPECT_NE(one.budget, other.budget);
  EXPECT_EQ(one.budget->grant(1000), 300U) << "half of the tunnel's";
  EXPECT_EQ(other.budget->grant(1000), 200U) << "what is left of half of the process's";
  EXPECT_EQ(budgets.process().granted(), 500U);
}

TEST(BufferBudgets, ATunnelWithoutLinksHasNone) {
  BufferBudgets budgets({1000, 600, 400});
  std::weak_ptr<link::BufferBudget> former = budgets.session_options("a").budget;
  EXPECT_TRUE(former.expired());
  EXPECT_EQ(budgets.session_options("a").budget->limit(), 600U);
}

TEST(BufferMetrics, AddsUpTheLinksOfATunnel) {
  const BufferBudgets budgets({1000, 600, 400});
  LinkDirectory directory;
  for (std::uint64_t id = 1; id <= 2; ++id) {
    auto link = std::make_shared<LinkInfo>();
    link->id = id;
    link->tunnel_id = "a";
    link->tunnel_name = "default/a";
    link->buffered = 100 * id;
    link->window_bytes = 10;
    link->credit_withheld = id == 2;
    directory.add(link);
  }
  telemetry::Registry registry;
  registry.add([&](telemetry::Families& families) { collect_buffers(budgets, directory, families); });
  const auto page = registry.text();
  EXPECT_THAT(page, HasSubstr("adit_gateway_buffered_bytes{tunnel=\"default/a\"} 300"));
  EXPECT_THAT(page, HasSubstr("adit_gateway_window_growth_bytes{tunnel=\"default/a\"} 20"));
  EXPECT_THAT(page, HasSubstr("adit_gateway_links_held_back{tunnel=\"default/a\"} 1"));
  EXPECT_THAT(page, HasSubstr("adit_gateway_buffered_limit_bytes{level=\"tunnel\"} 600"));
}

}  // namespace
}  // namespace adit::gateway
