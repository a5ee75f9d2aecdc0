// Workers among themselves: which link a request gets, and how they end.

#include "tests/gateway/edge.h"

namespace adit::gateway::test {
namespace {

using net::test::End;

constexpr std::string_view kGet = "GET /page HTTP/1.1\r\nHost: shop.example.com\r\n\r\n";

std::string numbers(std::size_t size) {
  std::string text;
  for (unsigned i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  text.resize(size);
  return text;
}

TEST(Workers, LinkOfAnotherWorkerServes) {
  Edge edge(2);
  edge.connect(1);
  End visitor;
  edge.visit(visitor, "POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 3000000\r\n\r\n");
  ASSERT_TRUE(edge.asked("Content-Length: 3000000\r\n"));
  const auto body = numbers(3'000'000);
  visitor.send(body);
  ASSERT_TRUE(edge.until([&] { return edge.service().in.size() >= body.size(); }));
  EXPECT_TRUE(edge.service().in == body) << "bytes were lost, repeated or out of order";
  edge.service().send("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n");
  edge.service().send(body);
  ASSERT_TRUE(edge.until([&] { return visitor.in.size() >= body.size() && visitor.in.ends_with(body); }));
  EXPECT_EQ(edge.counted().remote_streams.value(), 1U);
  visitor.in.clear();
  visitor.send(kGet);
  ASSERT_TRUE(edge.asked("GET /page"));
  EXPECT_EQ(edge.counted().streams_reused.value(), 1U);
}

TEST(Workers, OwnLinkIsPreferred) {
  Edge edge(2);
  edge.connect(1);
  edge.connect(0);
  End visitor;
  edge.visit(visitor, kGet);
  ASSERT_TRUE(edge.asked("GET /page"));
  EXPECT_EQ(edge.counted().remote_streams.value(), 0U);
}

// A link that takes no more has the fewest streams and is picked first.
TEST(Workers, FullLinkDoesNotHideTheOthers) {
  for (const std::size_t other : {0U, 1U}) {
    Edge edge(2);
    link::SessionOptions full;
    full.most_streams = 1;  // the control stream
    edge.connect(0, full);
    edge.connect(other);
    End visitor;
    edge.visit(visitor, kGet);
    EXPECT_TRUE(edge.asked("GET /page")) << "worker " << other;
    EXPECT_EQ(visitor.in, "");
  }
}

// Under AddressSanitizer: streams that cross must not speak to a worker that was destroyed before.
TEST(Workers, EndWithStreamsThatCross) {
  for (const std::size_t links_of : {0U, 1U}) {
    auto edge = std::make_unique<Edge>(2);
    edge->connect(1);
    End visitor;
    edge->visit(visitor, kGet);
    ASSERT_TRUE(edge->asked("GET /page"));
    if (links_of == 1) edge->service().send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart");
    edge->settle();
    visitor.stream->close();
    visitor.stream.reset();
    edge.reset();
  }
}

TEST(Workers, WhatIsCutOffIsCounted) {
  Edge edge;
  edge.connect();
  End visitor;
  edge.visit(visitor, kGet);
  ASSERT_TRUE(edge.asked("GET /page"));
  visitor.stream->close();
  visitor.stream.reset();
  edge.workers[0]->stop();
  EXPECT_EQ(edge.counted().requests[0].value(), 1U);
  EXPECT_EQ(edge.workers[0]->visitors(), 0U);
}

TEST(Workers, FinishEndsTheLinks) {
  Edge edge;
  edge.connect();
  edge.workers[0]->drain();
  edge.workers[0]->finish();
  ASSERT_TRUE(edge.until([&] { return edge.workers[0]->link_table().size() == 0; }));
}

}  // namespace
}  // namespace adit::gateway::test
