#include "link/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/link/pair.h"

namespace adit::link::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Session, BecomesReadyOnceTheControlStreamStands) {
  Pair pair;
  EXPECT_FALSE(pair.gateway.ready);
  Recorder nobody;
  EXPECT_EQ(pair.gateway.session->open({"default", "", ""}, nobody), nullptr);
  pair.settle();
  EXPECT_TRUE(pair.gateway.ready);
  EXPECT_EQ(pair.gateway.error, "");
  EXPECT_EQ(pair.connector.error, "");
}

TEST(Session, CarriesBytesBothWays) {
  Pair pair;
  pair.settle();
  auto* stream = pair.open("api");
  stream->send("hello");
  pair.settle();
  EXPECT_EQ(stream->status, 200);
  EXPECT_EQ(stream->in, "hello");
  EXPECT_THAT(pair.connector.services, ElementsAre("api"));
  EXPECT_THAT(pair.connector.visitors, ElementsAre("192.0.2.7:4242"));
  EXPECT_THAT(pair.connector.request_ids, ElementsAre("0123456789abcdef"));
  stream->stream->finish();
  pair.settle();
  EXPECT_TRUE(stream->ended);
  EXPECT_THAT(stream->closed, ElementsAre(Closed::finished));
  EXPECT_THAT(pair.connector.served[0]->closed, ElementsAre(Closed::finished));
  EXPECT_EQ(pair.gateway.session->stats().streams_open, 0U);
  EXPECT_EQ(pair.connector.session->stats().streams_open, 0U);
}

TEST(Session, KeepsRequestBytesUntilTheAnswer) {
  Pair pair;
  pair.settle();
  pair.connector.serve = [](Recorder&) {};  // answers later
  auto* stream = pair.open();
  stream->send("request");
  stream->stream->finish();
  pair.settle();
  EXPECT_EQ(stream->sent, 0U);
  EXPECT_EQ(pair.connector.served[0]->bytes, 0U);
  pair.connector.served[0]->stream->answer(200, "");
  pair.settle();
  EXPECT_EQ(pair.connector.served[0]->in, "request");
  EXPECT_TRUE(pair.connector.served[0]->ended);
}

TEST(Session, HalfCloseLeavesTheOtherHalfOpen) {
  for (const bool gateway_first : {true, false}) {
    Pair pair;
    pair.settle();
    pair.connector.serve = [](Recorder& recorder) { recorder.stream->answer(200, ""); };
    auto* stream = pair.open();
    pair.settle();
    Recorder& first = gateway_first ? *stream : *pair.connector.served[0];
    Recorder& second = gateway_first ? *pair.connector.served[0] : *stream;
    first.out = "last words";
    first.stream->finish();
    pair.settle();
    EXPECT_EQ(second.in, "last words");
    EXPECT_TRUE(second.ended);
    EXPECT_FALSE(first.ended);
    second.send("still here");
    pair.settle();
    EXPECT_EQ(first.in, "still here");
    EXPECT_TRUE(first.closed.empty());
    second.stream->finish();
    pair.settle();
    EXPECT_THAT(first.closed, ElementsAre(Closed::finished));
    EXPECT_THAT(second.closed, ElementsAre(Closed::finished));
  }
}

TEST(Session, RefusalCarriesStatusAndReason) {
  Pair pair;
  pair.settle();
  pair.connector.serve = [](Recorder& recorder) { recorder.stream->answer(502, "dial\r\nfailed"); };
  auto* stream = pair.open();
  stream->send("never leaves");
  pair.settle();
  EXPECT_EQ(stream->status, 502);
  EXPECT_EQ(stream->reason, "dial??failed");
  EXPECT_EQ(stream->sent, 0U);
  EXPECT_THAT(stream->closed, ElementsAre(Closed::finished));
  EXPECT_THAT(pair.connector.served[0]->closed, ElementsAre(Closed::finished));
  EXPECT_EQ(pair.gateway.error + pair.connector.error, "");
}

TEST(Session, ResetIsHeardByTheOtherSideOnly) {
  for (const bool gateway_resets : {true, false}) {
    Pair pair;
    pair.settle();
    auto* stream = pair.open();
    pair.settle();
    Recorder& here = gateway_resets ? *stream : *pair.connector.served[0];
    Recorder& there = gateway_resets ? *pair.connector.served[0] : *stream;
    here.stream->reset();
    pair.settle();
    EXPECT_TRUE(here.closed.empty());
    EXPECT_THAT(there.closed, ElementsAre(Closed::reset));
  }
}

TEST(Session, ControlLinesGoBothWays) {
  Pair pair;
  pair.connector.session->send_control(Offers{{{"api", "tcp"}}});  // before the stream stands
  pair.settle();
  pair.gateway.session->send_control(Gateways{{"a", "b"}});
  pair.settle();
  ASSERT_EQ(pair.gateway.control.size(), 1U);
  EXPECT_EQ(std::get<Offers>(pair.gateway.control[0]).services.at(0).name, "api");
  ASSERT_EQ(pair.connector.control.size(), 1U);
  EXPECT_THAT(std::get<Gateways>(pair.connector.control[0]).ids, ElementsAre("a", "b"));
}

TEST(Session, PeerThatReadsNoControlLinesIsGivenUp) {
  Pair pair;
  pair.settle();
  Offers offers;
  for (int i = 0; i < 1000; ++i) offers.services.push_back({"service-" + std::to_string(i), "tcp"});
  pair.connector.write_calls = 0;
  for (int i = 0; i < 100; ++i) pair.connector.session->send_control(offers);
  EXPECT_GT(pair.connector.write_calls, 0U) << "the owner is asked to call produce()";
  base::Buffer out;
  const auto produced = pair.connector.session->produce(out, 1U << 20U);
  ASSERT_FALSE(produced);
  EXPECT_THAT(produced.error(), HasSubstr("does not read its control stream"));
}

TEST(Session, WantsWriteIsTold) {
  Pair pair;
  pair.settle();
  const auto before = pair.gateway.write_calls;
  auto* stream = pair.open();
  EXPECT_EQ(pair.gateway.write_calls, before + 1);
  pair.open();
  EXPECT_EQ(pair.gateway.write_calls, before + 1) << "once until produce()";
  pair.settle();
  const auto after = pair.gateway.write_calls;
  stream->send("x");
  EXPECT_EQ(pair.gateway.write_calls, after + 1);
}

TEST(Session, LongOrNoServiceNameOpensNothing) {
  Pair pair;
  pair.settle();
  Recorder nobody;
  EXPECT_EQ(pair.gateway.session->open({"", "", ""}, nobody), nullptr);
  EXPECT_EQ(pair.gateway.session->open({std::string(254, 'a'), "", ""}, nobody), nullptr);
  EXPECT_NE(pair.open(std::string(253, 'a')), nullptr);
}

TEST(Session, HandlerCanBeChanged) {
  Pair pair;
  pair.settle();
  auto* stream = pair.open();
  pair.settle();
  Recorder& next = *pair.opened.emplace_back(std::make_unique<Recorder>());
  next.stream = stream->stream;
  stream->stream->set_handler(next);
  next.send("for the next");
  pair.settle();
  EXPECT_EQ(stream->bytes, 0U);
  EXPECT_EQ(next.in, "for the next");
}

TEST(Session, StreamResetBeforeItWasSentLeavesNoTrace) {
  Pair pair;
  pair.settle();
  auto* first = pair.open("first");
  first->stream->reset();
  auto* second = pair.open("second");  // the Stream object of the first, used again
  second->send("hello");
  pair.settle();
  EXPECT_THAT(pair.connector.services, ElementsAre("second"));
  EXPECT_EQ(second->in, "hello");
  EXPECT_TRUE(first->closed.empty());
}

}  // namespace
}  // namespace adit::link::test
