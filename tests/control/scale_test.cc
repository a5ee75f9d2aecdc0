// 5,000 tunnels: what one change costs.

#include <gtest/gtest.h>

#include "control/gateway_feed.h"
#include "control/replica.h"
#include "tests/control/tunnels.h"

namespace adit::control::test {
namespace {

constexpr std::size_t kTunnels = 5000;

TEST(Scale, OneChangeIsOneMessageForEachGateway) {
  std::vector<TunnelConfigurationPtr> set;
  for (std::size_t i = 0; i < kTunnels; ++i) {
    const auto name = "t" + std::to_string(i);
    set.push_back(tunnel(name, {name + ".example.com", name + ".example.com/api"}));
  }
  ConfigurationLog log(1);
  log.update(set, {});
  GatewayFeed feed(log);
  Replica replica;
  ASSERT_TRUE(feed.take(write(GatewayMessage(HelloMessage{"g", "0.1.0", {}}))));
  const auto carry = [&] {
    std::size_t messages = 0;
    while (const auto text = feed.next_message()) {
      EXPECT_TRUE(replica.take(*text));
      ++messages;
    }
    return messages;
  };
  EXPECT_EQ(carry(), kTunnels + 1);
  EXPECT_EQ(replica.apply().answers.size(), 1U);
  set[77] = tunnel("t77", {"t77.example.com", "new.example.com"});
  EXPECT_EQ(log.update(set, {}).size(), 1U);
  EXPECT_EQ(carry(), 1U);
  const auto news = replica.apply();
  EXPECT_TRUE(news.set_changed);
  ASSERT_EQ(news.answers.size(), 1U);
  EXPECT_TRUE(feed.take(news.answers[0]));
  EXPECT_TRUE(feed.is_current());
}

}  // namespace
}  // namespace adit::control::test
