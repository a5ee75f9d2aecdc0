// Messages as JSON texts: what is written is read, and what is wrong is named.

#include "control/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/control/tunnels.h"

namespace adit::control::test {
namespace {

using testing::HasSubstr;

TEST(Messages, TunnelIsReadAsItWasWritten) {
  TunnelMessage message;
  message.version = {7, 41};
  message.tunnel = tunnel("shop", {})->tunnel;
  message.rules = {{"shop.example.com", "/", "default", false}, {"*.example.com", "/a", "api:8080", true}};
  message.certificates = {{"shop.example.com", "f1"}};
  message.more = true;
  const auto read = read_as<TunnelMessage>(write(OperatorMessage(message)));
  EXPECT_EQ(read.version, (Version{7, 41}));
  EXPECT_EQ(read.tunnel->id, message.tunnel->id);
  EXPECT_EQ(read.tunnel->name, "team/shop");
  EXPECT_EQ(read.tunnel->tokens, message.tunnel->tokens);
  EXPECT_EQ(read.rules, message.rules);
  EXPECT_EQ(read.certificates, message.certificates);
  EXPECT_TRUE(read.more);
}

TEST(Messages, OthersAreReadAsTheyWereWritten) {
  const auto key = certificate("DNS:shop.example.com");
  const auto read_key = read_as<CertificateMessage>(write(OperatorMessage(CertificateMessage{key}))).certificate;
  EXPECT_EQ(read_key->fingerprint, key->fingerprint);
  EXPECT_EQ(read_key->chain_pem, key->chain_pem);
  EXPECT_EQ(read_key->key_pem, key->key_pem);
  EXPECT_EQ(read_key->name, key->name);
  const auto remove = read_as<RemoveMessage>(write(OperatorMessage(RemoveMessage{{1, 2}, "id", true})));
  EXPECT_EQ(remove.id, "id");
  EXPECT_TRUE(remove.more);
  const auto keep = read_as<KeepMessage>(write(OperatorMessage(KeepMessage{{1, 3}, "id", false})));
  EXPECT_EQ(keep.version, (Version{1, 3}));
  EXPECT_FALSE(keep.more);
  EXPECT_EQ(read_as<SyncedMessage>(write(OperatorMessage(SyncedMessage{{~0ULL, ~0ULL}}))).version,
            (Version{~0ULL, ~0ULL}));
  EXPECT_EQ(read_as<LinkCertificateMessage>(write(OperatorMessage(LinkCertificateMessage{"c", "k"}))).key_pem, "k");
  const PeerCertificateMessage peer{"c", "k", "t"};
  EXPECT_EQ(read_as<PeerCertificateMessage>(write(OperatorMessage(peer))), peer);
  const PeersMessage peers{{{"g1", "10.0.0.1:7444"}, {"g2", "[::1]:7444"}}};
  EXPECT_EQ(read_as<PeersMessage>(write(OperatorMessage(peers))), peers);
  EXPECT_EQ(read_as<HelloMessage>(write(GatewayMessage(HelloMessage{"g", "0.1.0", {}, "h:1"}))).peer_address, "h:1");
  EXPECT_EQ(read_as<HelloMessage>(write(GatewayMessage(HelloMessage{"g", "0.1.0", {}}))).peer_address, "");
  EXPECT_FALSE(read_as<HelloMessage>(write(GatewayMessage(HelloMessage{"g", "0.1.0", {}}))).version);
  EXPECT_EQ(read_as<HelloMessage>(write(GatewayMessage(HelloMessage{"g", "0.1.0", Version{2, 9}}))).version,
            (Version{2, 9}));
  EXPECT_EQ(read_as<AckMessage>(write(GatewayMessage(AckMessage{{2, 9}}))).version, (Version{2, 9}));
  EXPECT_EQ(read_as<RefusedMessage>(write(GatewayMessage(RefusedMessage{{2, 9}, "i", "why"}))).reason, "why");
  const LinksMessage links{"i", {{"instance", "name", {"api", "web"}}, {"other", "", {}}}};
  EXPECT_EQ(read_as<LinksMessage>(write(GatewayMessage(links))).connectors, links.connectors);
  EXPECT_EQ(read_as<TokenMessage>(write(GatewayMessage(TokenMessage{"t"}))).token, "t");
}

TunnelMessage trip(routing::Affinity affinity, std::optional<std::uint32_t> weight = {}) {
  auto tunnel = std::make_shared<routing::Tunnel>();
  tunnel->affinity = std::move(affinity);
  return read_as<TunnelMessage>(
      write(OperatorMessage(TunnelMessage{{1, 1}, tunnel, {{"h.test", "/", "web", false, nullptr, weight}}, {}})));
}

TEST(Messages, AffinityAndWeightsSurvive) {
  using Mode = routing::Affinity::Mode;
  for (const auto& affinity :
       {routing::Affinity{}, routing::Affinity{Mode::address, "", {}}, routing::Affinity{Mode::cookie, "home", {}},
        routing::Affinity{Mode::cookie, "home", std::chrono::hours(2)}}) {
    const auto read = trip(affinity);
    EXPECT_EQ(read.tunnel->affinity, affinity);
    EXPECT_EQ(read.fault, "");
  }
  EXPECT_EQ(trip({}).rules.at(0).weight, std::nullopt);
  EXPECT_EQ(trip({}, 0).rules.at(0).weight, 0U);
  EXPECT_EQ(trip({}, 1000).rules.at(0).weight, 1000U);
}

TEST(Messages, WhatThisVersionCannotDoIsAFault) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("affinity":{"mode":"Header"},"rules":[])", "an affinity of unknown mode"},
      {R"("affinity":{"mode":"Cookie","cookieName":"a","maxAge":99999999},"rules":[])", "more than 366 days"},
      {R"("rules":[{"host":"h","path":"/","service":"s","weight":1001}])", "a weight of more than 1000"},
  };
  for (const auto& [part, fault] : cases) {
    const auto text =
        std::string(R"({"type":"tunnel","version":{"term":1,"counter":1},"id":"a","name":"n","tokens":[],)") + part +
        R"(,"certificates":{}})";
    EXPECT_THAT(read_as<TunnelMessage>(text).fault, HasSubstr(fault)) << text;
  }
}

TEST(Messages, HaveNoLineBreaksAndAreUtf8) {
  const auto text = write(GatewayMessage(RefusedMessage{{1, 1}, "i", "a\nb\xff"}));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(read_as<RefusedMessage>(text).reason, "a\nb\xef\xbf\xbd");
}

TEST(Messages, UnknownTypesAndFieldsAreIgnored) {
  const auto unknown = read_operator_message(R"({"type":"weather","sun":[1,2]})");
  ASSERT_TRUE(unknown);
  EXPECT_FALSE(*unknown);
  const auto wrong_way = read_gateway_message(R"({"type":"synced","version":{"term":1,"counter":1}})");
  ASSERT_TRUE(wrong_way);
  EXPECT_FALSE(*wrong_way);
  const auto ack = read_gateway_message(R"({"type":"ack","version":{"term":1,"counter":2,"x":null},"y":{"z":1}})");
  ASSERT_TRUE(ack && *ack);
  EXPECT_EQ(std::get<AckMessage>(**ack).version, (Version{1, 2}));
}

TEST(Messages, WrongOnesSayWhatIsWrong) {
  const struct {
    const char* text;
    const char* why;
  } cases[] = {
      {"", "no JSON object"},
      {"{", "no JSON object"},
      {"[]", "no JSON object"},
      {"nothing", "no JSON object"},
      {R"({"type":"synced","version":{"term":1,"counter":1}} x)", "no JSON object"},
      {R"({})", "message: type is missing"},
      {R"({"type":3})", "message: type is not a text"},
      {R"({"type":"synced"})", "synced: version is missing"},
      {R"({"type":"synced","version":3})", "synced: version is not an object"},
      {R"({"type":"synced","version":{"term":1}})", "synced: version: counter is missing"},
      {R"({"type":"synced","version":{"term":-1,"counter":1}})", "synced: version: term is not a whole number"},
      {R"({"type":"synced","version":{"term":1.5,"counter":1}})", "synced: version: term is not a whole number"},
      {R"({"type":"synced","version":{"term":1e99,"counter":1}})", "synced: version: term is not a whole number"},
      {R"({"type":"remove","version":{"term":1,"counter":1}})", "remove: id is missing"},
      {R"({"type":"remove","version":{"term":1,"counter":1},"id":"a","more":1})", "remove: more is not true or false"},
      {R"({"type":"tunnel","version":{"term":1,"counter":1},"id":"a","name":"n","tokens":["zz"],"rules":[],)"
       R"("certificates":{}})",
       "tunnel: tokens holds what is not a SHA-256"},
      {R"({"type":"tunnel","version":{"term":1,"counter":1},"id":"a","name":"n","tokens":[4],"rules":[],)"
       R"("certificates":{}})",
       "tunnel: tokens holds what is not a text"},
      {R"({"type":"tunnel","version":{"term":1,"counter":1},"id":"a","name":"n","tokens":[],"rules":[{},1],)"
       R"("certificates":{}})",
       "tunnel: rules[0]: host is missing"},
      {R"({"type":"tunnel","version":{"term":1,"counter":1},"id":"a","name":"n","tokens":[],"rules":[1],)"
       R"("certificates":{}})",
       "tunnel: rules[0] is not an object"},
      {R"({"type":"tunnel","version":{"term":1,"counter":1},"id":"a","name":"n","tokens":[],"rules":[],)"
       R"("certificates":{"a":1}})",
       "tunnel: certificates holds what is not an array"},
      {R"({"type":"certificate","fingerprint":"f","name":"n","chain":null,"key":"k"})",
       "certificate: chain is not a text"},
  };
  for (const auto& [text, why] : cases) {
    const auto read = read_operator_message(text);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error(), HasSubstr(why)) << text;
  }
  const auto links = read_gateway_message(R"({"type":"links","id":"i","connectors":[{"instance":1}]})");
  ASSERT_FALSE(links);
  EXPECT_EQ(links.error(), "links: connectors[0]: instance is not a text");
}

TEST(Messages, LongAndDeepOnesEnd) {
  const auto deep = read_operator_message(std::string(kMostMessageBytes, '['));
  EXPECT_FALSE(deep);
  const auto nested = R"({"type":"x","a":)" + std::string(500'000, '[') + std::string(500'000, ']') + "}";
  EXPECT_TRUE(read_operator_message(nested));
  const auto longer = read_operator_message("{\"type\":\"" + std::string(kMostMessageBytes, 'a') + "\"}");
  ASSERT_FALSE(longer);
  EXPECT_THAT(longer.error(), HasSubstr("longer than 4 MiB"));
}

TEST(Messages, VersionsAreOrderedByTermFirst) {
  EXPECT_LT((Version{1, 900}), (Version{2, 1}));
  EXPECT_LT((Version{2, 1}), (Version{2, 2}));
  EXPECT_EQ(to_string(Version{2, 1}), "2.1");
}

}  // namespace
}  // namespace adit::control::test
