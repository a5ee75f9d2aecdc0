// The operator's end of the control channel over real sockets, against the gateways' own Replica.

#include "operator/control_server.h"

#include <condition_variable>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/replica.h"
#include "routing/digest.h"
#include "tests/control/tunnels.h"
#include "tests/kube/simulated_api.h"
#include "tests/net/channel_ends.h"
#include "tests/operator/wait_until.h"

namespace adit::controller {
namespace {

using namespace std::chrono_literals;
using control::test::id_of;
using control::test::tunnel;
using routing::TunnelConfigurationPtr;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::SizeIs;

constexpr const char* kAudience = "adit.dev/adit";
constexpr const char* kUser = "system:serviceaccount:adit:adit-gateway";

std::string token_until(WallTime end) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(end.time_since_epoch()).count();
  return "e30." + routing::encode_base64("{\"exp\":" + std::to_string(seconds) + "}") + ".c2ln";
}

CompilationPtr compilation(std::vector<TunnelConfigurationPtr> configurations, std::vector<std::string> kept = {}) {
  auto made = std::make_shared<Compilation>();
  made->configurations = std::move(configurations);
  for (const auto& name : kept) {
    auto facts = std::make_shared<TunnelFacts>();
    facts->id = id_of(name);
    made->keep.push_back(facts->id);
    made->facts.emplace("team/" + name, facts);
  }
  return made;
}

/// A gateway as far as the operator sees one.
class Gateway {
 public:
  Gateway(net::Loop& loop, net::ChannelRequest request, control::HelloMessage hello) : loop_(loop) {
    auto& end = dialled_.end;
    end.when_message = [this](std::string_view text) { take(text); };
    dialled_.start(loop_, request);
    EXPECT_TRUE(net::test::until(loop_, [&] { return dialled_.over(); }));
    if (end.channel) say(std::move(hello));
  }

  template <class Message>
  void say(Message message) {
    dialled_.end.channel->send(control::write(control::GatewayMessage(std::move(message))));
  }
  void say_links(const std::string& name, const std::vector<std::string>& instances) {
    control::LinksMessage links{id_of(name), {}};
    for (const auto& instance : instances) links.connectors.push_back({instance, "c", {"default"}});
    say(std::move(links));
  }
  bool is_connected() const { return dialled_.end.channel && !dialled_.end.closed; }
  bool has_synced() const { return replica.is_synced(); }
  std::string closed() const { return dialled_.end.closed.value_or(""); }
  std::string failure() const {
    return dialled_.failures && !dialled_.failures->empty() ? dialled_.failures->back().text() : "";
  }
  const std::vector<std::string>& messages() const { return dialled_.end.messages; }
  std::vector<std::string> lines() const { return control::test::lines(replica.set()); }
  void leave() { dialled_.end.channel.reset(); }

  control::Replica replica;
  bool answers = true;  ///< acknowledges what it took

 private:
  void take(std::string_view text) {
    const auto taken = replica.take(text);
    EXPECT_TRUE(taken) << taken.error();
    if (!answers || !replica.has_news()) return;
    for (auto& answer : replica.apply().answers) dialled_.end.channel->send(std::move(answer));
  }

  net::Loop& loop_;
  net::test::Dialled dialled_;
};

class ControlServerTest : public testing::Test {
 protected:
  ControlServerTest() { accept("secret.token"); }

  void accept(const std::string& token, const std::string& user = kUser) {
    api_.add_token(token, {true, user, {kAudience}, {}});
  }
  void start(GatewaySessionsSettings settings = {.tick = 5ms, .lost_for = 1h}) {
    authenticator_ = std::make_unique<Authenticator>(api_, AuthenticatorSettings{kAudience, kUser, {}});
    const auto tls = net::make_server_context(net::TlsUse::link, issued_.chain_pem, issued_.key_pem);
    ASSERT_TRUE(tls);
    auto started = ControlServer::start({"127.0.0.1", 0, false}, *tls,
                                        {*authenticator_, views_,
                                         [this](const std::vector<std::string>& keys) {
                                           const std::lock_guard lock(mutex_);
                                           told_.insert(told_.end(), keys.begin(), keys.end());
                                           most_gateways_ = std::max(most_gateways_, views_.find(id_of("a")).gateways);
                                         },
                                         [this] { return may_lead_.load(); }},
                                        settings);
    ASSERT_TRUE(started) << started.error();
    server_ = std::move(*started);
  }
  void lead(std::vector<TunnelConfigurationPtr> configurations, std::uint64_t term = 1) {
    server_->lead(term);
    server_->update(compilation(std::move(configurations)));
  }
  std::unique_ptr<Gateway> dial(control::HelloMessage hello = {"g1", "0.1.0", {}},
                                const std::string& bearer = "secret.token") {
    auto request = net::test::channel_request(authority_, server_->port(), "localhost");
    request.bearer = bearer;
    return std::make_unique<Gateway>(loop_, std::move(request), std::move(hello));
  }
  std::unique_ptr<Gateway> dial_synced(const std::string& id = "g1") {
    auto gateway = dial({id, "0.1.0", {}});
    EXPECT_TRUE(until([&] { return gateway->has_synced() && view("a").current >= 1; })) << gateway->failure();
    return gateway;
  }
  /// Serves the gateways' loop until it is so.
  template <class Done>
  bool until(Done done) {
    const auto limit = base::Clock::now() + 30s;
    while (!done()) {
      if (base::Clock::now() >= limit) return false;
      loop_.context().run_one_for(2ms);
    }
    return true;
  }
  EdgeView view(const std::string& name) const { return views_.find(id_of(name)); }
  std::vector<std::string> told() {
    const std::lock_guard lock(mutex_);
    return std::exchange(told_, {});
  }

  kube::SimulatedApi api_;
  net::Loop loop_;
  net::test::Authority authority_;
  net::test::Issued issued_ = authority_.issue("DNS:localhost,IP:127.0.0.1");
  EdgeViews views_;
  std::atomic<bool> may_lead_ = true;
  std::mutex mutex_;
  std::vector<std::string> told_;
  std::size_t most_gateways_ = 0;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<ControlServer> server_;
};

TEST_F(ControlServerTest, WhoDoesNotLeadAnswers503) {
  start();
  EXPECT_THAT(dial()->failure(), HasSubstr("503 this operator does not lead"));
  lead({tunnel("a", {"a.example.com"})});
  EXPECT_EQ(dial()->failure(), "");
  may_lead_ = false;  // it has only not been told yet
  EXPECT_THAT(dial()->failure(), HasSubstr("503 this operator does not lead"));
  may_lead_ = true;
  server_->resign();
  EXPECT_THAT(dial()->failure(), HasSubstr("503 this operator does not lead"));
}

TEST_F(ControlServerTest, RefusesWhoIsNoGateway) {
  start();
  lead({});
  accept("of.another", "system:serviceaccount:adit:default");
  const struct {
    const char* token;
    const char* answer;
  } cases[] = {{"", "401 "}, {"unknown", "401 "}, {"of.another", "403 "}};
  for (const auto& [token, answer] : cases) {
    EXPECT_THAT(dial({"g1", "0.1.0", {}}, token)->failure(), HasSubstr(answer)) << token;
  }
  api_.before_calls([](const std::string&) { return std::optional<kube::ApiError>(kube::ApiError{}); });
  EXPECT_THAT(dial()->failure(), HasSubstr("503 the token cannot be checked"));
}

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

TEST_F(ControlServerTest, TheEndOfATermEndsAllSessions) {
  start();
  lead({tunnel("a", {"a.example.com"})});
  const auto gateway = dial_synced();
  server_->resign();
  ASSERT_TRUE(until([&] { return !gateway->is_connected(); }));
  EXPECT_THAT(gateway->closed(), HasSubstr("does not lead any more"));
  EXPECT_EQ(view("a").gateways, 0U);
  EXPECT_FALSE(views_.is_settled());
  // Again, and without what the former term knew.
  server_->lead(2);
  const auto again = dial();
  server_->update(compilation({tunnel("b", {"b.example.com"})}));
  ASSERT_TRUE(until([&] { return again->has_synced(); }));
  EXPECT_EQ(again->lines(), control::test::lines({tunnel("b", {"b.example.com"})}));
  EXPECT_EQ(again->replica.version()->term, 2U);
}

TEST_F(ControlServerTest, ALeaderGoesOnAboveTheTermThatAGatewayKnows) {
  start();
  lead({tunnel("a", {"a.example.com"})}, 1);
  const auto other = dial_synced("g1");
  const auto late = dial({"g2", "0.1.0", control::Version{9, 5}});
  ASSERT_TRUE(until([&] { return !late->is_connected() && !other->is_connected(); }));
  const auto again = dial({"g2", "0.1.0", control::Version{9, 5}});
  ASSERT_TRUE(until([&] { return again->has_synced(); }));
  EXPECT_EQ(again->replica.version()->term, 10U);
  EXPECT_THAT(again->lines(), SizeIs(2));
}

TEST_F(ControlServerTest, NoTermIsRaisedByWhoMayNotLeadNorAboveTheLast) {
  start();
  lead({tunnel("a", {"a.example.com"})}, 1);
  const auto present = dial_synced("g1");
  // The Lease is lost between the question whether this operator leads and the gateway's first word.
  api_.before_calls([this](const std::string&) {
    may_lead_ = false;
    return std::optional<kube::ApiError>();
  });
  const auto late = dial({"g2", "0.1.0", control::Version{9, 5}});
  ASSERT_TRUE(until([&] { return !late->is_connected(); }));
  api_.before_calls({});
  may_lead_ = true;
  const auto last = dial({"g3", "0.1.0", control::Version{std::numeric_limits<std::uint64_t>::max(), 5}});
  ASSERT_TRUE(until([&] { return !last->is_connected(); }));
  server_->update(compilation({tunnel("a", {"new.example.com"})}));
  ASSERT_TRUE(until([&] { return present->lines() == control::test::lines({tunnel("a", {"new.example.com"})}); }));
  EXPECT_EQ(present->replica.version()->term, 1U);
}

TEST_F(ControlServerTest, AnExpiredTokenEndsTheSession) {
  start();
  lead({tunnel("a", {"a.example.com"})});
  const auto expired = token_until(std::chrono::system_clock::now() - 1s);
  accept(expired);
  const auto gateway = dial({"g1", "0.1.0", {}}, expired);
  ASSERT_TRUE(until([&] { return !gateway->closed().empty(); }));
  EXPECT_THAT(gateway->closed(), HasSubstr("its token has expired"));
}

TEST_F(ControlServerTest, ANewTokenCountsInsteadOfTheOld) {
  start();
  lead({tunnel("a", {"a.example.com"})});
  const auto good = token_until(std::chrono::system_clock::now() + 1h);
  const auto expired = token_until(std::chrono::system_clock::now() - 1s);
  accept(good);
  accept(expired);
  const auto gateway = dial_synced();
  gateway->say(control::TokenMessage{good});
  ASSERT_TRUE(until([&] { return api_.count("review tokens") == 2; }));
  gateway->say_links("a", {"i1"});
  ASSERT_TRUE(until([&] { return view("a").connectors.size() == 1; }));
  EXPECT_TRUE(gateway->is_connected());
  gateway->say(control::TokenMessage{expired});
  ASSERT_TRUE(until([&] { return !gateway->is_connected(); }));
  EXPECT_THAT(gateway->closed(), HasSubstr("its token has expired"));
}

TEST_F(ControlServerTest, ANewTokenThatIsNotAcceptedEndsTheSession) {
  start();
  lead({tunnel("a", {"a.example.com"})});
  const auto gateway = dial_synced();
  gateway->say(control::TokenMessage{"unknown"});
  ASSERT_TRUE(until([&] { return !gateway->is_connected(); }));
  EXPECT_THAT(gateway->closed(), HasSubstr("its new token is not accepted"));
  EXPECT_TRUE(until([&] { return view("a").gateways == 0; }));
}

TEST_F(ControlServerTest, ANewTokenThatCannotBeCheckedEndsNothing) {
  start();
  lead({tunnel("a", {"a.example.com"})});
  const auto gateway = dial_synced();
  api_.before_calls([](const std::string&) { return std::optional<kube::ApiError>(kube::ApiError{}); });
  gateway->say(control::TokenMessage{"another"});
  ASSERT_TRUE(until([&] { return api_.count("review tokens") == 2; }));
  gateway->say_links("a", {"i1"});
  EXPECT_TRUE(until([&] { return view("a").connectors.size() == 1; }));
  EXPECT_TRUE(gateway->is_connected());
}

TEST_F(ControlServerTest, NonsenseEndsOnlyTheSessionThatSaidIt) {
  start();
  lead({tunnel("a", {"a.example.com"})});
  const auto good = dial_synced("g1");
  const auto bad = dial_synced("g2");
  bad->say(control::AckMessage{{1, 1'000}});
  ASSERT_TRUE(until([&] { return !bad->is_connected(); }));
  EXPECT_TRUE(until([&] { return view("a").gateways == 1; }));
  EXPECT_TRUE(good->is_connected());
}

TEST_F(ControlServerTest, NothingIsCalledMissingBeforeAGatewayHasTakenTheStateIn) {
  start({.tick = 5ms, .lost_for = 1h, .gateways_come_within = 0ms, .reports_come_within = 0ms});
  server_->lead(1);
  const auto gateway = dial();
  gateway->answers = false;
  ASSERT_TRUE(until([&] { return views_.gateways().size() == 1 && views_.gateways()[0].id == "g1"; }));
  server_->update(compilation({tunnel("a", {"a.example.com"})}));
  ASSERT_TRUE(until([&] { return gateway->replica.has_news(); }));
  // At least one look of the sessions at themselves lies between these.
  for (int looks = 0; looks < 3; ++looks) {
    views_.set_gateways({});
    ASSERT_TRUE(until([&] { return views_.gateways().size() == 1; }));
  }
  EXPECT_FALSE(views_.is_settled());
  for (const auto& answer : gateway->replica.apply().answers) {
    gateway->say(control::test::read_as<control::AckMessage>(answer));
  }
  EXPECT_TRUE(until([&] { return views_.is_settled(); }));
  EXPECT_EQ(view("a").current, 1U);
}

TEST_F(ControlServerTest, WithoutGatewaysItSettlesToo) {
  start({.tick = 5ms, .gateways_come_within = 10ms});
  server_->lead(1);
  ASSERT_FALSE(views_.is_settled());
  server_->update(compilation({}));
  EXPECT_TRUE(until([&] { return views_.is_settled(); }));
}

TEST_F(ControlServerTest, AGatewayThatNeverTakesTheStateInIsWaitedForOnlySoLong) {
  start({.tick = 5ms, .gateways_come_within = 0ms, .reports_come_within = 0ms, .settled_within = 50ms});
  server_->lead(1);
  const auto gateway = dial();
  gateway->answers = false;
  server_->update(compilation({tunnel("a", {"a.example.com"})}));
  EXPECT_TRUE(until([&] { return views_.is_settled(); }));
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

TEST_F(ControlServerTest, AReviewMayOutliveTheServer) {
  start();
  lead({});
  std::mutex gate;
  std::unique_lock closed(gate);
  api_.before_calls([&](const std::string&) -> std::optional<kube::ApiError> {
    const std::lock_guard wait(gate);
    return std::nullopt;
  });
  auto request = net::test::channel_request(authority_, server_->port(), "localhost");
  net::test::Dialled dialled;
  dialled.start(loop_, request);
  ASSERT_TRUE(until([&] { return api_.count("review tokens") == 1; }));
  server_.reset();
  closed.unlock();
  authenticator_.reset();  // waits for the review, whose outcome nobody is there to hear
  EXPECT_TRUE(until([&] { return dialled.over(); }));
  EXPECT_FALSE(dialled.end.channel);
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
