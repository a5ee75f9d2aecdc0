// What the operator sends one gateway, and what it makes of the gateway's messages.

#include "control/gateway_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/control/tunnels.h"

namespace adit::control::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Set = std::vector<TunnelConfigurationPtr>;
using Ids = std::vector<std::string>;

std::string hello(std::optional<Version> version = {}, const std::string& peer_address = "") {
  return write(GatewayMessage(HelloMessage{"gateway-id", "0.1.0", version, peer_address}));
}
std::string ack(std::uint64_t counter, std::uint64_t term = 5) {
  return write(GatewayMessage(AckMessage{{term, counter}}));
}
std::string refused(const std::string& name, std::uint64_t counter) {
  return write(GatewayMessage(RefusedMessage{{5, counter}, id_of(name), "it does not please"}));
}

/// "tunnel a 3", "remove a 4 more", "certificate", "synced 4": what a message is.
std::string brief(const std::string& text) {
  const auto message = read_operator_message(text);
  const auto name = [](const std::string& id) {
    for (const char* known : {"a", "b", "c"}) {
      if (id == id_of(known)) return std::string(known);
    }
    return id;
  };
  const auto with = [&](const char* type, const auto& typed, const std::string& id) {
    return type + (" " + name(id)) + " " + std::to_string(typed.version.counter) + (typed.more ? " more" : "");
  };
  if (const auto* tunnel = std::get_if<TunnelMessage>(&**message)) return with("tunnel", *tunnel, tunnel->tunnel->id);
  if (const auto* remove = std::get_if<RemoveMessage>(&**message)) return with("remove", *remove, remove->id);
  if (const auto* keep = std::get_if<KeepMessage>(&**message)) return with("keep", *keep, keep->id);
  if (const auto* synced = std::get_if<SyncedMessage>(&**message)) {
    return "synced " + std::to_string(synced->version.counter);
  }
  if (std::holds_alternative<PeerCertificateMessage>(**message)) return "peer certificate";
  if (const auto* peers = std::get_if<PeersMessage>(&**message)) {
    std::string text = "peers";
    for (const auto& [gateway, address] : peers->gateways) text.append(" ").append(gateway).append("=").append(address);
    return text;
  }
  return std::holds_alternative<CertificateMessage>(**message) ? "certificate" : "link certificate";
}

std::vector<std::string> pull(GatewayFeed& feed) {
  std::vector<std::string> all;
  while (const auto text = feed.next_message()) all.push_back(brief(*text));
  return all;
}

class Feed : public testing::Test {
 protected:
  std::string error_of(const std::string& message) {
    const auto taken = feed_.take(message);
    return taken ? "" : taken.error().message;
  }
  void sync(const Set& set) {
    log_.update(set, {});
    ASSERT_TRUE(feed_.take(hello()));
    pull(feed_);
    ASSERT_TRUE(feed_.take(ack(log_.head().counter)));
  }

  ConfigurationLog log_{5};
  GatewayFeed feed_{log_};
  TunnelConfigurationPtr a_ = tunnel("a", {"a.example.com"});
  TunnelConfigurationPtr b_ = tunnel("b", {"b.example.com"});
};

TEST_F(Feed, SaysNothingBeforeHelloAndBeforeThereIsSomething) {
  EXPECT_THAT(pull(feed_), IsEmpty());
  ASSERT_TRUE(feed_.take(hello()));
  EXPECT_EQ(feed_.gateway(), "gateway-id");
  EXPECT_THAT(pull(feed_), IsEmpty());
  log_.update({}, {});
  EXPECT_THAT(pull(feed_), ElementsAre("synced 0"));
}

TEST_F(Feed, SendsAllThenSyncedThenChanges) {
  log_.set_link_certificate("chain", "key");
  log_.update(Set{a_, b_}, Ids{id_of("c")});
  ASSERT_TRUE(feed_.take(hello()));
  EXPECT_THAT(pull(feed_), ElementsAre("link certificate", "tunnel a 1", "tunnel b 2", "keep c 3", "synced 3"));
  EXPECT_THAT(pull(feed_), IsEmpty());
  log_.update(Set{a_, tunnel("b", {"new.example.com"})}, Ids{id_of("c")});
  EXPECT_THAT(pull(feed_), ElementsAre("tunnel b 4"));
  log_.update(Set{tunnel("a", {"x.example.com"})}, Ids{id_of("c")});
  EXPECT_THAT(pull(feed_), ElementsAre("tunnel a 5 more", "remove b 6")) << "the state is whole after the last one";
  log_.set_link_certificate("chain", "key");
  EXPECT_THAT(pull(feed_), IsEmpty());
  log_.set_link_certificate("other chain", "key");
  EXPECT_THAT(pull(feed_), ElementsAre("link certificate"));
}

TEST_F(Feed, TellsOfPeersWhoeverCanBeReached) {
  log_.set_peer_certificate({"chain", "key", "trusted"});
  log_.set_peers({{{"one", "10.0.0.1:7444"}}});
  log_.update(Set{a_}, {});
  const auto greeted = feed_.take(hello({}, "10.0.0.2:7444"));
  ASSERT_TRUE(greeted);
  EXPECT_TRUE(greeted->greeted);
  EXPECT_EQ(feed_.peer_address(), "10.0.0.2:7444");
  EXPECT_THAT(pull(feed_), ElementsAre("peer certificate", "peers one=10.0.0.1:7444", "tunnel a 1", "synced 1"));
  log_.set_peer_certificate({"chain", "key", "trusted"});
  log_.set_peers({{{"one", "10.0.0.1:7444"}}});
  EXPECT_THAT(pull(feed_), IsEmpty()) << "the same is no change";
  log_.set_peers({{{"one", "10.0.0.1:7444"}, {"two", "[::1]:7444"}}});
  log_.set_peers({{{"two", "[::1]:7444"}}});
  EXPECT_THAT(pull(feed_), ElementsAre("peers two=[::1]:7444"));
  log_.set_peer_certificate({"chain", "key", "more trusted"});
  EXPECT_THAT(pull(feed_), ElementsAre("peer certificate"));
}

TEST_F(Feed, TellsNothingOfPeersToAGatewayThatHasNoAddress) {
  log_.set_peer_certificate({"chain", "key", "trusted"});
  log_.set_peers({{{"one", "10.0.0.1:7444"}}});
  log_.update({}, {});
  ASSERT_TRUE(feed_.take(hello()));
  EXPECT_THAT(pull(feed_), ElementsAre("synced 0"));
}

TEST_F(Feed, WhatChangesOftenMeanwhileIsSentOnce) {
  sync({a_, b_});
  for (const char* service : {"one", "two", "three"}) log_.update(Set{tunnel("a", {"a.example.com"}, service), b_}, {});
  const auto text = feed_.next_message();
  ASSERT_TRUE(text);
  EXPECT_EQ(read_as<TunnelMessage>(*text).rules[0].service, "three");
  EXPECT_THAT(pull(feed_), IsEmpty());
}

TEST_F(Feed, ChangesDuringTheFullStateBelongToIt) {
  log_.update(Set{a_, b_}, {});
  ASSERT_TRUE(feed_.take(hello()));
  EXPECT_EQ(brief(*feed_.next_message()), "tunnel a 1");
  log_.update(Set{tunnel("b", {"new.example.com"})}, {});
  EXPECT_THAT(pull(feed_), ElementsAre("tunnel b 3", "remove a 4", "synced 4"));
  EXPECT_EQ(log_.tombstones(), 0U);
}

TEST_F(Feed, OldTombstonesAreNotToldToNewSessions) {
  sync({a_, b_});
  GatewayFeed slow(log_);  // keeps tombstones
  log_.update(Set{a_}, {});
  GatewayFeed late(log_);
  ASSERT_TRUE(late.take(hello()));
  EXPECT_THAT(pull(late), ElementsAre("tunnel a 1", "synced 3"));
}

TEST_F(Feed, CertificateGoesAheadOfTheFirstTunnelThatNamesIt) {
  const auto key = certificate("DNS:*.example.com");
  const auto with = [&](const char* name, const char* service) {
    const auto host = std::string(name) + ".example.com";
    return tunnel(name, {host}, service, {{host, key}});
  };
  log_.update(Set{with("a", "one"), with("b", "one")}, {});
  ASSERT_TRUE(feed_.take(hello()));
  EXPECT_THAT(pull(feed_), ElementsAre("certificate", "tunnel a 1", "tunnel b 2", "synced 2"));
  log_.update(Set{with("a", "two"), with("b", "one")}, {});
  EXPECT_THAT(pull(feed_), ElementsAre("tunnel a 3")) << "one message for one change";
  log_.update(Set{a_, b_}, {});
  EXPECT_THAT(pull(feed_), ElementsAre("tunnel a 4 more", "tunnel b 5"));
  log_.update(Set{with("a", "two"), b_}, {});
  EXPECT_THAT(pull(feed_), ElementsAre("certificate", "tunnel a 6")) << "nobody named it for a while";
}

TEST_F(Feed, KnowsWhatIsInForce) {
  log_.update(Set{a_, b_}, Ids{id_of("c")});
  ASSERT_TRUE(feed_.take(hello()));
  pull(feed_);
  EXPECT_FALSE(feed_.has_synced());
  EXPECT_FALSE(feed_.has(id_of("a")));
  ASSERT_TRUE(feed_.take(refused("b", 2)));
  const auto news = feed_.take(ack(3));
  ASSERT_TRUE(news);
  EXPECT_TRUE(news->synced);
  EXPECT_TRUE(feed_.has(id_of("a")));
  EXPECT_FALSE(feed_.has(id_of("b")));
  ASSERT_NE(feed_.refusal(id_of("b")), nullptr);
  EXPECT_EQ(*feed_.refusal(id_of("b")), "it does not please");
  EXPECT_FALSE(feed_.has(id_of("c"))) << "only kept";
  EXPECT_TRUE(feed_.is_current());
  log_.update(Set{a_, tunnel("b", {"new.example.com"})}, Ids{id_of("c")});
  EXPECT_EQ(feed_.refusal(id_of("b")), nullptr) << "of the newest only";
  EXPECT_FALSE(feed_.has(id_of("b")));
  EXPECT_FALSE(feed_.is_current());
  pull(feed_);
  const auto more = feed_.take(ack(4));
  ASSERT_TRUE(more);
  EXPECT_FALSE(more->synced);
  EXPECT_THAT(more->tunnels, ElementsAre(id_of("b")));
  EXPECT_TRUE(feed_.has(id_of("b")));
  EXPECT_EQ(feed_.acknowledged(), 4U);
}

TEST_F(Feed, RemovedIsInForceWhenAcknowledged) {
  sync({a_});
  GatewayFeed other(log_);  // keeps the tombstone
  log_.update({}, {});
  EXPECT_FALSE(feed_.has(id_of("a")));
  pull(feed_);
  ASSERT_TRUE(feed_.take(ack(2)));
  EXPECT_TRUE(feed_.has(id_of("a")));
}

TEST_F(Feed, LateRefusalOfAFormerVersionSaysNothing) {
  sync({a_});
  log_.update(Set{tunnel("a", {"new.example.com"})}, {});
  const auto news = feed_.take(refused("a", 1));
  ASSERT_TRUE(news);
  EXPECT_THAT(news->tunnels, IsEmpty());
  EXPECT_EQ(feed_.refusal(id_of("a")), nullptr);
  ASSERT_TRUE(feed_.take(refused("unknown", 1)));
}

TEST_F(Feed, TunnelThatIsTooLongIsKeptAndCountsAsRefused) {
  std::vector<std::string> rules;
  for (int i = 0; i < 4000; ++i) rules.push_back("a.example.com/" + std::string(1020, 'a') + std::to_string(i));
  log_.update(Set{tunnel("a", rules), b_}, {});
  ASSERT_TRUE(feed_.take(hello()));
  EXPECT_THAT(pull(feed_), ElementsAre("keep a 1", "tunnel b 2", "synced 2"));
  ASSERT_TRUE(feed_.take(ack(2)));
  EXPECT_FALSE(feed_.has(id_of("a")));
  ASSERT_NE(feed_.refusal(id_of("a")), nullptr);
  EXPECT_THAT(*feed_.refusal(id_of("a")), HasSubstr("4 MiB"));
}

TEST_F(Feed, LinksAreReplacedByTunnel) {
  sync({a_});
  const auto report = [&](const std::vector<LiveConnector>& connectors) {
    const auto news = feed_.take(write(GatewayMessage(LinksMessage{id_of("a"), connectors})));
    EXPECT_TRUE(news);
    return news->tunnels.size();
  };
  EXPECT_EQ(report({}), 0U) << "nothing new";
  EXPECT_EQ(report({{"i1", "home", {"web"}}}), 1U);
  EXPECT_EQ(report({{"i1", "home", {"web"}}}), 0U);
  EXPECT_EQ(report({{"i1", "home", {"web"}}, {"i2", "home", {"api"}}}), 1U);
  EXPECT_EQ(feed_.links().at(id_of("a")).size(), 2U);
  EXPECT_EQ(report({}), 1U);
  EXPECT_TRUE(feed_.links().empty());
}

TEST_F(Feed, TokenIsHandedOn) {
  sync({});
  const auto news = feed_.take(write(GatewayMessage(TokenMessage{"a.new.token"})));
  ASSERT_TRUE(news);
  EXPECT_EQ(news->token, "a.new.token");
}

TEST_F(Feed, WrongMessagesEndTheSession) {
  EXPECT_THAT(error_of(ack(0)), HasSubstr("first message is not hello"));
  EXPECT_THAT(error_of(write(GatewayMessage(HelloMessage{"", "", {}}))), HasSubstr("gateway is empty"));
  log_.update(Set{a_, b_}, {});
  ASSERT_TRUE(feed_.take(hello()));
  EXPECT_THAT(error_of(hello()), HasSubstr("second hello"));
  EXPECT_THAT(error_of(ack(0)), HasSubstr("none that it could acknowledge")) << "nothing was sent";
  pull(feed_);
  for (const auto& wrong : {ack(1), ack(3), ack(2, 4), ack(2, 6), ack(~0ULL)}) {
    EXPECT_THAT(error_of(wrong), HasSubstr("none that it could acknowledge")) << wrong;
  }
  ASSERT_TRUE(feed_.take(ack(2)));
  EXPECT_THAT(error_of(refused("a", 3)), HasSubstr("was not sent"));
  EXPECT_THAT(error_of(write(GatewayMessage(RefusedMessage{{5, 1}, "a", std::string(5000, 'x')}))),
              HasSubstr("too long"));
  EXPECT_THAT(error_of(write(GatewayMessage(LinksMessage{"not a uuid", {}}))), HasSubstr("not a UUID"));
  EXPECT_THAT(error_of(write(GatewayMessage(LinksMessage{id_of("a"), {{std::string(1200, 'i'), "", {}}}}))),
              HasSubstr("too long"));
  EXPECT_THAT(error_of(write(GatewayMessage(TokenMessage{""}))), HasSubstr("token"));
  EXPECT_THAT(error_of("{"), HasSubstr("no JSON object"));
}

TEST_F(Feed, LinksAreBounded) {
  sync({});
  std::vector<LiveConnector> many;
  for (int i = 0; i < 3000; ++i) many.push_back({std::to_string(i), std::string(500, 'n'), {}});
  many.push_back(many.back());
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(error_of(write(GatewayMessage(LinksMessage{id_of(std::to_string(i)), many}))), "");
  }
  EXPECT_GT(feed_.links().size(), 20U);
  EXPECT_LT(feed_.links().size(), 50U);
  EXPECT_EQ(feed_.links().begin()->second.size(), 3000U) << "each instance once";
  const auto id = feed_.links().begin()->first;
  ASSERT_TRUE(feed_.take(write(GatewayMessage(LinksMessage{id, {}}))));
  ASSERT_TRUE(feed_.take(write(GatewayMessage(LinksMessage{id, many})))) << "there is room again";
  EXPECT_TRUE(feed_.links().contains(id));
}

TEST_F(Feed, GatewayOfALaterTermIsTold) {
  log_.update(Set{a_}, {});
  for (const auto& [version, later] :
       std::vector<std::pair<Version, bool>>{{{4, 900}, false}, {{5, 1}, false}, {{5, 2}, true}, {{6, 0}, true}}) {
    GatewayFeed feed(log_);
    const auto taken = feed.take(hello(version));
    EXPECT_EQ(!taken, later) << to_string(version);
    if (!taken) {
      EXPECT_EQ(taken.error().later_term, version.term);
    }
  }
}

}  // namespace
}  // namespace adit::control::test
