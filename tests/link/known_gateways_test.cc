#include "link/known_gateways.h"

#include <gtest/gtest.h>

namespace adit::link {
namespace {

using namespace std::chrono_literals;

constexpr base::TimePoint kNow{1h};

TEST(KnownGateways, AreThoseThatTheNewestLinesName) {
  KnownGateways known;
  EXPECT_FALSE(known.any_line());
  known.on_line(1, "a", {"a", "b"});
  known.on_line(2, "b", {"b", "c"});
  EXPECT_EQ(known.named(), (GatewayIds{"a", "b", "c"}));
  EXPECT_TRUE(known.has_spoken("a"));
  EXPECT_FALSE(known.has_spoken("c"));
  known.on_line(1, "a", {"a"});
  EXPECT_EQ(known.named(), (GatewayIds{"a", "b", "c"}));
  known.on_gone(2);
  EXPECT_EQ(known.named(), (GatewayIds{"a"}));
  known.on_gone(1);
  EXPECT_TRUE(known.named().empty());
}

TEST(KnownGateways, ThatLeaveDoNotCountForAWhile) {
  KnownGateways known;
  known.on_line(1, "a", {"a", "b"});
  known.on_leaving("b", kNow);
  EXPECT_EQ(known.named(), (GatewayIds{"a"}));
  EXPECT_EQ(known.deadline(), kNow + KnownGateways::kLeaving);
  known.on_time(known.deadline() - 1ns);
  EXPECT_TRUE(known.is_leaving("b"));
  known.on_time(known.deadline());
  EXPECT_EQ(known.named(), (GatewayIds{"a", "b"})) << "started anew under its id, perhaps";
  EXPECT_EQ(known.deadline(), base::kNever);
  known.on_leaving("b", kNow);
  known.on_arrival("b");
  EXPECT_FALSE(known.is_leaving("b"));
}

TEST(Nearest, AreAllWithoutALimit) {
  const GatewayIds ids{"a", "b", "c"};
  EXPECT_EQ(nearest("x", ids, 0), ids);
  EXPECT_EQ(nearest("x", ids, 3), ids);
  EXPECT_EQ(nearest("x", ids, 9), ids);
  EXPECT_EQ(nearest("x", ids, 2).size(), 2U);
}

TEST(Nearest, SpreadEvenlyAndFewMoveWhenOneGoes) {
  GatewayIds ids;
  for (int i = 0; i < 10; ++i) ids.insert("gateway-" + std::to_string(i));
  auto fewer = ids;
  fewer.erase("gateway-3");
  std::map<std::string, int> load;
  constexpr int kInstances = 3000;
  for (int i = 0; i < kInstances; ++i) {
    const auto instance = "instance-" + std::to_string(i);
    const auto chosen = nearest(instance, ids, 2);
    for (const auto& id : chosen) ++load[id];
    auto kept = chosen;
    kept.erase("gateway-3");
    const auto then = nearest(instance, fewer, 2);
    for (const auto& id : kept) EXPECT_TRUE(then.contains(id)) << instance << " left " << id;
  }
  for (const auto& [id, count] : load) {
    EXPECT_GT(count, kInstances * 2 / 10 * 8 / 10) << id;
    EXPECT_LT(count, kInstances * 2 / 10 * 12 / 10) << id;
  }
}

}  // namespace
}  // namespace adit::link
