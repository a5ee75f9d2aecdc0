// Visitors' connections, from the socket to the service and back.

#include "gateway/visitor.h"

#include "tests/gateway/edge.h"

namespace adit::gateway::test {
namespace {

using net::test::End;

constexpr std::string_view kGet = "GET /page HTTP/1.1\r\nHost: shop.example.com\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class Visitors : public testing::Test {
 protected:
  bool heard(std::string_view text) {
    return edge_.until([&] { return visitor_.in.find(text) != std::string::npos; });
  }
  bool was_closed() {
    return edge_.until([&] { return visitor_.ended || !visitor_.broken.empty(); });
  }

  Edge edge_;
  End visitor_;
};

TEST_F(Visitors, KeepAliveReusesConnectionAndStream) {
  edge_.connect();
  edge_.visit(visitor_, kGet);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(edge_.asked("GET /page HTTP/1.1"));
    visitor_.in.clear();
    edge_.service().send(kOk);
    ASSERT_TRUE(heard("\r\n\r\nok"));
    edge_.settle();
    EXPECT_FALSE(visitor_.ended);
    visitor_.send(kGet);
  }
  EXPECT_EQ(edge_.connector->streams.size(), 1U);
  EXPECT_EQ(edge_.counted().requests[2].value(), 3U);
  EXPECT_EQ(edge_.counted().connections.value(), 1U);
}

TEST_F(Visitors, PipelinedRequestsAreAnsweredInOrder) {
  edge_.connect();
  edge_.visit(visitor_,
              "GET /1 HTTP/1.1\r\nHost: shop.example.com\r\n\r\nGET /2 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n"
              "GET /3 HTTP/1.1\r\nHost: nobody.example.com\r\n\r\n");
  ASSERT_TRUE(edge_.asked("GET /1 "));
  edge_.settle();
  EXPECT_EQ(edge_.request.find("GET /2"), std::string::npos) << "one at a time";
  edge_.service().send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none");
  ASSERT_TRUE(edge_.asked("GET /2 "));
  edge_.service().send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo");
  ASSERT_TRUE(heard("HTTP/1.1 404"));
  EXPECT_LT(visitor_.in.find("one"), visitor_.in.find("two"));
  EXPECT_LT(visitor_.in.find("two"), visitor_.in.find("404"));
}

TEST_F(Visitors, Http10IsClosedBehindItsAnswer) {
  edge_.connect();
  edge_.visit(visitor_, "GET /page HTTP/1.0\r\nHost: shop.example.com\r\n\r\n");
  ASSERT_TRUE(edge_.asked("GET /page HTTP/1.1"));
  edge_.service().send(
      "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nok\r\n0\r\n\r\n");
  ASSERT_TRUE(was_closed());
  EXPECT_EQ(visitor_.in.find("103"), std::string::npos);
  EXPECT_TRUE(visitor_.in.ends_with("\r\n\r\nok")) << visitor_.in;
}

struct OwnAnswer {
  const char* name;
  std::string_view request;
  std::string_view status;
  bool closes;
};
const OwnAnswer kOwnAnswers[] = {
    {"UnknownHost", "GET / HTTP/1.1\r\nHost: nobody.example.com\r\n\r\n", "404", false},
    {"UnknownHostClose", "GET / HTTP/1.1\r\nHost: nobody.example.com\r\nConnection: close\r\n\r\n", "404", true},
    {"UnknownHost10", "GET / HTTP/1.0\r\nHost: nobody.example.com\r\n\r\n", "404", true},
    {"UnknownHostBody", "POST / HTTP/1.1\r\nHost: nobody.example.com\r\nContent-Length: 9\r\n\r\nhalf", "404", true},
    {"PrivateHost", "GET / HTTP/1.1\r\nHost: admin.example.com\r\n\r\n", "404", false},
    {"PrivatePath", "GET /inside/x HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", "404", false},
    {"Link",
     "GET /.well-known/adit/link HTTP/1.1\r\nHost: shop.example.com\r\nConnection: Upgrade\r\nUpgrade: "
     "adit-link/1\r\n\r\n",
     "404", false},
    {"Malformed", "GET / HTTP/1.1\r\nHost : shop.example.com\r\n\r\n", "400", true},
    {"NoHost", "GET / HTTP/1.1\r\n\r\n", "400", true},
    {"TwoFramings",
     "POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "400", true},
    {"Connect", "CONNECT shop.example.com:443 HTTP/1.1\r\nHost: shop.example.com:443\r\n\r\n", "405", true},
    {"Trace", "TRACE / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", "405", true},
};

TEST(VisitorAnswers, OwnOnesForwardNothing) {
  for (const auto& test : kOwnAnswers) {
    SCOPED_TRACE(test.name);
    Edge edge;
    edge.connect();
    End visitor;
    edge.visit(visitor, test.request);
    ASSERT_TRUE(edge.until([&] { return visitor.in.find("\r\n\r\n") != std::string::npos; }));
    EXPECT_TRUE(visitor.in.starts_with("HTTP/1.1 " + std::string(test.status))) << visitor.in;
    edge.settle();
    EXPECT_EQ(visitor.ended, test.closes) << visitor.in;
    EXPECT_EQ(visitor.in.find("Connection: close") != std::string::npos, test.closes);
    EXPECT_TRUE(edge.connector->streams.empty());
    visitor.stream->finish();
    EXPECT_TRUE(edge.until([&] { return edge.workers[0]->visitors() == 0; }));
  }
}

TEST_F(Visitors, NoConnector) {
  edge_.visit(visitor_, "GET / HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(was_closed());
  EXPECT_TRUE(visitor_.in.starts_with("HTTP/1.1 503")) << visitor_.in;
  EXPECT_NE(visitor_.in.find("Retry-After: 1\r\n"), std::string::npos);
  EXPECT_EQ(edge_.counted().requests[5].value(), 1U);
}

TEST_F(Visitors, BodyInPiecesAndAnswerBack) {
  edge_.connect();
  edge_.visit(visitor_, "POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 300000\r\n\r\n");
  ASSERT_TRUE(edge_.asked("Content-Length: 300000\r\n"));
  const std::string body(300'000, 'x');
  visitor_.send(body);
  ASSERT_TRUE(edge_.until([&] { return edge_.service().in.size() == body.size(); }));
  edge_.service().send("HTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_TRUE(heard("HTTP/1.1 204"));
}

TEST_F(Visitors, WhoGoesEarlyTakesTheStreamAlong) {
  edge_.connect();
  edge_.visit(visitor_, kGet);
  ASSERT_TRUE(edge_.asked("GET /page"));
  visitor_.stream->abort();
  ASSERT_TRUE(edge_.until([&] { return edge_.service().closed.has_value(); }));
  EXPECT_EQ(edge_.service().closed, link::Closed::reset);
  EXPECT_EQ(edge_.counted().requests[0].value(), 1U) << "counted as unanswered";
  EXPECT_EQ(edge_.workers[0]->visitors(), 0U);
}

TEST_F(Visitors, EndWithinABodyTakesTheStreamAlong) {
  edge_.connect();
  edge_.visit(visitor_, "POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 9\r\n\r\nhalf");
  ASSERT_TRUE(edge_.asked("half"));
  visitor_.stream->finish();
  ASSERT_TRUE(edge_.until([&] { return edge_.service().closed.has_value(); }));
}

TEST_F(Visitors, AnswerCutShortDoesNotLookWhole) {
  edge_.connect();
  edge_.visit(visitor_, "GET / HTTP/1.0\r\nHost: shop.example.com\r\n\r\n");
  ASSERT_TRUE(edge_.asked("GET /"));
  edge_.service().send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n");
  ASSERT_TRUE(heard("part"));
  edge_.service().stream->reset();
  ASSERT_TRUE(was_closed());
  EXPECT_FALSE(visitor_.broken.empty()) << "a reset, since an end would look like the end of the body";
}

TEST_F(Visitors, SlowReaderHoldsTheServiceBackAndStillGetsAll) {
  edge_.connect();
  visitor_.reads = false;
  edge_.visit(visitor_, kGet);
  ASSERT_TRUE(edge_.asked("GET /page"));
  const std::string bulk(48'000'000, 'x');
  edge_.service().out = "HTTP/1.1 200 OK\r\nContent-Length: 48000000\r\n\r\n";
  edge_.service().send(bulk);
  edge_.settle();
  EXPECT_LT(edge_.service().sent, bulk.size() / 2) << "only what sockets and windows hold";
  // Its end of requests must not cost it what it has not read yet.
  visitor_.stream->finish();
  visitor_.reads = true;
  visitor_.stream->read();
  ASSERT_TRUE(was_closed());
  EXPECT_EQ(visitor_.broken, "");
  EXPECT_EQ(visitor_.in.size() - visitor_.in.find("\r\n\r\n") - 4, bulk.size());
}

TEST_F(Visitors, PipeAfterAnUpgrade) {
  edge_.connect();
  edge_.visit(visitor_,
              "GET /chat HTTP/1.1\r\nHost: shop.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
  ASSERT_TRUE(edge_.asked("Upgrade: websocket"));
  edge_.service().send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
  ASSERT_TRUE(heard("\r\n\r\nhello"));
  ASSERT_TRUE(edge_.asked("early"));
  const std::string bulk(500'000, 'y');
  visitor_.send(bulk);
  ASSERT_TRUE(edge_.until([&] { return edge_.service().in.size() == bulk.size(); }));
  edge_.service().stream->finish();
  ASSERT_TRUE(was_closed());
  visitor_.send("last words");
  ASSERT_TRUE(edge_.asked("last words"));
  visitor_.stream->finish();
  ASSERT_TRUE(edge_.until([&] { return edge_.workers[0]->visitors() == 0; }));
  EXPECT_EQ(edge_.counted().interrupted.value(), 0U);
  EXPECT_EQ(edge_.counted().requests[1].value(), 1U);
}

TEST_F(Visitors, R2_LeavingTellsEveryVisitorToComeBackElsewhereBeforeAnyConnectionIsClosed) {
  edge_.connect();
  edge_.visit(visitor_, kGet);
  ASSERT_TRUE(edge_.asked("GET /page"));
  edge_.workers[0]->leave();
  edge_.settle();
  edge_.service().send(kOk);
  ASSERT_TRUE(was_closed());
  EXPECT_NE(visitor_.in.find("Connection: close\r\n"), std::string::npos) << visitor_.in;
  End late;
  edge_.visit(late, "GET / HTTP/1.1\r\nHost: nobody.example.com\r\n\r\n");
  ASSERT_TRUE(edge_.until([&] { return late.ended; })) << "visitors are still taken";
  EXPECT_NE(late.in.find("Connection: close\r\n"), std::string::npos) << late.in;
}

TEST_F(Visitors, LeavingLeavesTheIdleAlone) {
  edge_.connect();
  edge_.visit(visitor_, "GET / HTTP/1.1\r\nHost: nobody.example.com\r\n\r\n");
  ASSERT_TRUE(edge_.until([&] { return !visitor_.in.empty(); }));
  edge_.workers[0]->leave();
  edge_.settle();
  EXPECT_FALSE(visitor_.ended) << "a request may be on its way";
}

TEST_F(Visitors, DrainClosesTheIdleAndTheBusyBehindTheirAnswers) {
  edge_.connect();
  End idle;
  edge_.visit(idle, "GET / HTTP/1.1\r\nHost: nobody.example.com\r\n\r\n");
  ASSERT_TRUE(edge_.until([&] { return !idle.in.empty(); }));
  edge_.visit(visitor_, kGet);
  ASSERT_TRUE(edge_.asked("GET /page"));
  edge_.workers[0]->drain();
  ASSERT_TRUE(edge_.until([&] { return idle.ended; }));
  EXPECT_FALSE(visitor_.ended);
  edge_.service().send(kOk);
  ASSERT_TRUE(was_closed());
  EXPECT_NE(visitor_.in.find("Connection: close\r\n"), std::string::npos) << visitor_.in;
  EXPECT_TRUE(visitor_.in.ends_with("ok"));
}

}  // namespace
}  // namespace adit::gateway::test
