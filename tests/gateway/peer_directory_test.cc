// Which peer a stream is opened at.

#include "gateway/peer_directory.h"

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
  two->state = LinkState::over;
  EXPECT_EQ(directory.pick("a", "web", {}), one);
  directory.put(one, {"api"});
  EXPECT_EQ(directory.pick("a", "web", {}), nullptr) << "no longer offered";
  directory.remove(*one);
  EXPECT_EQ(directory.pick("a", "api", {}), nullptr);
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
