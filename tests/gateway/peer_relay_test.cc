// A peer's stream joined to one on an own link: both streams are played by the test.

#include "gateway/peer_relay.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/loop_until.h"

namespace adit::gateway::test {
namespace {

using link::Closed;

/// A stream of a link, as its user sees it.
class FakeStream final : public link::Stream {
 public:
  explicit FakeStream(link::StreamHandler* user = nullptr) : handler(user) {}
  void answer(int code, std::string_view why) override {
    status = code;
    reason = why;
  }
  void resume() override { ++resumed; }
  void finish() override { finished = true; }
  void consume(std::size_t size) override { consumed += size; }
  void reset() override { was_reset = true; }
  void refuse() override { refused = true; }
  void set_handler(link::StreamHandler& user) override { handler = &user; }

  void bring(std::string_view bytes) { handler->on_data({bytes.data(), bytes.size()}); }
  /// Takes up to `most` of what there is to send.
  std::string take(std::size_t most = 1 << 20) {
    const auto bytes = handler->to_send();
    std::string taken(bytes.data(), std::min(most, bytes.size()));
    if (!taken.empty()) handler->on_sent(taken.size());
    return taken;
  }

  link::StreamHandler* handler;
  int status = 0;
  std::string reason;
  int resumed = 0;
  std::size_t consumed = 0;
  bool finished = false;
  bool was_reset = false;
  bool refused = false;
};

class PeerRelayTest : public testing::Test, protected OwnLinks, protected PeerRelayOwner {
 protected:
  PeerRelayTest() {
    for (std::uint64_t id = 1; id <= 5; ++id) {
      auto info = std::make_shared<LinkInfo>();
      info->id = id;
      info->state = LinkState::live;
      infos_.push_back(info);
    }
  }
  ~PeerRelayTest() override { relay_.reset(); }

  /// With so many own links that can take the stream.
  bool start(std::size_t links) {
    infos_.resize(links);
    link::Opening opening;
    opening.service = "web";
    opening.visitor = "192.0.2.1:9";
    opening.request_id = "id";
    opening.tunnel = "tunnel";
    PeerRelayOwner& owner = *this;
    OwnLinks& own = *this;
    relay_ = std::make_unique<PeerRelay>(loop_, owner, own, metrics_, peer_, opening);
    peer_.handler = relay_.get();
    return relay_->start();
  }
  void start_and_accept() {
    ASSERT_TRUE(start(1));
    service().handler->on_answer(200, "");
  }
  FakeStream& service() { return *services_.back(); }

  link::Stream* open_own(const link::Opening& opening, const std::vector<std::uint64_t>& tried,
                         link::StreamHandler& handler, std::shared_ptr<const LinkInfo>& link) override {
    EXPECT_EQ(opening.service, "web");
    EXPECT_EQ(opening.tunnel, "tunnel");
    EXPECT_EQ(opening.visitor, "192.0.2.1:9");
    EXPECT_EQ(opening.request_id, "id");
    for (const auto& info : infos_) {
      if (std::find(tried.begin(), tried.end(), info->id) != tried.end()) continue;
      link = info;
      return services_.emplace_back(std::make_unique<FakeStream>(&handler)).get();
    }
    return nullptr;
  }
  void doubt_own(const LinkInfo& link) override {
    doubted_.push_back(link.id);
    if (silent_) infos_[link.id - 1]->state = LinkState::suspect;
  }
  void on_relay_over(PeerRelay&) override { ++over_; }

  net::Loop loop_;
  PeerMetrics metrics_;
  std::vector<std::shared_ptr<LinkInfo>> infos_;
  std::vector<std::unique_ptr<FakeStream>> services_;
  std::vector<std::uint64_t> doubted_;
  bool silent_ = false;
  FakeStream peer_;
  std::unique_ptr<PeerRelay> relay_;
  int over_ = 0;
};

TEST_F(PeerRelayTest, BytesBothWaysAndBothEnds) {
  ASSERT_TRUE(start(1));
  EXPECT_EQ(peer_.status, 0) << "the connector has not answered";
  service().handler->on_answer(200, "");
  EXPECT_EQ(peer_.status, 200);
  peer_.bring("question");
  EXPECT_EQ(service().resumed, 1);
  EXPECT_EQ(peer_.consumed, 0U) << "credit comes back when the other side has taken them";
  EXPECT_EQ(service().take(3), "que");
  EXPECT_EQ(peer_.consumed, 3U);
  EXPECT_EQ(service().take(), "stion");
  service().bring("answer");
  EXPECT_EQ(service().consumed, 0U);
  EXPECT_EQ(peer_.take(), "answer");
  EXPECT_EQ(service().consumed, 6U);
  peer_.handler->on_end();
  EXPECT_TRUE(service().finished);
  service().handler->on_end();
  EXPECT_TRUE(peer_.finished);
  service().handler->on_closed(Closed::finished);
  EXPECT_EQ(over_, 0);
  peer_.handler->on_closed(Closed::finished);
  EXPECT_EQ(over_, 1);
  EXPECT_FALSE(peer_.was_reset || service().was_reset);
  EXPECT_EQ(metrics_.taken_served.value(), 1U);
  EXPECT_EQ(metrics_.taken_bytes_in.value(), 8U);
  EXPECT_EQ(metrics_.taken_bytes_out.value(), 6U);
}

TEST_F(PeerRelayTest, NoOwnLinkTakesNothing) {
  EXPECT_FALSE(start(0));
  EXPECT_FALSE(peer_.was_reset || peer_.refused) << "whoever asked refuses it";
  EXPECT_EQ(metrics_.taken_refused.value(), 1U);
}

TEST_F(PeerRelayTest, ALostLinkIsFollowedByTheNextAndAtMostThree) {
  ASSERT_TRUE(start(5));
  for (const auto why : {Closed::refused, Closed::link_lost}) service().handler->on_closed(why);
  EXPECT_EQ(services_.size(), 3U);
  EXPECT_FALSE(peer_.refused);
  service().handler->on_closed(Closed::link_lost);
  EXPECT_EQ(services_.size(), 3U);
  EXPECT_TRUE(peer_.refused) << "no byte has left: it may be opened elsewhere";
  EXPECT_EQ(over_, 1);
}

TEST_F(PeerRelayTest, ARefusalIsPassedOnOnceNoOtherLinkIsLeft) {
  ASSERT_TRUE(start(2));
  service().handler->on_answer(502, "connection refused");
  ASSERT_EQ(services_.size(), 2U);
  EXPECT_TRUE(services_[0]->was_reset);
  EXPECT_EQ(peer_.status, 0);
  service().handler->on_answer(403, "not offered");
  EXPECT_EQ(peer_.status, 403);
  EXPECT_EQ(peer_.reason, "not offered");
  peer_.handler->on_closed(Closed::finished);
  EXPECT_EQ(over_, 1);
  EXPECT_EQ(metrics_.taken_failed.value(), 1U);
}

TEST_F(PeerRelayTest, ATimeThatIsUpIsPassedOnAtOnce) {
  ASSERT_TRUE(start(2));
  service().handler->on_answer(504, "timed out");
  EXPECT_EQ(services_.size(), 1U);
  EXPECT_EQ(peer_.status, 504);
}

TEST_F(PeerRelayTest, WhatTheServiceSaidBeforeItsResetIsPassedOnFirst) {
  start_and_accept();
  service().bring("whole answer");
  service().handler->on_closed(Closed::reset);
  EXPECT_FALSE(peer_.was_reset);
  EXPECT_EQ(peer_.take(5), "whole");
  EXPECT_FALSE(peer_.was_reset);
  EXPECT_EQ(peer_.take(), " answer");
  EXPECT_TRUE(peer_.was_reset);
  EXPECT_EQ(over_, 1);
}

TEST_F(PeerRelayTest, ALostLinkBehindTheAnswerIsAReset) {
  start_and_accept();
  service().handler->on_closed(Closed::link_lost);
  EXPECT_TRUE(peer_.was_reset);
  EXPECT_EQ(services_.size(), 1U) << "what has left cannot be sent again from here";
}

TEST_F(PeerRelayTest, APeerThatGoesAwayAtAnyTimeResetsTheService) {
  for (int step = 0; step < 3; ++step) {
    SCOPED_TRACE(step);
    over_ = 0;
    ASSERT_TRUE(start(1));
    if (step >= 1) service().handler->on_answer(200, "");
    if (step >= 2) peer_.bring("bytes on their way");
    peer_.handler->on_closed(step == 0 ? Closed::link_lost : Closed::reset);
    EXPECT_TRUE(service().was_reset);
    EXPECT_EQ(over_, 1);
  }
}

TEST_F(PeerRelayTest, AnEndBeforeTheAnswerIsPassedOnBehindIt) {
  ASSERT_TRUE(start(1));
  peer_.handler->on_end();
  EXPECT_FALSE(service().finished);
  service().handler->on_answer(200, "");
  EXPECT_TRUE(service().finished);
}

TEST_F(PeerRelayTest, TheLastBytesReachTheServiceAfterThePeersEnd) {
  start_and_accept();
  peer_.bring("last words");
  peer_.handler->on_end();
  service().handler->on_end();
  peer_.handler->on_closed(Closed::finished);
  EXPECT_EQ(over_, 0);
  EXPECT_EQ(service().take(), "last words");
  service().handler->on_closed(Closed::finished);
  EXPECT_EQ(over_, 1);
}

TEST_F(PeerRelayTest, DestroyedUnderWayResetsBoth) {
  start_and_accept();
  relay_.reset();
  EXPECT_TRUE(peer_.was_reset && service().was_reset);
}

TEST_F(PeerRelayTest, ASilentLinkIsLeftBeforeAByteHasLeft) {
  silent_ = true;
  ASSERT_TRUE(start(2));
  ASSERT_TRUE(net::test::until(loop_, [&] { return services_.size() == 2; }));
  EXPECT_THAT(doubted_, testing::ElementsAre(1));
  EXPECT_TRUE(services_[0]->was_reset);
  service().handler->on_answer(200, "");
  EXPECT_EQ(peer_.status, 200);
}

TEST_F(PeerRelayTest, ALinkThatLivesIsWaitedFor) {
  ASSERT_TRUE(start(2));
  ASSERT_TRUE(net::test::until(loop_, [&] { return doubted_.size() == 2; }));
  EXPECT_EQ(services_.size(), 1U) << "the service may be slow";
}

TEST_F(PeerRelayTest, ALinkThatIsSilentOnWhatHasLeftIsAsked) {
  silent_ = true;
  start_and_accept();
  peer_.bring("question");
  service().take();
  ASSERT_TRUE(net::test::until(loop_, [&] { return doubted_.size() == 2; }));
  EXPECT_EQ(services_.size(), 1U);
  EXPECT_FALSE(peer_.was_reset) << "that is for the link's end to say";
}

}  // namespace
}  // namespace adit::gateway::test
