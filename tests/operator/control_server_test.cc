// What gateways are sent, and what becomes of what they say.

#include "operator/control_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operator/control_ends.h"

namespace adit::controller {
namespace {

using namespace std::chrono_literals;
using control::test::id_of;
using control::test::tunnel;
using routing::TunnelConfigurationPtr;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::SizeIs;

TEST_F(ControlServerTest, SendsTheWholeStateAndThenOneMessageForOneChange) {
  start();
  const auto a = tunnel("a", {"a.example.com"});
  const auto b = tunnel("b", {"b.example.com"});
  lead({a, b});
  const auto gateway = dial_synced();
  EXPECT_EQ(gateway->lines(), control::test::lines({a, b}));
  ASSERT_TRUE(until([&] { return view("b").current == 1; }));
  EXPECT_THAT(told(), IsSupersetOf({"team/a", "team/b"}));
  const auto before = gateway->messages().size();
  const auto b2 = tunnel("b", {"b.example.com/new"});
  server_->update(compilation({a, b}));  // nothing new
  server_->update(compilation({a, b2}));
  ASSERT_TRUE(until([&] { return gateway->lines() == control::test::lines({a, b2}); }));
  EXPECT_THAT(gateway->messages(), SizeIs(before + 1));
  ASSERT_TRUE(until([&] { return view("b").current == 1 && !told().empty(); }));
  server_->update(compilation({b2}));
  ASSERT_TRUE(until([&] { return gateway->lines() == control::test::lines({b2}); }));
  EXPECT_TRUE(until([&] { return view("a").gateways == 0; }));
}

TEST_F(ControlServerTest, AcknowledgementsSayWhatIsInForce) {
  start();
  lead({tunnel("a", {"a.example.com"})});
  const auto gateway = dial_synced();
  gateway->answers = false;
  server_->update(compilation({tunnel("a", {"new.example.com"})}));
  ASSERT_TRUE(until([&] { return view("a").current == 0; }));
  EXPECT_EQ(view("a").gateways, 1U);
  ASSERT_TRUE(until([&] { return gateway->replica.has_news(); }));
  for (const auto& answer : gateway->replica.apply().answers) {
    gateway->say(control::test::read_as<control::AckMessage>(answer));
  }
  EXPECT_TRUE(until([&] { return view("a").current == 1; }));
}

TEST_F(ControlServerTest, ATunnelThatAGatewayRefusesIsToldWithTheReason) {
  start();
  lead({tunnel("a", {"a.example.com"})});
  const auto gateway = dial_synced();
  gateway->answers = false;
  server_->update(compilation({tunnel("a", {"new.example.com"})}));
  ASSERT_TRUE(until([&] { return gateway->replica.has_news(); }));
  const auto version = control::test::read_as<control::AckMessage>(gateway->replica.apply().answers.back()).version;
  gateway->say(control::RefusedMessage{version, id_of("a"), "too many hosts"});
  gateway->say(control::AckMessage{version});
  ASSERT_TRUE(until([&] { return view("a").refused == "gateway g1: too many hosts"; }));
  EXPECT_EQ(view("a").current, 0U);
  gateway->answers = true;
  server_->update(compilation({tunnel("a", {"a.example.com"})}));
  EXPECT_TRUE(until([&] { return view("a").current == 1 && view("a").refused.empty(); }));
}

TEST_F(ControlServerTest, LinksOfAllGatewaysAreCountedOnce) {
  start();
  lead({tunnel("a", {"a.example.com"}), tunnel("b", {"b.example.com"})});
  const auto one = dial_synced("g1");
  const auto two = dial_synced("g2");
  ASSERT_TRUE(until([&] { return view("a").current == 2; }));
  told();
  one->say_links("a", {"i1", "i2"});
  two->say_links("a", {"i2", "i3"});
  ASSERT_TRUE(until([&] { return view("a").connectors.size() == 3; }));
  EXPECT_THAT(told(), Contains("team/a"));
  EXPECT_THAT(view("b").connectors, IsEmpty());
  two->say_links("a", {});
  EXPECT_TRUE(until([&] { return view("a").connectors.size() == 2; }));
  one->say_links("unknown", {"i1"});  // nobody's: told to nobody
  one->say_links("a", {});
  EXPECT_TRUE(until([&] { return view("a").connectors.empty(); }));
  EXPECT_THAT(view("unknown").connectors, IsEmpty());
}

TEST_F(ControlServerTest, LinksThatAreReportedBeforeTheFirstCompilationCountFromIt) {
  start();
  server_->lead(1);
  const auto gateway = dial();
  gateway->say_links("a", {"i1"});
  gateway->say_links("b", {"i1"});
  ASSERT_TRUE(until([&] { return views_.gateways().size() == 1 && views_.gateways()[0].tunnels_with_links == 2; }));
  server_->update(compilation({tunnel("a", {"a.example.com"})}));
  ASSERT_TRUE(until([&] { return view("a").current == 1; }));
  EXPECT_THAT(view("a").connectors, SizeIs(1));
  EXPECT_THAT(view("b").connectors, IsEmpty());
}

TEST_F(ControlServerTest, LinksOfTunnelsThatAreOnlyKeptAreToldOf) {
  start();
  server_->lead(1);
  server_->update(compilation({}, {"a"}));
  const auto gateway = dial();
  ASSERT_TRUE(until([&] { return gateway->has_synced(); }));
  gateway->say_links("a", {"i1"});
  ASSERT_TRUE(until([&] { return view("a").connectors.size() == 1; }));
  EXPECT_EQ(view("a").current, 0U);
  ASSERT_TRUE(until([&] { return view("a").gateways == 1; }));
  EXPECT_THAT(told(), Contains("team/a"));
}

TEST_F(ControlServerTest, WhatALostGatewaySaidStaysForAMoment) {
  start({.tick = 5ms, .lost_for = 1h});
  lead({tunnel("a", {"a.example.com"})});
  auto gateway = dial_synced();
  gateway->say_links("a", {"i1"});
  ASSERT_TRUE(until([&] { return view("a").connectors.size() == 1; }));
  gateway->leave();
  ASSERT_TRUE(until([&] { return views_.gateways().empty(); }));
  EXPECT_EQ(view("a").gateways, 1U);
  EXPECT_THAT(view("a").connectors, SizeIs(1));
}

TEST_F(ControlServerTest, AndThenGoes) {
  start({.tick = 5ms, .lost_for = 20ms});
  lead({tunnel("a", {"a.example.com"})});
  auto gateway = dial_synced();
  gateway->say_links("a", {"i1"});
  ASSERT_TRUE(until([&] { return view("a").connectors.size() == 1; }));
  gateway->leave();
  ASSERT_TRUE(until([&] { return view("a").gateways == 0; }));
  EXPECT_THAT(view("a").connectors, IsEmpty());
  EXPECT_THAT(told(), Contains("team/a"));
}

TEST_F(ControlServerTest, AGatewayThatComesBackIsOne) {
  start({.tick = 5ms, .lost_for = 1h});
  lead({tunnel("a", {"a.example.com"})});
  const auto first = dial_synced("g1");
  first->say_links("a", {"i1"});
  ASSERT_TRUE(until([&] { return view("a").connectors.size() == 1; }));
  // The operator has not noticed that the first connection is dead.
  const auto second = dial_synced("g1");
  ASSERT_TRUE(until([&] { return !first->is_connected(); }));
  EXPECT_THAT(first->closed(), HasSubstr("the gateway has come back"));
  EXPECT_TRUE(until([&] { return view("a").connectors.empty(); }));
  second->say_links("a", {"i1", "i2"});
  ASSERT_TRUE(until([&] { return view("a").connectors.size() == 2; }));
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(most_gateways_, 1U);
}

TEST_F(ControlServerTest, TheLinkCertificateIsSentAndSentAgainWhenItIsAnother) {
  start();
  lead({tunnel("a", {"a.example.com"})});
  const auto first = routing::tls_data("edge.example.com");
  const auto second = routing::tls_data("edge.example.com");
  server_->set_link_certificate({first.at("tls.crt"), first.at("tls.key")});
  const auto gateway = dial_synced();
  ASSERT_TRUE(until([&] { return gateway->replica.link_certificate() != nullptr; }));
  EXPECT_EQ(gateway->replica.link_certificate()->chain_pem, first.at("tls.crt"));
  server_->set_link_certificate({second.at("tls.crt"), second.at("tls.key")});
  EXPECT_TRUE(until([&] { return gateway->replica.link_certificate()->chain_pem == second.at("tls.crt"); }));
}

TEST_F(ControlServerTest, GatewaysLearnOfEachOther) {
  using control::PeerGateway;
  start({.tick = 5ms, .lost_for = 20ms});
  server_->set_peer_certificate({"chain", "key", "trusted"});
  lead({tunnel("a", {"a.example.com"})});
  const auto one = dial({"g1", "0.1.0", {}, "10.0.0.1:7444"});
  auto two = dial({"g2", "0.1.0", {}, "10.0.0.2:7444"});
  const auto alone = dial({"g3", "0.1.0", {}});
  const auto known = [](const Gateway& gateway) {
    return gateway.replica.peers() ? gateway.replica.peers()->gateways : std::vector<PeerGateway>();
  };
  const std::vector<PeerGateway> both = {{"g1", "10.0.0.1:7444"}, {"g2", "10.0.0.2:7444"}};
  ASSERT_TRUE(until([&] { return known(*one) == both && known(*two) == both && alone->has_synced(); }));
  EXPECT_EQ(one->replica.peer_certificate()->trusted_pem, "trusted");
  EXPECT_FALSE(alone->replica.peers());
  two->leave();
  EXPECT_TRUE(until([&] { return known(*one) == std::vector<PeerGateway>{both[0]}; }));
}

TEST_F(ControlServerTest, TenThousandTunnelsAndOneChange) {
  start();
  std::vector<TunnelConfigurationPtr> all;
  for (int i = 0; i < 10'000; ++i)
    all.push_back(tunnel("t" + std::to_string(i), {"t" + std::to_string(i) + ".example.com"}));
  all.push_back(tunnel("a", {"a.example.com"}));
  lead(all);
  const auto gateway = dial_synced();
  ASSERT_TRUE(until([&] { return gateway->replica.tunnels() == all.size(); }));
  const auto before = gateway->messages().size();
  all.back() = tunnel("a", {"b.example.com"});
  server_->update(compilation(all));
  ASSERT_TRUE(until([&] { return gateway->messages().size() > before && view("a").current == 1; }));
  EXPECT_THAT(gateway->messages(), SizeIs(before + 1));
}

}  // namespace
}  // namespace adit::controller
