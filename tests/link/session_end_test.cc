// How links end: politely, in silence, and at any byte.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/link/pair.h"

namespace adit::link::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(SessionEnd, ShutdownWaitsForOpenStreams) {
  for (const bool gateway_leaves : {true, false}) {
    Pair pair(1ms);
    pair.settle();
    auto* stream = pair.open();
    pair.settle();
    (gateway_leaves ? pair.gateway : pair.connector).session->shutdown();
    pair.settle();
    stream->send("still served");
    pair.settle();
    EXPECT_EQ(stream->in, "still served");
    EXPECT_FALSE(pair.gateway.session->finished());
    EXPECT_FALSE(pair.connector.session->finished());
    stream->stream->finish();
    pair.settle();
    EXPECT_THAT(stream->closed, ElementsAre(Closed::finished));
    EXPECT_TRUE(pair.gateway.session->finished());
    EXPECT_TRUE(pair.connector.session->finished());
    EXPECT_EQ(pair.gateway.error + pair.connector.error, "");
  }
}

TEST(SessionEnd, StreamsThatCrossTheShutdownAreRefused) {
  Pair pair(10ms);
  pair.settle();
  auto* old = pair.open();
  pair.settle();
  pair.connector.session->shutdown();
  auto* late = pair.open();
  late->send("GET / HTTP/1.1\r\n");
  pair.settle();
  EXPECT_THAT(late->closed, ElementsAre(Closed::refused));
  EXPECT_EQ(late->sent, 0U);
  EXPECT_THAT(old->closed, IsEmpty());
}

TEST(SessionEnd, StreamsThatCrossTheGoawayAreRefused) {
  Pair pair(10ms);
  pair.settle();
  pair.connector.session->shutdown();  // idle: GOAWAY at once
  auto* late = pair.open();
  pair.settle();
  EXPECT_THAT(late->closed, ElementsAre(Closed::refused));
  EXPECT_TRUE(pair.gateway.session->finished());
  EXPECT_TRUE(pair.connector.session->finished());
}

TEST(SessionEnd, NoStreamIsOpenedToAConnectorThatLeaves) {
  Pair pair;
  pair.settle();
  pair.connector.session->send_control(Leaving{"restart"});
  pair.settle();
  Recorder nobody;
  EXPECT_EQ(pair.gateway.session->open({"default", "", ""}, nobody), nullptr);
  ASSERT_EQ(pair.gateway.control.size(), 1U);
  EXPECT_EQ(std::get<Leaving>(pair.gateway.control[0]).reason, "restart");
}

TEST(SessionEnd, AGatewayThatLeavesServesItsVisitorsUntilShutdown) {
  Pair pair;
  pair.settle();
  pair.gateway.session->send_control(Leaving{"restart"});
  pair.settle();
  ASSERT_EQ(pair.connector.control.size(), 1U);
  EXPECT_EQ(std::get<Leaving>(pair.connector.control[0]).reason, "restart");
  auto* stream = pair.open();
  pair.settle();
  EXPECT_EQ(stream->status, 200);
  stream->stream->reset();
  pair.gateway.session->shutdown();
  Recorder nobody;
  EXPECT_EQ(pair.gateway.session->open({"default", "", ""}, nobody), nullptr);
}

TEST(SessionEnd, LinkRetiresBeforeStreamIdsRunOut) {
  SessionOptions options;
  options.last_stream_id = 9;
  Pair pair(0ms, options);
  pair.settle();
  for (int i = 0; i < 4; ++i) {  // 1 is the control stream
    auto* stream = pair.open();
    stream->stream->finish();
    pair.settle();
    EXPECT_THAT(stream->closed, ElementsAre(Closed::finished));
  }
  Recorder nobody;
  EXPECT_EQ(pair.gateway.session->open({"default", "", ""}, nobody), nullptr);
  pair.settle();
  EXPECT_EQ(pair.connector.control.size(), 1U) << "the connector is told to bring up a replacement";
  EXPECT_TRUE(pair.gateway.session->finished());
}

TEST(SessionEnd, StreamLimitOfTheConnectorIsKept) {
  SessionOptions options;
  options.most_streams = 4;
  Pair pair(0ms, options);
  pair.settle();
  std::vector<Recorder*> streams;
  for (int i = 0; i < 3; ++i) streams.push_back(pair.open());
  Recorder nobody;
  EXPECT_EQ(pair.gateway.session->open({"default", "", ""}, nobody), nullptr);
  pair.settle();
  streams[0]->stream->reset();
  pair.settle();
  pair.open();
  pair.settle();
  EXPECT_EQ(pair.connector.served.size(), 4U);
}

TEST(SessionEnd, DestructorAndAbandonTellEveryStream) {
  for (const bool destroys : {true, false}) {
    Pair pair;
    pair.settle();
    std::vector<Recorder*> streams;
    for (int i = 0; i < 5; ++i) streams.push_back(pair.open());
    pair.settle();
    // A handler may well reset others when it hears of its own end.
    streams[1]->hook = [&] { streams[3]->stream->reset(); };
    streams[2]->hook = [&] {
      Recorder nobody;
      if (!streams[2]->closed.empty() && pair.gateway.session) {
        EXPECT_EQ(pair.gateway.session->open({"default", "", ""}, nobody), nullptr);
      }
    };
    if (destroys) {
      pair.gateway.session.reset();
    } else {
      pair.gateway.session->abandon();
      pair.gateway.session->abandon();
      EXPECT_FALSE(pair.gateway.session->receive("x", pair.now));
      EXPECT_EQ(pair.gateway.session->stats().streams_open, 0U);
    }
    for (int i = 0; i < 5; ++i) {
      if (i == 3) {
        EXPECT_THAT(streams[i]->closed, IsEmpty());
      } else {
        EXPECT_THAT(streams[i]->closed, ElementsAre(Closed::link_lost)) << i;
      }
    }
  }
}

TEST(SessionEnd, AbandonFromWithinACallback) {
  Pair pair;
  pair.settle();
  auto* stream = pair.open();
  auto* other = pair.open();
  stream->send("x");
  stream->hook = [&] {
    if (stream->bytes != 0) pair.gateway.session->abandon();
  };
  pair.settle();
  EXPECT_THAT(stream->closed, ElementsAre(Closed::link_lost));
  EXPECT_THAT(other->closed, ElementsAre(Closed::link_lost));
}

TEST(SessionEnd, SilentPeerIsAskedDoubtedAndGivenUp) {
  const SessionOptions options;
  Pair pair(1ms);
  pair.settle();
  pair.run(1min);
  EXPECT_THAT(pair.gateway.suspicions, IsEmpty()) << "PINGs are answered";
  pair.connector.session->send_control(Offers{});
  pair.run(2ms);
  const auto cut = pair.now;
  pair.connector.cut = true;
  const auto asked = options.ping_after + options.suspect_after;
  pair.run(asked + 10ms);
  EXPECT_THAT(pair.gateway.suspicions, ElementsAre(true));
  EXPECT_TRUE(pair.gateway.session->is_suspect());
  EXPECT_EQ(pair.gateway.error, "");
  pair.run(options.dead_after);
  EXPECT_THAT(pair.gateway.error, HasSubstr("silent"));
  EXPECT_LE(pair.now - cut, asked + options.dead_after + 10ms);
}

TEST(SessionEnd, SuspectLinkComesBackWithAnyByte) {
  Pair pair(1ms);
  pair.settle();
  pair.gateway.session->suspect(pair.now);
  EXPECT_TRUE(pair.gateway.suspicions.empty()) << "it was heard just now";
  pair.run(1s);
  pair.connector.cut = true;
  pair.gateway.session->suspect(pair.now);
  EXPECT_THAT(pair.gateway.suspicions, ElementsAre(true));
  EXPECT_TRUE(pair.gateway.session->wants_write()) << "a PING at once";
  pair.gateway.session->suspect(pair.now);
  EXPECT_EQ(pair.gateway.suspicions.size(), 1U);
  pair.run(1s);
  pair.connector.cut = false;
  pair.gateway.session->suspect(pair.now);
  pair.connector.session->send_control(Offers{});
  pair.run(1s);
  EXPECT_THAT(pair.gateway.suspicions, ElementsAre(true, false));
  EXPECT_EQ(pair.gateway.error, "");
}

TEST(SessionEnd, SiblingOfASuspectLinkIsAskedEarlier) {
  const SessionOptions options;
  Pair pair(1ms);
  pair.settle();
  pair.gateway.session->ask(pair.now);
  EXPECT_FALSE(pair.gateway.session->wants_write()) << "it was heard just now";
  pair.run(options.suspect_after);
  pair.connector.cut = true;
  pair.gateway.session->ask(pair.now);
  EXPECT_TRUE(pair.gateway.session->wants_write()) << "a PING at once";
  EXPECT_THAT(pair.gateway.suspicions, IsEmpty());
  pair.run(options.suspect_after + 10ms);
  EXPECT_THAT(pair.gateway.suspicions, ElementsAre(true));
}

TEST(SessionEnd, RoundTripIsMeasuredAtTheStart) {
  Pair pair(50ms);
  pair.settle();
  EXPECT_EQ(pair.gateway.session->stats().round_trip, 100ms);
  EXPECT_EQ(pair.connector.session->stats().round_trip, 100ms);
}

/// Runs a small exchange in which the bytes of one end stop after `allowed`; returns how many that end produced.
std::size_t exchange_cut_at(bool cuts_gateway, std::size_t allowed) {
  Pair pair;
  End& cut = cuts_gateway ? pair.gateway : pair.connector;
  End& other = cuts_gateway ? pair.connector : pair.gateway;
  std::size_t produced = 0;
  Recorder* stream = nullptr;
  for (int round = 0; round < 12; ++round) {
    pair.flush();
    for (auto& flight : cut.flights) {
      const auto room = allowed - std::min(allowed, produced);
      produced += flight.bytes.size();
      flight.bytes.resize(std::min(room, flight.bytes.size()));
    }
    for (End* end : {&cut, &other}) {
      End& peer = end == &cut ? other : cut;
      while (!end->flights.empty()) {
        peer.note(peer.session->receive(end->flights.front().bytes, pair.now));
        end->flights.pop_front();
      }
    }
    if (pair.gateway.ready && stream == nullptr) {
      stream = pair.open();
      stream->send("hello");
      pair.connector.session->send_control(Offers{{{"default", "tcp"}}});
    }
    if (stream != nullptr && stream->in == "hello" && !stream->ended && stream->stream != nullptr) {
      stream->stream->finish();
    }
  }
  EXPECT_EQ(pair.gateway.error + pair.connector.error, "") << "a cut is no fault of the peer, at " << allowed;
  pair.gateway.session.reset();
  pair.connector.session.reset();
  if (stream != nullptr) {
    EXPECT_EQ(stream->closed.size(), 1U) << allowed;
  }
  for (const auto& served : pair.connector.served) EXPECT_EQ(served->closed.size(), 1U) << allowed;
  if (allowed >= produced) {
    EXPECT_THAT(stream->closed, ElementsAre(Closed::finished));
  }
  return produced;
}

TEST(SessionEnd, CutAtEveryByte) {
  for (const bool cuts_gateway : {true, false}) {
    const auto whole = exchange_cut_at(cuts_gateway, std::size_t{1} << 20U);
    ASSERT_GT(whole, 100U);
    for (std::size_t allowed = 0; allowed < whole; ++allowed) exchange_cut_at(cuts_gateway, allowed);
  }
}

TEST(SessionEnd, BytesMayComeOneByOne) {
  Pair pair;
  auto* stream = static_cast<Recorder*>(nullptr);
  for (int round = 0; round < 12; ++round) {
    pair.flush();
    for (End* end : {&pair.gateway, &pair.connector}) {
      End& peer = end == &pair.gateway ? pair.connector : pair.gateway;
      while (!end->flights.empty()) {
        for (const char byte : end->flights.front().bytes) peer.note(peer.session->receive({&byte, 1}, pair.now));
        end->flights.pop_front();
      }
    }
    if (pair.gateway.ready && stream == nullptr) {
      stream = pair.open();
      stream->send("hello");
    }
  }
  EXPECT_EQ(stream->in, "hello");
}

}  // namespace
}  // namespace adit::link::test
