// A gateway's configuration from an operator: sessions that come and go, links, tokens, and the copy.

#include "gateway/operator_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/peers.h"
#include "gateway/worker.h"
#include "tests/control/tunnels.h"
#include "tests/gateway/fake_operator.h"

namespace adit::gateway::test {
namespace {

using namespace std::chrono_literals;
using control::test::id_of;
using control::test::tunnel;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

/// A gateway as far as its configuration goes.
class Gateway {
 public:
  Gateway(const std::filesystem::path& folder, std::uint16_t port, const std::string& peer_address = {})
      : shared_(nullptr, metrics_) {
    OperatorSourceOptions options;
    options.url = "wss://localhost:" + std::to_string(port);
    options.access.url = *net::parse_channel_url(options.url);
    options.access.token_file = folder / "token";
    options.access.ca_file = folder / "ca.pem";
    options.access.backoff = {1ms, 50ms};
    options.access.token_check = 50ms;
    options.state_dir = folder / "state";
    options.link_check = 1ms;
    options.save_after = 1ms;
    options.peer_address = peer_address;
    source_ = std::make_unique<OperatorSource>(std::move(options), metrics_);
    shared_.gateway_id = "gateway-id";
  }

  void start() {
    auto first = source_->first_table();
    ASSERT_TRUE(first) << first.error();
    shared_.table.publish(*first);
    ASSERT_TRUE(source_->start(shared_, [this](auto table) { shared_.table.publish(std::move(table)); }));
  }
  OperatorSource& source() { return *source_; }
  Shared& shared() { return shared_; }
  const GatewayMetrics& metrics() const { return metrics_; }
  std::string service_of(const std::string& host) {
    const auto table = shared_.table.get();
    const auto* route = table->find(host, "/");
    return route != nullptr ? route->service : "none";
  }

 private:
  GatewayMetrics metrics_;
  Shared shared_;
  std::unique_ptr<OperatorSource> source_;
};

template <class Done>
bool eventually(Done done) {
  const auto limit = base::Clock::now() + net::test::kPatience;
  while (!done()) {
    if (base::Clock::now() >= limit) return false;
    std::this_thread::yield();
  }
  return true;
}

class FromOperator : public testing::Test {
 protected:
  FromOperator() : folder_(std::filesystem::path(testing::TempDir()) / ("operator_" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    write("token", "first.token\n");
    write("ca.pem", authority_.pem());
  }
  ~FromOperator() override { std::filesystem::remove_all(folder_); }
  void write(const char* name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  std::filesystem::path copy() const { return folder_ / "state" / "configuration"; }

  net::test::Authority authority_;
  std::filesystem::path folder_;
};

TEST_F(FromOperator, IsReadyOnceSynced) {
  FakeOperator op(authority_);
  Gateway gateway(folder_, op.port());
  gateway.start();
  const auto ready = gateway.source().ready();
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error(), "waiting for the operator");
  op.update({tunnel("a", {"a.example.com"})});
  ASSERT_TRUE(op.until_current());
  EXPECT_TRUE(gateway.source().ready());
  EXPECT_EQ(gateway.service_of("a.example.com"), "default") << "in force before it is acknowledged";
  EXPECT_THAT(op.bearers(), ElementsAre("first.token"));
  op.update({tunnel("a", {"a.example.com"}, "changed")});
  ASSERT_TRUE(op.until_current());
  EXPECT_EQ(gateway.service_of("a.example.com"), "changed");
  const auto status = *gateway.source().operator_status();
  EXPECT_TRUE(status.connected && status.synced);
  EXPECT_EQ(status.version, "1.2");
  EXPECT_EQ(status.tunnels, 1U);
  EXPECT_EQ(status.problem, "");
  EXPECT_EQ(gateway.metrics().operator_counter.value(), 2);
  EXPECT_EQ(gateway.metrics().operator_messages.value(), 3U);
}

TEST_F(FromOperator, RefusedTunnelIsTold) {
  FakeOperator op(authority_);
  op.update({tunnel("a", {"a.example.com"}), tunnel("b", {"b.example.com"}, "not a name")});
  Gateway gateway(folder_, op.port());
  gateway.start();
  ASSERT_TRUE(op.until_current());
  op.until_feed([](const control::GatewayFeed& feed) {
    EXPECT_TRUE(feed.has(id_of("a")));
    EXPECT_FALSE(feed.has(id_of("b")));
    EXPECT_THAT(*feed.refusal(id_of("b")), HasSubstr("is no name of a service"));
    return true;
  });
  EXPECT_EQ(gateway.source().operator_status()->refused, 1U);
}

TEST_F(FromOperator, FollowerIsAskedAgain) {
  FakeOperator op(authority_);
  op.lead(false);
  Gateway gateway(folder_, op.port());
  gateway.start();
  ASSERT_TRUE(eventually([&] { return gateway.source().operator_status()->problem != ""; }));
  EXPECT_THAT(gateway.source().operator_status()->problem, HasSubstr("503 not the leader"));
  op.update({});
  op.lead(true);
  EXPECT_TRUE(op.until_current());
}

TEST_F(FromOperator, LosingItChangesNothing) {
  std::optional<FakeOperator> op(authority_);
  op->update({tunnel("a", {"a.example.com"})});
  const auto port = op->port();
  Gateway gateway(folder_, port);
  gateway.start();
  ASSERT_TRUE(op->until_current());
  op.reset();
  ASSERT_TRUE(eventually([&] { return !gateway.source().operator_status()->connected; }));
  EXPECT_TRUE(gateway.source().ready());
  EXPECT_EQ(gateway.service_of("a.example.com"), "default");
  op.emplace(authority_, 2, port);
  op->update({tunnel("b", {"b.example.com"})});
  ASSERT_TRUE(op->until_current());
  EXPECT_EQ(gateway.service_of("a.example.com"), "none");
  EXPECT_EQ(gateway.service_of("b.example.com"), "default");
}

TEST_F(FromOperator, OddOperatorIsLeftAndComesBack) {
  FakeOperator op(authority_);
  op.update({tunnel("a", {"a.example.com"})});
  Gateway gateway(folder_, op.port());
  gateway.start();
  ASSERT_TRUE(op.until_current());
  op.say("{");
  ASSERT_TRUE(eventually([&] { return gateway.metrics().operator_sessions.value() == 2; }));
  EXPECT_EQ(gateway.service_of("a.example.com"), "default");
}

TEST_F(FromOperator, LinksAreReported) {
  FakeOperator op(authority_);
  op.update({tunnel("a", {"a.example.com"})});
  Gateway gateway(folder_, op.port());
  auto link = std::make_shared<LinkInfo>();
  link->id = 1;
  link->tunnel_id = id_of("a");
  link->connector = "home";
  link->instance = "i1";
  auto& directory = gateway.shared().directory;
  directory.add(link);
  link->state = LinkState::live;
  directory.offers(1, link->tunnel_id, {"web", "api"});
  gateway.start();
  const auto connectors = [&](std::vector<control::LiveConnector> expected) {
    return op.until_feed([&](const control::GatewayFeed& feed) {
      const auto found = feed.links().find(id_of("a"));
      return found == feed.links().end() ? expected.empty() : found->second == expected;
    });
  };
  EXPECT_TRUE(connectors({{"i1", "home", {"api", "web"}}})) << "whole on connect";
  directory.offers(1, link->tunnel_id, {"web"});
  EXPECT_TRUE(connectors({{"i1", "home", {"web"}}}));
  op.lead(false);
  op.lead(true);
  EXPECT_TRUE(connectors({{"i1", "home", {"web"}}})) << "again to the next session";
  directory.remove(1, link->tunnel_id);
  EXPECT_TRUE(connectors({}));
}

TEST_F(FromOperator, NewTokenIsHandedOver) {
  FakeOperator op(authority_);
  op.update({});
  Gateway gateway(folder_, op.port());
  gateway.start();
  ASSERT_TRUE(op.until_current());
  write("token", "");  // being written
  write("token", "second.token\n");
  EXPECT_TRUE(eventually([&] { return !op.tokens().empty(); }));
  EXPECT_THAT(op.tokens(), ElementsAre("second.token"));
}

TEST_F(FromOperator, CredentialsAreReadAtEachDial) {
  FakeOperator op(authority_);
  op.update({});
  write("token", "two words");
  Gateway gateway(folder_, op.port());
  gateway.start();
  const auto problem = [&](const char* part) {
    EXPECT_TRUE(eventually([&] { return gateway.source().operator_status()->problem.find(part) != std::string::npos; }))
        << part;
  };
  problem("does not hold a token");
  write("token", "good.token");
  write("ca.pem", "");
  problem("is empty");
  write("ca.pem", net::test::Authority().pem());
  problem("certificate refused");
  write("ca.pem", authority_.pem());
  EXPECT_TRUE(op.until_current());
}

TEST_F(FromOperator, OtherGatewaysAndTheirCertificateArePublished) {
  FakeOperator op(authority_);
  Gateway gateway(folder_, op.port(), "192.0.2.1:7444");
  Peers peers(gateway.shared(), {}, false);
  gateway.shared().peers = &peers;
  op.update({});
  op.set_peers({"chain", "key", "trusted"}, {{{"gateway-id", "192.0.2.1:7444"},
                                              {"other", "192.0.2.2:7444"},
                                              {"wrong", "nowhere"},
                                              {"third", "[2001:db8::3]:7444"}}});
  gateway.start();
  ASSERT_TRUE(eventually([&] { return peers.addresses().get() != nullptr; }));
  std::vector<std::string> addresses;
  for (const auto& address : *peers.addresses().get()) addresses.push_back(address.text());
  EXPECT_THAT(addresses, ElementsAre("192.0.2.2:7444", "[2001:db8::3]:7444")) << "not its own, nor what is none";
  ASSERT_NE(peers.keys().get(), nullptr);
  EXPECT_EQ(*peers.keys().get(), (PeerKeys{"chain", "key", "trusted"}));
  op.set_peers({"chain-2", "key-2", "trusted"}, {});
  EXPECT_TRUE(eventually([&] { return peers.addresses().get()->empty() && peers.keys().get()->chain == "chain-2"; }));
  gateway.source().stop();
}

// Else a gateway would never be ready.
TEST_F(FromOperator, AnOperatorThatKnowsNothingOfPeersNamesNone) {
  FakeOperator op(authority_);
  Gateway gateway(folder_, op.port(), "192.0.2.1:7444");
  Peers peers(gateway.shared(), {}, false);
  gateway.shared().peers = &peers;
  gateway.start();
  op.update({tunnel("a", {"a.example.com"})});
  ASSERT_TRUE(op.until_current());
  ASSERT_NE(peers.addresses().get(), nullptr);
  EXPECT_TRUE(peers.addresses().get()->empty());
  gateway.source().stop();
}

TEST_F(FromOperator, LinkCertificateIsPublished) {
  FakeOperator op(authority_);
  op.update({});
  const auto key = control::test::certificate("DNS:edge.example.com");
  op.set_link_certificate(*key);
  Gateway gateway(folder_, op.port());
  gateway.start();
  ASSERT_TRUE(eventually([&] { return gateway.shared().link_certificate.get() != nullptr; }));
  EXPECT_EQ(gateway.shared().link_certificate.get()->key_pem, key->key_pem);
  const auto renewed = control::test::certificate("DNS:edge.example.com");
  op.set_link_certificate(*renewed);
  EXPECT_TRUE(eventually([&] { return gateway.shared().link_certificate.get()->key_pem == renewed->key_pem; }));
}

TEST_F(FromOperator, CopyServesWithoutIt) {
  const auto key = control::test::certificate("DNS:edge.example.com");
  std::uint16_t port = 0;
  {
    FakeOperator op(authority_, 3);
    port = op.port();
    op.update({tunnel("a", {"a.example.com"})});
    op.set_link_certificate(*key);
    Gateway gateway(folder_, port);
    gateway.start();
    ASSERT_TRUE(op.until_current());
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(copy()); }));
    op.update({tunnel("a", {"a.example.com"}, "changed")});
    ASSERT_TRUE(op.until_current());
  }  // what was not saved yet is saved at the end
  struct stat status {};
  ASSERT_EQ(stat(copy().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  Gateway gateway(folder_, port);
  gateway.start();
  EXPECT_TRUE(gateway.source().ready());
  EXPECT_EQ(gateway.service_of("a.example.com"), "changed");
  EXPECT_EQ(gateway.shared().link_certificate.get()->key_pem, key->key_pem);
  EXPECT_EQ(gateway.source().operator_status()->version, "3.2");
}

TEST_F(FromOperator, CopyThatIsNoGoodIsNotServed) {
  std::filesystem::create_directory(folder_ / "state");
  std::filesystem::permissions(folder_ / "state", std::filesystem::perms::owner_all);
  std::ofstream(copy()) << "something else";
  std::filesystem::permissions(copy(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  FakeOperator op(authority_);
  Gateway gateway(folder_, op.port());
  gateway.start();
  EXPECT_FALSE(gateway.source().ready());
  op.update({tunnel("a", {"a.example.com"})});
  EXPECT_TRUE(op.until_current());
}

TEST_F(FromOperator, FolderThatOthersCanEnterEndsTheStart) {
  std::filesystem::create_directory(folder_ / "state");
  std::filesystem::permissions(folder_ / "state", std::filesystem::perms::all);
  Gateway gateway(folder_, 1);
  const auto first = gateway.source().first_table();
  ASSERT_FALSE(first);
  EXPECT_THAT(first.error(), HasSubstr("others can enter it"));
}

}  // namespace
}  // namespace adit::gateway::test
