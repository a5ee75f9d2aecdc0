// Requests on their way to services: head, bodies, back-pressure.

#include "tests/gateway/exchange_bench.h"

namespace adit::gateway::test {
namespace {

constexpr std::size_t kMostBuffered = 64 * 1024;

TEST(ExchangeRequest, WhatGoesToTheService) {
  Bench bench;
  bench.get();
  EXPECT_EQ(bench.stream().service, "web");
  EXPECT_EQ(bench.stream().visitor, "192.0.2.1:999");
  EXPECT_EQ(bench.stream().request_id, "0123456789abcdef");
  bench.stream().accept();
  const auto sent = std::string(bench.stream().take());
  EXPECT_TRUE(sent.starts_with("GET /page HTTP/1.1\r\n")) << sent;
  EXPECT_NE(sent.find("X-Forwarded-For: 192.0.2.1\r\n"), sent.npos) << sent;
  EXPECT_TRUE(sent.ends_with("\r\n\r\n")) << sent;
}

TEST(ExchangeRequest, NothingLeavesBeforeTheConnectorHasAccepted) {
  Bench bench;
  bench.post("x=1");
  EXPECT_EQ(bench.stream().resumes, 0);
  bench.stream().accept();
  EXPECT_EQ(bench.stream().resumes, 1);
}

TEST(ExchangeRequest, ChunkedWithTrailers) {
  Bench bench;
  bench.begin("POST / HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked\r\n\r\n");
  bench.stream().accept();
  bench.stream().take();
  bench.exchange.body(bytes_of("hello"));
  EXPECT_EQ(bench.stream().take(), "5\r\nhello\r\n");
  http::FieldList trailers;
  trailers.add("Sum", "1");
  bench.exchange.end_body(&trailers);
  EXPECT_EQ(bench.stream().take(), "0\r\nSum: 1\r\n\r\n");
  bench.stream().data("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(bench.answer.text(), "204  end");
  EXPECT_FALSE(bench.stream().was_reset);
}

TEST(ExchangeRequest, ContinueIsPassedOn) {
  Bench bench;
  bench.begin("POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  bench.stream().accept();
  EXPECT_NE(bench.stream().take().find("100-continue"), std::string_view::npos);
  bench.stream().data("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(bench.answer.heads, std::vector<int>{100});
  bench.exchange.body(bytes_of("abc"));
  bench.exchange.end_body(nullptr);
  EXPECT_EQ(bench.stream().take(), "abc");
  bench.stream().data("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(bench.answer.text(), "100 200  end");
}

TEST(ExchangeRequest, SlowServiceHoldsTheVisitorBack) {
  Bench bench;
  bench.begin("POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_TRUE(bench.exchange.takes_more());
  bench.exchange.body(bytes_of(std::string(kMostBuffered, 'x')));
  EXPECT_FALSE(bench.exchange.takes_more());
  bench.stream().accept();
  bench.stream().take(10);
  EXPECT_FALSE(bench.exchange.takes_more());
  EXPECT_EQ(bench.answer.takes_more, 0);
  bench.stream().take(kMostBuffered);
  EXPECT_TRUE(bench.exchange.takes_more());
  EXPECT_EQ(bench.answer.takes_more, 1);
  bench.exchange.body(bytes_of(std::string(10, 'x')));
  bench.stream().take();
  EXPECT_EQ(bench.answer.takes_more, 1) << "it was never full";
}

// A stream on another worker takes bytes from within resume(). The visitor must not be asked for more from within the
// call that brings bytes: it would bring the same again.
TEST(ExchangeRequest, AsksForNoMoreFromWithinACall) {
  Bench bench;
  bench.begin("POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 1000000\r\n\r\n");
  bench.stream().accept();
  bench.stream().take();
  bench.stream().takes_at_once = true;
  bench.exchange.body(bytes_of(std::string(2 * kMostBuffered, 'x')));
  EXPECT_TRUE(bench.exchange.takes_more());
  EXPECT_EQ(bench.answer.takes_more, 0);
}

TEST(ExchangeRequest, AsksForNoMoreFromWithinAPipe) {
  Bench bench;
  bench.begin("GET / HTTP/1.1\r\nHost: a.example.com\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  bench.stream().accept();
  bench.stream().take();
  bench.stream().data("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
  bench.stream().takes_at_once = true;
  bench.exchange.pipe(bytes_of(std::string(2 * kMostBuffered, 'x')));
  EXPECT_EQ(bench.answer.takes_more, 0);
}

// A head of nearly 64 KiB fills the buffer once the edge's own fields are in it.
TEST(ExchangeRequest, AsksForNoMoreFromWithinBegin) {
  Bench bench;
  FakeStream& service = bench.warm_up();
  service.takes_at_once = true;
  std::string head = "POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 9\r\n";
  for (int i = 0; i < 4; ++i) head += "X-" + std::to_string(i) + ": " + std::string(16'350, 'x') + "\r\n";
  bench.begin(head + "\r\n");
  EXPECT_GT(service.sent.size(), kMostBuffered);
  EXPECT_EQ(bench.answer.takes_more, 0);
}

TEST(ExchangeRequest, RequestOnAReusedStream) {
  Bench bench;
  FakeStream& service = bench.warm_up();
  bench.post("x=1");
  EXPECT_EQ(bench.opened(), 1U);
  EXPECT_TRUE(service.take().starts_with("POST /form"));
  EXPECT_EQ(bench.metrics.streams_reused.value(), 1U);
  service.data("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(bench.answer.text(), "204  end");
}

}  // namespace
}  // namespace adit::gateway::test
