// Which link a request gets: among a worker's own, and among those of the others.

#include <gtest/gtest.h>

#include "gateway/link_directory.h"
#include "gateway/link_table.h"
#include "tests/gateway/connector_end.h"
#include "tests/routing/objects.h"

namespace adit::gateway::test {
namespace {

using net::test::settle;
using net::test::until;

/// A link of the directory that offers "web".
std::shared_ptr<LinkInfo> add(LinkDirectory& directory, std::uint64_t id, std::size_t worker, LinkState state,
                              std::uint32_t requests = 0) {
  auto info = link_info(id, worker);
  info->state = state;
  info->requests = requests;
  directory.add(info);
  directory.offers(id, info->tunnel_id, {"web"});
  return info;
}

TEST(LinkDirectory, PicksTheBest) {
  LinkDirectory directory;
  const auto pick = [&](std::vector<std::uint64_t> tried = {}, std::string_view service = "web",
                        std::size_t not_worker = 0) {
    const auto link = directory.pick("tunnel-id", service, not_worker, tried);
    return link ? link->id : 0;
  };
  EXPECT_EQ(pick(), 0U) << "there is none";
  add(directory, 1, 0, LinkState::live);
  EXPECT_EQ(pick(), 0U) << "one's own";
  add(directory, 2, 1, LinkState::starting);
  add(directory, 3, 1, LinkState::over);
  EXPECT_EQ(pick(), 0U) << "neither takes streams";
  add(directory, 4, 1, LinkState::suspect, 0);
  EXPECT_EQ(pick(), 4U) << "better than none";
  add(directory, 5, 2, LinkState::live, 9);
  EXPECT_EQ(pick(), 5U) << "live before suspect";
  add(directory, 6, 1, LinkState::live, 8);
  EXPECT_EQ(pick(), 6U) << "fewest requests";
  EXPECT_EQ(pick({6}), 5U);
  EXPECT_EQ(pick({6, 5}), 4U);
  EXPECT_EQ(pick({6, 5, 4}), 0U);
  EXPECT_EQ(pick({}, "api"), 0U);
  EXPECT_EQ(pick({}, "web", 1), 1U);
  directory.offers(6, "tunnel-id", {"api"});  // replaces
  EXPECT_EQ(pick(), 5U);
  EXPECT_EQ(pick({}, "api"), 6U);
  directory.remove(5, "tunnel-id");
  EXPECT_EQ(pick(), 4U);
  EXPECT_EQ(directory.pick("another", "web", 0, {}), nullptr) << "never another tunnel's";
}

TEST(LinkDirectory, BalancesWorkers) {
  LinkDirectory directory;
  EXPECT_EQ(directory.pick_worker("tunnel-id", 3), 0U);
  add(directory, 1, 0, LinkState::live);
  EXPECT_EQ(directory.pick_worker("tunnel-id", 3), 1U);
  add(directory, 2, 1, LinkState::live);
  EXPECT_EQ(directory.pick_worker("tunnel-id", 3), 2U);
  add(directory, 3, 2, LinkState::live);
  add(directory, 4, 0, LinkState::live);
  EXPECT_EQ(directory.pick_worker("tunnel-id", 3), 1U);
  EXPECT_EQ(directory.pick_worker("another", 3), 1U) << "fewest of all";
  EXPECT_EQ(directory.all().size(), 4U);
}

TEST(LinkDirectory, PredecessorsAreOfTheSameTunnelInstanceAndSlot) {
  LinkDirectory directory;
  const auto add_slot = [&](std::uint64_t id, const char* tunnel, const char* instance,
                            std::optional<std::uint32_t> slot) {
    auto info = link_info(id);
    info->tunnel_id = tunnel;
    info->instance = instance;
    info->slot = slot;
    directory.add(info);
    std::vector<std::uint64_t> ids;
    for (const auto& link : directory.predecessors(*info)) ids.push_back(link->id);
    return ids;
  };
  using Ids = std::vector<std::uint64_t>;
  EXPECT_EQ(add_slot(1, "a", "x", 0), Ids());
  EXPECT_EQ(add_slot(2, "b", "x", 0), Ids()) << "another tunnel";
  EXPECT_EQ(add_slot(3, "a", "y", 0), Ids()) << "another instance";
  EXPECT_EQ(add_slot(4, "a", "x", 1), Ids()) << "another slot";
  EXPECT_EQ(add_slot(5, "a", "x", std::nullopt), Ids()) << "no slot is nobody's";
  EXPECT_EQ(add_slot(6, "a", "x", std::nullopt), Ids());
  EXPECT_EQ(add_slot(7, "a", "x", 0), Ids{1});
  EXPECT_EQ(add_slot(8, "a", "x", 0), (Ids{1, 7}));
  EXPECT_EQ(directory.count("a", "x").of_tunnel, 7U);
  EXPECT_EQ(directory.count("a", "x").of_instance, 6U);
  EXPECT_EQ(directory.count("none", "x").of_tunnel, 0U);
}

class Links : public testing::Test {
 protected:
  std::unique_ptr<ConnectorEnd> connect(std::uint64_t id) {
    auto info = link_info(id);
    auto connector = test::connect(loop_, table_, directory_, info);
    EXPECT_TRUE(until(loop_, [&] { return info->state == LinkState::live; }));
    return connector;
  }
  std::uint64_t pick(std::vector<std::uint64_t> tried = {}, std::string_view service = "web") {
    auto* link = table_.pick("tunnel-id", service, tried);
    return link != nullptr ? link->info()->id : 0;
  }

  net::Loop loop_;
  LinkDirectory directory_;
  std::vector<std::uint64_t> leaving_;
  BufferBudgets buffers_{BufferLimits{}};
  std::vector<std::uint64_t> doubtful_;
  LinkTable table_{loop_,
                   directory_,
                   buffers_,
                   "gateway-id",
                   [this](std::uint64_t id) { leaving_.push_back(id); },
                   [this](const LinkInfo& link) { doubtful_.push_back(link.id); }};
};

TEST_F(Links, PickTheOneWithFewestRequests) {
  const auto one = connect(1);
  const auto two = connect(2);
  const auto first = pick();
  table_.find(first)->info()->requests = 1;
  const std::uint64_t second = 3 - first;
  EXPECT_EQ(pick(), second);
  EXPECT_EQ(pick(), second);
  EXPECT_EQ(pick({second}), first);
  EXPECT_EQ(pick({1, 2}), 0U);
  EXPECT_EQ(pick({}, "api"), 0U);
  table_.find(first)->info()->requests = 0;
  EXPECT_EQ(pick(), 3 - pick()) << "equals take turns";
}

TEST_F(Links, WhoseServiceIsDownComeLast) {
  const auto one = connect(1);
  const auto two = connect(2);
  const auto say = [&](ConnectorEnd& connector, std::vector<link::Health::Service> services) {
    connector.driver.session().send_control(link::Health{std::move(services)});
  };
  say(*one, {{"web", false, "refused"}, {"other", false, "not offered"}, {"web", false, "twice"}});
  ASSERT_TRUE(until(loop_, [&] { return table_.find(1)->is_down("web"); }));
  EXPECT_EQ(table_.find(1)->info()->services_down, 1U);
  EXPECT_EQ(pick(), 2U);
  EXPECT_EQ(pick(), 2U);
  EXPECT_EQ(pick({2}), 1U) << "better than none";
  const auto entries = directory_.all();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].down, (std::vector<ServiceDown>{{"web", false, "refused"}}));
  EXPECT_TRUE(directory_.is_down(*entries[0].link, "web"));
  EXPECT_FALSE(directory_.is_down(*entries[1].link, "web"));
  EXPECT_EQ(directory_.pick("tunnel-id", "web", 9, {})->id, 2U);
  say(*two, {{"web", false, "refused"}});
  ASSERT_TRUE(until(loop_, [&] { return table_.find(2)->is_down("web"); }));
  EXPECT_EQ(pick(), 3 - pick()) << "where all are down all count";
  say(*one, {});
  ASSERT_TRUE(until(loop_, [&] { return !table_.find(1)->is_down("web"); }));
  EXPECT_EQ(pick(), 1U);
}

TEST_F(Links, EjectedOnesComeLast) {
  const auto one = connect(1);
  const auto two = connect(2);
  Ejections ejections;
  ejections.failed(connector_key(*table_.find(1)->info()), net::Loop::now());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(table_.pick("tunnel-id", "web", {}, &ejections)->info()->id, 2U);
  EXPECT_EQ(directory_.pick("tunnel-id", "web", 9, {}, &ejections)->id, 2U);
  EXPECT_EQ(directory_.pick("tunnel-id", "web", 9, {2}, &ejections)->id, 1U);
  EXPECT_EQ(directory_.pick("tunnel-id", "web", 9, {2}, &ejections, 1), nullptr) << "only one without trouble";
}

struct End {
  bool leaves;
  LinkCause cause;
  Unserved why;
};
const End kEnds[] = {{true, LinkCause::finished, Unserved::left},    {false, LinkCause::lost, Unserved::lost},
                     {true, LinkCause::lost, Unserved::left},        {false, LinkCause::silent, Unserved::lost},
                     {false, LinkCause::revoked, Unserved::revoked}, {false, LinkCause::misbehaved, Unserved::lost}};

TEST(LinkDirectory, SaysWhyNoneIsLeft) {
  for (const auto& end : kEnds) {
    LinkDirectory directory;
    EXPECT_EQ(directory.why_unserved("tunnel-id"), Unserved::never_connected);
    const auto first = add(directory, 1, 0, LinkState::live);
    const auto last = add(directory, 2, 0, LinkState::live);
    EXPECT_EQ(directory.why_unserved("tunnel-id"), Unserved::not_offered);
    const auto go = [&](LinkInfo& link, LinkCause cause) {
      link.state = LinkState::over;
      directory.history().ended(link, cause, "test");
      directory.remove(link.id, link.tunnel_id);
    };
    go(*first, LinkCause::lost);
    last->connector_leaves = end.leaves;
    go(*last, end.cause);
    EXPECT_EQ(directory.why_unserved("tunnel-id"), end.why);
  }
  LinkDirectory directory;
  add(directory, 1, 0, LinkState::over)->connector_leaves = true;
  EXPECT_EQ(directory.why_unserved("tunnel-id"), Unserved::left) << "it finishes its streams";
}

TEST_F(Links, OffersAreReplaced) {
  const auto connector = connect(1);
  connector->offer({"api"});
  ASSERT_TRUE(until(loop_, [&] { return pick({}, "api") == 1; }));
  EXPECT_EQ(pick({}, "web"), 0U);
  EXPECT_EQ(directory_.all().at(0).services, std::vector<std::string>{"api"});
}

TEST_F(Links, LeavingLinkGetsNoMore) {
  const auto connector = connect(1);
  connector->leave();
  ASSERT_TRUE(until(loop_, [&] { return pick() == 0; }));
  EXPECT_EQ(leaving_, std::vector<std::uint64_t>{1});
  EXPECT_EQ(table_.size(), 1U) << "its streams finish";
}

TEST_F(Links, DoubtedLinkComesBackWhenItIsHeard) {
  const auto connector = connect(1);
  const auto other = connect(2);
  table_.slot_taken(1, false);
  EXPECT_EQ(table_.find(1)->state(), LinkState::suspect) << "at once";
  EXPECT_TRUE(table_.find(1)->info()->doubted);
  EXPECT_FALSE(doubtful_.empty()) << "its connector's other links are to be asked";
  EXPECT_EQ(doubtful_[0], 1U);
  EXPECT_EQ(pick(), 2U);
  EXPECT_EQ(pick({2}), 1U) << "better than none";
  ASSERT_TRUE(until(loop_, [&] { return table_.find(1)->state() == LinkState::live; })) << "it answers the PING";
  EXPECT_FALSE(table_.find(1)->info()->doubted);
  table_.slot_taken(1, true);
  EXPECT_EQ(table_.find(1), nullptr);
  table_.slot_taken(1, false);  // it is gone: nothing to be done
  EXPECT_EQ(table_.size(), 1U);
  settle(loop_);
}

TEST_F(Links, LostLinkIsForgotten) {
  auto connector = connect(1);
  connector.reset();
  ASSERT_TRUE(until(loop_, [&] { return table_.size() == 0; }));
  EXPECT_TRUE(directory_.all().empty());
  settle(loop_);
}

TEST_F(Links, RevokedTokensCloseTheirLinks) {
  const auto one = connect(1);
  const auto two = connect(2);
  auto objects = routing::Objects{};
  auto tunnel = routing::tunnel("team/shop", {"shop.example.com"});
  tunnel.id = "tunnel-id";
  tunnel.token_secrets = {"token"};
  objects.tunnels.push_back(tunnel);
  objects.secrets.push_back(
      routing::secret("team/token", "adit.dev/connector-token", {{"token", std::string(40, 't')}}));
  const auto table = routing::compile_table(objects, {}).table;
  ASSERT_NE(table->tunnel("tunnel-id"), nullptr);
  ASSERT_EQ((*table->tunnel("tunnel-id"))->tokens.size(), 1U);
  table_.find(1)->info()->token = (*table->tunnel("tunnel-id"))->tokens[0];
  table_.revoke(*table);
  EXPECT_EQ(pick(), 1U);
  EXPECT_EQ(table_.size(), 1U);
  table_.revoke(*routing::compile_table({}, {}).table);  // the tunnel is gone
  EXPECT_EQ(table_.size(), 0U);
  settle(loop_);
}

TEST_F(Links, CloseAndDestroyWithStreamsOpen) {
  const auto connector = connect(1);
  StreamEnd user;
  user.stream = table_.find(1)->open({"web", "192.0.2.1:9", "id"}, user);
  table_.close("test");
  EXPECT_EQ(user.closed, link::Closed::link_lost);
  EXPECT_EQ(table_.size(), 0U);
}

}  // namespace
}  // namespace adit::gateway::test
