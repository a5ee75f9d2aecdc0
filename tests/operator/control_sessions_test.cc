// Who may come, for how long, and what a term's beginning and end do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/gateway_sessions.h"
#include "tests/operator/control_ends.h"

namespace adit::controller {
namespace {

using namespace std::chrono_literals;
using control::test::tunnel;
using testing::HasSubstr;
using testing::SizeIs;

using ControlSessions = ControlServerTest;

TEST_F(ControlSessions, WhoDoesNotLeadAnswers503) {
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

TEST_F(ControlSessions, RefusesWhoIsNoGateway) {
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

TEST_F(ControlSessions, TheEndOfATermEndsAllSessions) {
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

TEST_F(ControlSessions, ALeaderGoesOnAboveTheTermThatAGatewayKnows) {
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

TEST_F(ControlSessions, NoTermIsRaisedByWhoMayNotLeadNorAboveTheLast) {
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

TEST_F(ControlSessions, AnExpiredTokenEndsTheSession) {
  start();
  lead({tunnel("a", {"a.example.com"})});
  const auto expired = token_until(std::chrono::system_clock::now() - 1s);
  accept(expired);
  const auto gateway = dial({"g1", "0.1.0", {}}, expired);
  ASSERT_TRUE(until([&] { return !gateway->closed().empty(); }));
  EXPECT_THAT(gateway->closed(), HasSubstr("its token has expired"));
}

TEST_F(ControlSessions, ANewTokenCountsInsteadOfTheOld) {
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

TEST_F(ControlSessions, ANewTokenThatIsNotAcceptedEndsTheSession) {
  start();
  lead({tunnel("a", {"a.example.com"})});
  const auto gateway = dial_synced();
  gateway->say(control::TokenMessage{"unknown"});
  ASSERT_TRUE(until([&] { return !gateway->is_connected(); }));
  EXPECT_THAT(gateway->closed(), HasSubstr("its new token is not accepted"));
  EXPECT_TRUE(until([&] { return view("a").gateways == 0; }));
}

TEST_F(ControlSessions, ANewTokenThatCannotBeCheckedEndsNothing) {
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

TEST_F(ControlSessions, NonsenseEndsOnlyTheSessionThatSaidIt) {
  start();
  lead({tunnel("a", {"a.example.com"})});
  const auto good = dial_synced("g1");
  const auto bad = dial_synced("g2");
  bad->say(control::AckMessage{{1, 1'000}});
  ASSERT_TRUE(until([&] { return !bad->is_connected(); }));
  EXPECT_TRUE(until([&] { return view("a").gateways == 1; }));
  EXPECT_TRUE(good->is_connected());
}

TEST_F(ControlSessions, NothingIsCalledMissingBeforeAGatewayHasTakenTheStateIn) {
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

TEST_F(ControlSessions, WithoutGatewaysItSettlesToo) {
  start({.tick = 5ms, .gateways_come_within = 10ms});
  server_->lead(1);
  ASSERT_FALSE(views_.is_settled());
  server_->update(compilation({}));
  EXPECT_TRUE(until([&] { return views_.is_settled(); }));
}

TEST_F(ControlSessions, AGatewayThatNeverTakesTheStateInIsWaitedForOnlySoLong) {
  start({.tick = 5ms, .gateways_come_within = 0ms, .reports_come_within = 0ms, .settled_within = 50ms});
  server_->lead(1);
  const auto gateway = dial();
  gateway->answers = false;
  server_->update(compilation({tunnel("a", {"a.example.com"})}));
  EXPECT_TRUE(until([&] { return views_.is_settled(); }));
}

TEST_F(ControlSessions, AReviewMayOutliveTheServer) {
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

}  // namespace
}  // namespace adit::controller
