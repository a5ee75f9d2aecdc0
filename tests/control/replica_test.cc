// What the gateway takes over from the operator, and what it refuses.

#include "control/replica.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/control/tunnels.h"

namespace adit::control::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string text(const TunnelConfigurationPtr& configuration, Version version, bool more = false) {
  TunnelMessage message{version, configuration->tunnel, configuration->rules, {}, more};
  for (const auto& [host, key] : configuration->certificates) message.certificates.push_back({host, key->fingerprint});
  return write(OperatorMessage(std::move(message)));
}
std::string text(const std::shared_ptr<const routing::Certificate>& key) {
  return write(OperatorMessage(CertificateMessage{key}));
}
std::string synced(Version version) { return write(OperatorMessage(SyncedMessage{version})); }
std::string removed(const std::string& name, Version version, bool more = false) {
  return write(OperatorMessage(RemoveMessage{version, id_of(name), more}));
}
std::string kept(const std::string& name, Version version, bool more = false) {
  return write(OperatorMessage(KeepMessage{version, id_of(name), more}));
}

class Replicas : public testing::Test {
 protected:
  void take(const std::vector<std::string>& messages) {
    for (const auto& message : messages) {
      const auto taken = replica_.take(message);
      EXPECT_TRUE(taken) << taken.error() << ": " << message;
    }
  }
  std::string error_of(const std::string& message) {
    const auto taken = replica_.take(message);
    return taken ? "" : taken.error();
  }
  void sync(const std::vector<std::string>& messages, Version version) {
    replica_.begin_session();
    take(messages);
    take({synced(version)});
  }
  /// Applies; true if the set has changed. What was answered is kept for a look.
  bool apply() {
    auto news = replica_.apply();
    answers_ = news.answers;
    return news.set_changed;
  }
  std::vector<std::string> set() const { return lines(replica_.set()); }
  Version acknowledged() const { return read_as<AckMessage>(answers_.back()).version; }
  std::string refusal() const {
    return answers_.size() == 2 ? read_as<RefusedMessage>(answers_.front()).reason : "none";
  }

  Replica replica_;
  std::vector<std::string> answers_;
  TunnelConfigurationPtr a_ = tunnel("a", {"a.example.com"});
  TunnelConfigurationPtr b_ = tunnel("b", {"b.example.com", "b.example.com/x"});
};

TEST_F(Replicas, NothingCountsBeforeSynced) {
  replica_.begin_session();
  take({text(a_, {1, 1}), text(b_, {1, 2})});
  EXPECT_FALSE(replica_.has_news());
  EXPECT_FALSE(replica_.version());
  take({synced({1, 2})});
  EXPECT_TRUE(replica_.has_news());
  EXPECT_TRUE(apply());
  EXPECT_EQ(set(), lines({a_, b_}));
  EXPECT_THAT(answers_, SizeIs(1));
  EXPECT_EQ(acknowledged(), (Version{1, 2}));
  EXPECT_FALSE(replica_.has_news());
}

TEST_F(Replicas, EmptyFullStateIsAState) {
  sync({}, {1, 0});
  EXPECT_TRUE(apply()) << "the first one is always told";
  EXPECT_THAT(set(), IsEmpty());
  sync({}, {1, 0});
  EXPECT_FALSE(apply());
  EXPECT_EQ(acknowledged(), (Version{1, 0}));
}

TEST_F(Replicas, SingleChangesAfterSynced) {
  sync({text(a_, {1, 1}), text(b_, {1, 2})}, {1, 2});
  apply();
  const auto changed = tunnel("a", {"a.example.com"}, "api");
  take({text(changed, {1, 3})});
  EXPECT_TRUE(apply());
  EXPECT_EQ(set(), lines({changed, b_}));
  EXPECT_EQ(acknowledged(), (Version{1, 3}));
  take({text(changed, {1, 4})});
  EXPECT_FALSE(apply()) << "the same";
  EXPECT_EQ(acknowledged(), (Version{1, 4}));
  take({removed("b", {1, 5}), removed("unknown", {1, 6})});
  EXPECT_TRUE(apply());
  EXPECT_EQ(set(), lines({changed}));
  EXPECT_EQ(acknowledged(), (Version{1, 6})) << "one acknowledgement for both";
}

TEST_F(Replicas, ChangesThatBelongTogetherCountTogether) {
  sync({text(a_, {1, 1}), text(b_, {1, 2})}, {1, 2});
  apply();
  // b gets a's host, and a b's: each alone would contradict the other.
  const auto a = tunnel("a", {"b.example.com"});
  const auto b = tunnel("b", {"a.example.com"});
  take({text(b, {1, 3}, true)});
  EXPECT_FALSE(replica_.has_news());
  EXPECT_EQ(replica_.version(), (Version{1, 2}));
  take({text(a, {1, 4})});
  EXPECT_TRUE(apply());
  EXPECT_EQ(set(), lines({a, b}));
  EXPECT_THAT(answers_, SizeIs(1)) << "nothing was refused";
}

TEST_F(Replicas, WhatWasHalfSaidIsForgotten) {
  sync({text(a_, {1, 1})}, {1, 1});
  apply();
  take({removed("a", {1, 2}, true)});
  replica_.begin_session();
  EXPECT_FALSE(replica_.is_synced());
  EXPECT_EQ(set(), lines({a_}));
  take({text(b_, {1, 4})});
  replica_.begin_session();
  EXPECT_EQ(set(), lines({a_}));
  EXPECT_FALSE(replica_.has_news());
}

TEST_F(Replicas, WhatTheFullStateDoesNotNameIsGone) {
  const auto c = tunnel("c", {"c.example.com"});
  sync({text(a_, {1, 1}), text(b_, {1, 2}), text(c, {1, 3})}, {1, 3});
  apply();
  sync({text(a_, {2, 1}), kept("c", {2, 2}), kept("unknown", {2, 3})}, {2, 3});
  EXPECT_TRUE(apply());
  EXPECT_EQ(set(), lines({a_, c}));
  sync({text(a_, {3, 1}), text(c, {3, 2}), removed("c", {3, 3})}, {3, 3});
  EXPECT_TRUE(apply());
  EXPECT_EQ(set(), lines({a_})) << "removed before synced";
}

TEST_F(Replicas, LateFormerLeaderIsRefused) {
  sync({text(a_, {3, 1})}, {3, 9});
  apply();
  replica_.begin_session();
  EXPECT_THAT(error_of(text(b_, {2, 100})), HasSubstr("earlier leader"));
  EXPECT_THAT(error_of(removed("a", {2, 100})), HasSubstr("earlier leader"));
  EXPECT_THAT(error_of(synced({2, 100})), HasSubstr("earlier leader"));
  EXPECT_EQ(set(), lines({a_}));
  replica_.begin_session();
  EXPECT_THAT(error_of(synced({3, 8})), HasSubstr("older than 3.9"));
  EXPECT_EQ(set(), lines({a_}));
}

TEST_F(Replicas, VersionsOfASessionRise) {
  sync({text(a_, {3, 1})}, {3, 4});
  apply();
  EXPECT_THAT(error_of(text(b_, {3, 3})), HasSubstr("comes after 3.4"));
  EXPECT_THAT(error_of(text(b_, {4, 5})), HasSubstr("another leader"));
  EXPECT_THAT(error_of(synced({3, 4})), HasSubstr("twice"));
}

TEST_F(Replicas, RefusesAloneAndKeepsTheFormerOne) {
  const auto key = certificate("DNS:b.example.com");
  const auto with = [](auto change) {
    routing::TunnelConfiguration copy = *tunnel("b", {"b.example.com"});
    routing::Tunnel made = *copy.tunnel;
    change(copy, made);
    copy.tunnel = std::make_shared<const routing::Tunnel>(made);
    return std::make_shared<const routing::TunnelConfiguration>(copy);
  };
  using Configuration = routing::TunnelConfiguration;
  using routing::Tunnel;
  const struct {
    TunnelConfigurationPtr wrong;
    const char* why;
  } cases[] = {
      {with([](Configuration&, Tunnel& t) { t.name = "b"; }), "is not NAMESPACE/NAME"},
      {with([](Configuration&, Tunnel& t) { t.name = "team/b\n"; }), "is not NAMESPACE/NAME"},
      {with([](Configuration& c, Tunnel&) { c.rules[0].host = "B.example.com"; }), "is not canonical"},
      {with([](Configuration& c, Tunnel&) { c.rules[0].host = ""; }), "is not canonical"},
      {with([](Configuration& c, Tunnel&) { c.rules[0].path = "/a/"; }), "is not canonical"},
      {with([](Configuration& c, Tunnel&) { c.rules[0].path = ""; }), "is not canonical"},
      {with([](Configuration& c, Tunnel&) { c.rules[0].service = "a b"; }), "is no name of a service"},
      {with([](Configuration& c, Tunnel&) { c.rules.push_back(c.rules[0]); }), "has two rules"},
      {with([](Configuration& c, Tunnel&) { c.rules[0].host = "a.example.com"; }), "belongs to team/a"},
      {with([&](Configuration& c, Tunnel&) {
         c.certificates = {{"b.example.com", key}};
       }),
       "was not sent"},
      {with([&](Configuration& c, Tunnel&) {
         c.certificates = {{"x.example.com", key}};
       }),
       "which has no rule"},
  };
  sync({text(a_, {1, 1}), text(b_, {1, 2})}, {1, 2});
  apply();
  std::uint64_t counter = 2;
  for (const auto& [wrong, why] : cases) {
    take({text(wrong, {1, ++counter})});
    EXPECT_FALSE(apply()) << why;
    EXPECT_EQ(set(), lines({a_, b_})) << why;
    EXPECT_THAT(refusal(), HasSubstr(why));
    EXPECT_EQ(acknowledged(), (Version{1, counter}));
    EXPECT_EQ(replica_.refused(), 1U);
  }
  sync({text(a_, {2, 1}), text(cases[0].wrong, {2, 2})}, {2, 2});
  EXPECT_FALSE(apply());
  EXPECT_EQ(set(), lines({a_, b_})) << "in a full state, too";
  take({text(b_, {2, 3})});
  EXPECT_EQ(replica_.refused(), 0U);
}

TEST_F(Replicas, IdThatIsNoUuidIsRefusedByName) {
  auto wrong = std::make_shared<routing::TunnelConfiguration>(*a_);
  wrong->tunnel = std::make_shared<const routing::Tunnel>(routing::Tunnel{"a", "team/a", {}});
  sync({text(wrong, {1, 1}), text(b_, {1, 2})}, {1, 2});
  apply();
  EXPECT_THAT(refusal(), HasSubstr("is not a UUID"));
  EXPECT_EQ(set(), lines({b_}));
  wrong->tunnel = std::make_shared<const routing::Tunnel>(routing::Tunnel{std::string(65, 'a'), "team/a", {}});
  EXPECT_THAT(error_of(text(wrong, {1, 3})), HasSubstr("longer than any id"));
}

TEST_F(Replicas, FormerOneGivesWayToWhatOthersHaveByNow) {
  const auto key = certificate("DNS:b.example.com");
  const auto b = tunnel("b", {"b.example.com", "b2.example.com"}, "default", {{"b.example.com", key}});
  sync({text(key), text(b, {1, 1})}, {1, 1});
  apply();
  // b's new configuration is wrong, and a is given one of b's hosts.
  auto wrong = std::make_shared<routing::TunnelConfiguration>(*tunnel("b", {"b3.example.com"}, "a b"));
  const auto a = tunnel("a", {"b.example.com"});
  take({text(wrong, {1, 2}, true), text(a, {1, 3})});
  EXPECT_TRUE(apply());
  EXPECT_EQ(set(), lines({a, tunnel("b", {"b2.example.com"})}));
  sync({text(a, {2, 1}), kept("b", {2, 2})}, {2, 2});
  EXPECT_FALSE(apply());
  EXPECT_EQ(set(), lines({a, tunnel("b", {"b2.example.com"})}));
}

TEST_F(Replicas, FormerOneGivesWayLaterToo) {
  const auto b = tunnel("b", {"b.example.com", "b2.example.com"});
  sync({text(b, {1, 1})}, {1, 1});
  take({text(tunnel("b", {"b3.example.com"}, "a b"), {1, 2})});
  apply();
  EXPECT_EQ(set(), lines({b}));
  const auto a = tunnel("a", {"b.example.com"});
  take({text(a, {1, 3})});
  EXPECT_TRUE(apply());
  EXPECT_EQ(set(), lines({a, tunnel("b", {"b2.example.com"})}));
  EXPECT_THAT(answers_, SizeIs(1)) << "a is not refused for what b no longer should have";
  EXPECT_EQ(replica_.refused(), 1U);
  take({text(tunnel("b", {"b2.example.com", "b.example.com"}), {1, 4})});
  EXPECT_FALSE(apply());
  EXPECT_THAT(refusal(), HasSubstr("belongs to team/a"));
}

TEST_F(Replicas, OneCertificateForAHost) {
  const auto key = certificate("DNS:h.example.com");
  const auto a = tunnel("a", {"h.example.com/a"}, "default", {{"h.example.com", key}});
  const auto b = tunnel("b", {"h.example.com/b"}, "default", {{"h.example.com", key}});
  sync({text(key), text(a, {1, 1}), text(b, {1, 2})}, {1, 2});
  apply();
  EXPECT_THAT(refusal(), HasSubstr("the certificate of h.example.com belongs to team/a"));
}

routing::TunnelConfigurationPtr weighted(const std::string& name, std::uint32_t weight, bool is_private = false) {
  auto made = std::make_shared<routing::TunnelConfiguration>(*tunnel(name, {"h.example.com"}));
  made->rules[0].weight = weight;
  made->rules[0].is_private = is_private;
  return made;
}

TEST_F(Replicas, RulesThatAreSharedByWeight) {
  const auto a = weighted("a", 90);
  const auto b = weighted("b", 10);
  sync({text(a, {1, 1}), text(b, {1, 2})}, {1, 2});
  apply();
  EXPECT_EQ(set(), lines({a, b}));
  take({text(weighted("c", 10, true), {1, 3})});
  apply();
  EXPECT_THAT(refusal(), HasSubstr("h.example.com/ belongs to team/a")) << "another visibility";
  take({text(tunnel("c", {"h.example.com"}), {1, 4})});
  apply();
  EXPECT_THAT(refusal(), HasSubstr("h.example.com/ belongs to team/a")) << "no weight";
  take({text(weighted("a", 50), {1, 5})});
  EXPECT_TRUE(apply());
  EXPECT_EQ(set(), lines({weighted("a", 50), b}));
}

TEST_F(Replicas, CertificatesAreChecked) {
  const auto good = certificate("DNS:b.example.com");
  const auto other = certificate("DNS:b.example.com");
  const auto change = [&](auto apply_change) {
    auto wrong = std::make_shared<routing::Certificate>(*good);
    apply_change(*wrong);
    return std::shared_ptr<const routing::Certificate>(wrong);
  };
  const struct {
    std::shared_ptr<const routing::Certificate> wrong;
    const char* why;
  } cases[] = {
      {change([&](auto& c) { c.key_pem = other->key_pem; }), "does not belong"},
      {change([&](auto& c) { c.chain_pem = "nothing"; }), "not a chain"},
      {change([&](auto& c) { c.fingerprint = std::string(64, '0'); }), "another fingerprint"},
  };
  std::uint64_t counter = 0;
  for (const auto& [wrong, why] : cases) {
    ++counter;
    sync({text(wrong), text(tunnel("b", {"b.example.com"}, "default", {{"b.example.com", wrong}}), {1, counter})},
         {1, counter});
    apply();
    EXPECT_THAT(refusal(), HasSubstr(why));
    EXPECT_THAT(set(), IsEmpty());
  }
  sync({text(good), text(tunnel("b", {"b.example.com"}, "default", {{"b.example.com", good}}), {1, 9})}, {1, 9});
  EXPECT_TRUE(apply());
  EXPECT_THAT(answers_, SizeIs(1));
}

TEST_F(Replicas, CertificateThatNobodyNamesIsForgotten) {
  const auto key = certificate("DNS:b.example.com");
  const auto with = tunnel("b", {"b.example.com"}, "default", {{"b.example.com", key}});
  sync({text(key), text(with, {1, 1})}, {1, 1});
  take({text(b_, {1, 2}), text(with, {1, 3})});
  apply();
  EXPECT_THAT(refusal(), HasSubstr("was not sent"));
  take({text(key), text(a_, {1, 4}), text(with, {1, 5})});
  apply();
  EXPECT_THAT(refusal(), HasSubstr("was not sent")) << "another tunnel's message came between";
  take({text(key), text(with, {1, 6})});
  apply();
  EXPECT_EQ(set(), lines({a_, with}));
}

TEST_F(Replicas, EqualCertificatesAndTunnelsAreOneObject) {
  const auto key = certificate("DNS:b.example.com");
  const auto with = tunnel("b", {"b.example.com"}, "default", {{"b.example.com", key}});
  sync({text(key), text(with, {1, 1})}, {1, 1});
  apply();
  const auto before = replica_.set();
  sync({text(key), text(with, {2, 1})}, {2, 1});
  EXPECT_FALSE(apply());
  EXPECT_EQ(replica_.set(), before);
  take({text(tunnel("b", {"b.example.com"}, "api", {{"b.example.com", key}}), {2, 2})});
  EXPECT_TRUE(apply());
  EXPECT_EQ(replica_.set()[0]->certificates[0].certificate, before[0]->certificates[0].certificate);
}

TEST_F(Replicas, LinkCertificateIsTakenAtOnce) {
  const auto key = certificate("DNS:link.example.com");
  const auto message = write(OperatorMessage(LinkCertificateMessage{key->chain_pem, key->key_pem}));
  replica_.begin_session();
  take({message});
  EXPECT_TRUE(replica_.has_news());
  ASSERT_TRUE(replica_.link_certificate());
  const auto first = replica_.link_certificate();
  EXPECT_EQ(first->key_pem, key->key_pem);
  EXPECT_FALSE(apply());
  EXPECT_THAT(answers_, IsEmpty());
  take({message});
  EXPECT_EQ(replica_.link_certificate(), first);
  EXPECT_FALSE(replica_.has_news());
  take({write(OperatorMessage(LinkCertificateMessage{"nothing", key->key_pem}))});
  EXPECT_EQ(replica_.link_certificate(), first) << "a wrong one does not replace a good one";
  EXPECT_THAT(replica_.apply().warnings, Contains(HasSubstr("link certificate has a tls.crt")));
}

TEST_F(Replicas, PeersAreTakenAtOnceAndKeptInTheCopy) {
  const PeersMessage peers{{{"one", "10.0.0.1:7444"}}};
  sync({write(OperatorMessage(PeerCertificateMessage{"c", "k", "t"})), write(OperatorMessage(peers))}, {4, 1});
  ASSERT_TRUE(replica_.peers() && replica_.peer_certificate());
  const auto first = replica_.peers();
  EXPECT_EQ(*first, peers);
  EXPECT_EQ(replica_.peer_certificate()->trusted_pem, "t");
  apply();
  take({write(OperatorMessage(peers))});
  EXPECT_EQ(replica_.peers(), first) << "the same is no change";
  EXPECT_FALSE(replica_.has_news());
  Replica other;
  ASSERT_TRUE(other.read_copy(replica_.write_copy()));
  EXPECT_EQ(*other.peers(), peers);
  EXPECT_EQ(*other.peer_certificate(), *replica_.peer_certificate());
  take({write(OperatorMessage(PeersMessage{}))});
  EXPECT_TRUE(replica_.has_news());
  EXPECT_THAT(replica_.peers()->gateways, IsEmpty());
}

TEST_F(Replicas, MorePeersThanThereCanBeEndTheSession) {
  PeersMessage peers;
  peers.gateways.resize(1001, {"one", "10.0.0.1:7444"});
  replica_.begin_session();
  EXPECT_FALSE(replica_.take(write(OperatorMessage(peers))));
  EXPECT_FALSE(replica_.peers());
}

TEST_F(Replicas, CopyBringsTheStateBack) {
  const auto key = certificate("DNS:b.example.com");
  const auto with = tunnel("b", {"b.example.com", "b.example.com/x"}, "default", {{"b.example.com", key}});
  const auto link = certificate("DNS:link.example.com");
  sync({text(key), text(with, {4, 1}), text(a_, {4, 2}),
        write(OperatorMessage(LinkCertificateMessage{link->chain_pem, link->key_pem}))},
       {4, 2});
  Replica other;
  const auto read = other.read_copy(replica_.write_copy());
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(lines(other.set()), lines({a_, with}));
  EXPECT_EQ(other.version(), (Version{4, 2}));
  EXPECT_EQ(other.link_certificate()->key_pem, link->key_pem);
  EXPECT_FALSE(other.is_synced());
  const auto news = other.apply();
  EXPECT_TRUE(news.set_changed);
  EXPECT_THAT(news.answers, IsEmpty());
  EXPECT_EQ(other.write_copy(), replica_.write_copy());
  other.begin_session();
  EXPECT_FALSE(other.take(synced({3, 1}))) << "a former leader cannot bring anything back over a copy either";
}

TEST_F(Replicas, CopyThatWasCutOrChangedIsRefused) {
  sync({text(a_, {4, 1})}, {4, 1});
  const auto copy = replica_.write_copy();
  for (std::size_t size = 0; size < copy.size(); size += 7) {
    Replica other;
    EXPECT_FALSE(other.read_copy(copy.substr(0, size))) << size;
    EXPECT_FALSE(other.version());
    auto changed = copy;
    changed[size] ^= 1;
    EXPECT_FALSE(other.read_copy(changed)) << size;
    EXPECT_FALSE(other.version());
    EXPECT_FALSE(other.has_news());
  }
}

}  // namespace
}  // namespace adit::control::test
