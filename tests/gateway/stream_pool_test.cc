// The keep-alive pool of streams to services.

#include "gateway/stream_pool.h"

#include <deque>

#include <gtest/gtest.h>

#include "tests/gateway/connector_end.h"
#include "tests/gateway/fake_service.h"

namespace adit::gateway::test {
namespace {

using namespace std::chrono_literals;

class Pool : public testing::Test {
 protected:
  Pool() {
    opener_.links = {make_link(1), make_link(2)};
    tunnel_.id = "tunnel-id";
    tunnel_.name = "team/shop";
  }
  Upstream& web() { return pool_.upstream(tunnel_, "web"); }
  ServiceStream* open(std::vector<std::uint64_t> tried = {}) {
    link::Opening opening;
    opening.service = "web";
    return pool_.open(web(), opening, tried, user_);
  }
  /// Opens `count` streams, then gives them back in their order.
  void fill(std::size_t count, std::vector<std::uint64_t> tried = {}) {
    std::vector<ServiceStream*> streams;
    for (std::size_t i = 0; i < count; ++i) streams.push_back(open(tried));
    for (auto* stream : streams) pool_.give_back(*stream);
  }
  std::size_t resets() const {
    return static_cast<std::size_t>(std::count_if(opener_.streams.begin(), opener_.streams.end(),
                                                  [](const auto& stream) { return stream->was_reset; }));
  }

  net::Loop loop_;
  TunnelMetrics metrics_;
  FakeOpener opener_;
  StreamPool pool_{loop_, opener_, metrics_};
  routing::Tunnel tunnel_;
  StreamEnd user_;
};

TEST_F(Pool, NothingIdleAtFirst) {
  EXPECT_EQ(pool_.take(web(), user_), nullptr);
  ServiceStream* fresh = open();
  ASSERT_NE(fresh, nullptr);
  EXPECT_FALSE(fresh->reused());
  EXPECT_EQ(pool_.take(web(), user_), nullptr) << "it is in use";
  pool_.drop(*fresh);
  EXPECT_EQ(resets(), 1U);
}

TEST_F(Pool, TheMostRecentlyUsedFirst) {
  ServiceStream* first = open();
  ServiceStream* second = open();
  pool_.give_back(*first);
  pool_.give_back(*second);
  EXPECT_EQ(pool_.take(web(), user_), second);
  EXPECT_TRUE(second->reused());
  EXPECT_EQ(pool_.take(web(), user_), first);
  EXPECT_EQ(pool_.take(web(), user_), nullptr);
  pool_.drop(*first);
  pool_.drop(*second);
}

TEST_F(Pool, EachServiceHasItsOwn) {
  fill(1);
  EXPECT_EQ(pool_.take(pool_.upstream(tunnel_, "api"), user_), nullptr);
  routing::Tunnel other = tunnel_;
  other.id = "another";
  EXPECT_EQ(pool_.take(pool_.upstream(other, "web"), user_), nullptr);
}

TEST_F(Pool, IdleStreamOnWhichAnythingHappensIsDropped) {
  for (const char* what : {"data", "end", "closed"}) {
    fill(1);
    FakeStream& stream = opener_.last();
    if (what == std::string_view("data")) stream.data("HTTP/1.1 408 Request Timeout\r\n");
    if (what == std::string_view("end")) stream.end();
    if (what == std::string_view("closed")) stream.close(link::Closed::link_lost);
    EXPECT_FALSE(stream.alive()) << what;
    EXPECT_EQ(pool_.take(web(), user_), nullptr) << what;
  }
}

TEST_F(Pool, StreamsOfADoubtfulLinkAreLeftAlone) {
  fill(1, {2});
  opener_.links[0]->state = LinkState::suspect;
  EXPECT_EQ(pool_.take(web(), user_), nullptr);
  EXPECT_EQ(resets(), 0U);
  opener_.links[0]->state = LinkState::live;
  ServiceStream* again = pool_.take(web(), user_);
  ASSERT_NE(again, nullptr);
  pool_.drop(*again);
}

TEST_F(Pool, StreamsOfALeavingLinkAreDropped) {
  fill(2, {2});
  fill(1, {1});
  ServiceStream* busy = open({2});
  opener_.links[0]->state = LinkState::over;
  pool_.drop_idle(1);
  EXPECT_EQ(resets(), 2U);
  pool_.give_back(*busy);
  EXPECT_EQ(resets(), 3U) << "it would only hold the link up";
  ServiceStream* other = pool_.take(web(), user_);
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(other->link()->id, 2U);
  pool_.drop(*other);
}

TEST_F(Pool, StreamsOfALinkInTroubleAreLeftAloneWhileAnotherHasNone) {
  fill(1, {2});
  const auto key = connector_key(*opener_.links[0]);
  const auto taken = [&] {
    ServiceStream* stream = pool_.take(web(), user_);
    if (stream != nullptr) pool_.give_back(*stream);
    return stream != nullptr;
  };
  EXPECT_TRUE(taken());
  web().ejections.failed(key, net::Loop::now());
  EXPECT_FALSE(taken());
  opener_.sound = false;
  EXPECT_TRUE(taken()) << "where all are in trouble it is none";
  web().ejections.succeeded(key);
  opener_.sound = true;
  opener_.links[0]->services_down = 1;
  EXPECT_TRUE(taken()) << "another service's trouble";
  opener_.down = "web";
  EXPECT_FALSE(taken());
  EXPECT_EQ(resets(), 0U);
}

TEST_F(Pool, ALinksRequestsAreThoseInUse) {
  const auto requests = [&] { return opener_.links[0]->requests.load(); };
  ServiceStream* one = open({2});
  ServiceStream* two = open({2});
  EXPECT_EQ(requests(), 2U);
  pool_.give_back(*one);
  EXPECT_EQ(requests(), 1U);
  pool_.drop(*two);
  EXPECT_EQ(requests(), 0U);
  ASSERT_EQ(pool_.take(web(), user_), one);
  EXPECT_EQ(requests(), 1U);
  opener_.streams[0]->close(link::Closed::reset);
  EXPECT_EQ(requests(), 0U);
  fill(1, {2});
  opener_.last().close(link::Closed::reset);  // an idle one
  EXPECT_EQ(requests(), 0U);
}

TEST_F(Pool, Limit) {
  fill(513);
  EXPECT_EQ(web().idle.size(), 512U);
  EXPECT_EQ(resets(), 1U);
}

TEST_F(Pool, SweepDropsTheOldAndForgetsTheUnused) {
  fill(2);
  web().users = 1;
  pool_.sweep(net::Loop::now() + 29s);
  EXPECT_EQ(resets(), 0U);
  pool_.sweep(net::Loop::now() + 31s);
  EXPECT_EQ(resets(), 2U);
  Upstream& used = web();
  EXPECT_EQ(used.users, 1U) << "an exchange holds it";
  used.users = 0;
  pool_.sweep(net::Loop::now());
  std::size_t cells = 0;
  metrics_.for_each([&](const TunnelCells&) { ++cells; });
  EXPECT_EQ(cells, 1U);
  web().ejections.failed(1, net::Loop::now());
  pool_.sweep(net::Loop::now());
  EXPECT_FALSE(web().ejections.empty()) << "remembered without use";
  pool_.sweep(net::Loop::now() + 3min);
  EXPECT_TRUE(web().ejections.empty());
  EXPECT_EQ(web().cells->tunnel, "team/shop") << "made anew, counted in the same cells";
}

TEST_F(Pool, NothingIsKeptOnceItIsCleared) {
  fill(2);
  ServiceStream* busy = open();
  pool_.clear();
  EXPECT_EQ(resets(), 2U);
  pool_.give_back(*busy);
  EXPECT_EQ(resets(), 3U);
}

TEST_F(Pool, NoLink) {
  opener_.links.clear();
  EXPECT_EQ(open(), nullptr);
  EXPECT_EQ(web().users, 0U);
}

}  // namespace
}  // namespace adit::gateway::test
