// Which peer a stream is opened at.

#include "gateway/peer_directory.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

namespace adit::gateway::test {
namespace {

std::shared_ptr<LinkInfo> at_peer(std::uint64_t id, const char* tunnel, LinkState state = LinkState::live) {
  auto info = std::make_shared<LinkInfo>();
  info->id = id;
  info->tunnel_id = tunnel;
  info->peer = "peer-" + std::to_string(id);
  info->state = state;
  return info;
}

TEST(PeerDirectory, PicksByTunnelServiceStateAndWhatWasTried) {
  PeerDirectory directory;
  const auto one = at_peer(1, "a", LinkState::suspect);
  const auto two = at_peer(2, "a");
  directory.put(one, {"web", "api"});
  directory.put(two, {"web"});
  directory.put(at_peer(3, "b"), {"other"});
  EXPECT_EQ(directory.pick("a", "web", {}), two) << "live before suspect";
  EXPECT_EQ(directory.pick("a", "api", {}), one);
  EXPECT_EQ(directory.pick("a", "web", {2}), one);
  EXPECT_EQ(directory.pick("a", "web", {2, 1}), nullptr);
  EXPECT_EQ(directory.pick("a", "other", {}), nullptr) << "another tunnel's";
  EXPECT_EQ(directory.pick("c", "web", {}), nullptr);
  two->connector_leaves = true;
  EXPECT_EQ(directory.pick("a", "web", {}), two) << "who leaves still serves";
  one->state = LinkState::live;
  EXPECT_EQ(directory.pick("a", "web", {}), one) << "but those that stay come first";
  one->state = LinkState::suspect;
  two->state = LinkState::over;
  EXPECT_EQ(directory.pick("a", "web", {}), one);
  directory.put(one, {"api"});
  EXPECT_EQ(directory.pick("a", "web", {}), nullptr) << "no longer offered";
  directory.remove(*one);
  EXPECT_EQ(directory.pick("a", "api", {}), nullptr);
}

TEST(PeerDirectory, KnowsInstances) {
  PeerDirectory directory;
  const auto one = at_peer(1, "a");
  const auto two = at_peer(2, "a");
  directory.put(one, {"web", "api"}, {{{11, 12}, {"web"}}, {{13}, {"web", "api"}}});
  directory.put(two, {"web"}, {{{14, 12}, {"web"}}});
  EXPECT_EQ(directory.pick("a", "web", {}, 11), one);
  EXPECT_EQ(directory.pick("a", "api", {}, 11), nullptr) << "it offers another service";
  EXPECT_EQ(directory.pick("a", "api", {}, 13), one);
  EXPECT_EQ(directory.pick("a", "web", {}, 14), two);
  EXPECT_EQ(directory.pick("a", "web", {2}, 14), nullptr);
  EXPECT_EQ(directory.pick("a", "web", {}, 15), nullptr);
  EXPECT_EQ(directory.pick("a", "web", {1}, 12), two);
  const auto found = [&](const char* service) {
    std::vector<InstanceStanding> instances;
    directory.instances("a", service, instances);
    std::map<link::InstanceKey, int> troubles;
    for (const auto& standing : instances) troubles[standing.instance] = standing.trouble;
    return troubles;
  };
  using Troubles = std::map<link::InstanceKey, int>;
  EXPECT_EQ(found("web"), (Troubles{{11, 0}, {12, 0}, {13, 0}, {14, 0}}));
  EXPECT_EQ(found("api"), (Troubles{{13, 0}}));
  const auto before = directory.changes();
  one->state = LinkState::suspect;
  directory.touch();
  EXPECT_NE(directory.changes(), before);
  EXPECT_EQ(found("web"), (Troubles{{11, kMayBeDead}, {12, 0}, {13, kMayBeDead}, {14, 0}}));
  directory.put(one, {"web"});
  EXPECT_EQ(found("web"), (Troubles{{12, 0}, {14, 0}}));
  EXPECT_EQ(directory.pick("a", "web", {2}), one) << "whoever it is";
}

TEST(PeerDirectory, SpreadsOverThoseThatAreAlike) {
  PeerDirectory directory;
  for (std::uint64_t id = 1; id <= 3; ++id) directory.put(at_peer(id, "a"), {"web"});
  std::set<std::uint64_t> picked;
  for (int i = 0; i < 1000; ++i) picked.insert(directory.pick("a", "web", {})->id);
  EXPECT_EQ(picked.size(), 3U);
}

}  // namespace
}  // namespace adit::gateway::test
