// What visitors may not do for long, and what the routes of a tunnel do to their requests.

#include <optional>

#include <gtest/gtest.h>

#include "gateway/visitor.h"
#include "tests/gateway/edge.h"

namespace adit::gateway::test {
namespace {

using net::test::End;
using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET /page HTTP/1.1\r\nHost: shop.example.com\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

EdgeSettings impatient() {
  EdgeSettings settings;
  settings.header_timeout = milliseconds(150);
  settings.idle_timeout = milliseconds(150);
  settings.body_timeout = milliseconds(150);
  return settings;
}

class Limits : public testing::Test {
 protected:
  bool heard(Edge& edge, std::string_view text) {
    return edge.until([&] { return visitor_.in.find(text) != std::string::npos; });
  }
  bool was_closed(Edge& edge) {
    return edge.until([&] { return visitor_.ended || !visitor_.broken.empty(); });
  }
  Edge& start(EdgeSettings settings = {}) { return edge_.emplace(1, std::move(settings)); }

  std::optional<Edge> edge_;
  End visitor_;  // behind it: it ends first
};

TEST_F(Limits, ASlowHeadGets408) {
  Edge& edge = start(impatient());
  edge.visit(visitor_, "GET / HTTP/1.1\r\nHost: sho");
  ASSERT_TRUE(was_closed(edge));
  EXPECT_TRUE(visitor_.in.starts_with("HTTP/1.1 408")) << visitor_.in;
}

TEST_F(Limits, WhoSaysNothingIsClosedWithoutAWord) {
  Edge& edge = start(impatient());
  edge.visit(visitor_, "");
  ASSERT_TRUE(was_closed(edge));
  EXPECT_EQ(visitor_.in, "");
}

TEST_F(Limits, AnIdleConnectionIsClosed) {
  Edge& edge = start(impatient());
  edge.connect();
  edge.visit(visitor_, kGet);
  ASSERT_TRUE(edge.asked("GET /page"));
  edge.service().send(kOk);
  ASSERT_TRUE(was_closed(edge));
  EXPECT_TRUE(visitor_.in.ends_with("ok"));
}

TEST_F(Limits, AStalledBodyGets408AndTheServiceIsLetGo) {
  Edge& edge = start(impatient());
  edge.connect();
  edge.visit(visitor_, "POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 9\r\n\r\nhalf");
  ASSERT_TRUE(edge.asked("half"));
  ASSERT_TRUE(was_closed(edge));
  EXPECT_TRUE(visitor_.in.starts_with("HTTP/1.1 408")) << visitor_.in;
  EXPECT_TRUE(edge.until([&] { return edge.service().closed.has_value(); }));
}

TEST_F(Limits, ABodyBelowTheRateGets408) {
  EdgeSettings settings;
  settings.min_body_rate = 1'000'000;
  settings.min_body_rate_grace = milliseconds(100);
  Edge& edge = start(settings);
  edge.connect();
  edge.visit(visitor_, "POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 1000\r\n\r\n");
  ASSERT_TRUE(edge.until([&] {
    if (visitor_.in.empty() && visitor_.broken.empty()) visitor_.send("x");
    return visitor_.in.find("\r\n\r\n") != std::string::npos;
  }));
  EXPECT_TRUE(visitor_.in.starts_with("HTTP/1.1 408")) << visitor_.in;
}

TEST_F(Limits, AServiceThatTakesItsTimeIsNoSlowVisitor) {
  auto settings = impatient();
  Edge& edge = start(settings);
  edge.connect();
  edge.visit(visitor_, "POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 4\r\n\r\nbody");
  ASSERT_TRUE(edge.asked("body"));
  const auto later = base::Clock::now() + 3 * settings.body_timeout;
  ASSERT_TRUE(edge.until([&] { return base::Clock::now() > later; }));
  EXPECT_EQ(visitor_.in, "");
  edge.service().send(kOk);
  ASSERT_TRUE(heard(edge, "\r\n\r\nok"));
}

TEST_F(Limits, WhoDoesNotTakeItsAnswerIsCutOff) {
  Edge& edge = start(impatient());
  edge.connect();
  edge.visit(visitor_, kGet);
  ASSERT_TRUE(edge.asked("GET /page"));
  visitor_.reads = false;
  edge.service().send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
  ASSERT_TRUE(edge.until([&] {
    if (!edge.service().closed) edge.service().send(std::string(64 * 1024, 'x'));
    return edge.service().closed.has_value();
  }));
  EXPECT_EQ(edge.workers[0]->visitors(), 0U);
}

TEST_F(Limits, AnEarlyAnswerKeepsTheConnectionOnceTheBodyHasCome) {
  Edge& edge = start();
  edge.connect();
  edge.visit(visitor_, "POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 9\r\n\r\nhalf");
  ASSERT_TRUE(edge.asked("half"));
  edge.service().send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  ASSERT_TRUE(heard(edge, "\r\n\r\nno"));
  EXPECT_EQ(visitor_.in.find("Connection: close"), std::string::npos);
  visitor_.in.clear();
  visitor_.send("there" + std::string(kGet));
  ASSERT_TRUE(edge.asked("GET /page"));
  EXPECT_EQ(edge.request.find("there"), std::string::npos) << "nobody wants it any more";
  edge.service().send(kOk);
  ASSERT_TRUE(heard(edge, "\r\n\r\nok"));
}

TEST_F(Limits, AnEarlyAnswerDoesNotWaitForABodyWithoutEnd) {
  Edge& edge = start();
  edge.connect();
  edge.visit(visitor_, "POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 9000000\r\n\r\nhalf");
  ASSERT_TRUE(edge.asked("half"));
  edge.service().send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  ASSERT_TRUE(heard(edge, "\r\n\r\nno"));
  visitor_.send(std::string(600'000, 'x'));
  ASSERT_TRUE(was_closed(edge));
}

TEST_F(Limits, AnAnswerInsteadOf100ClosesTheConnection) {
  Edge& edge = start();
  edge.connect();
  edge.visit(visitor_,
             "POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(edge.asked("Expect: 100-continue"));
  edge.service().send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(was_closed(edge));
  EXPECT_NE(visitor_.in.find("Connection: close\r\n"), std::string::npos) << visitor_.in;
}

TEST_F(Limits, SoManyConnections) {
  EdgeSettings settings;
  settings.connections_per_address = 1;
  Edge& edge = start(settings);
  edge.connect();
  edge.visit(visitor_, kGet);
  ASSERT_TRUE(edge.asked("GET /page"));
  End second;
  edge.visit(second, "");
  ASSERT_TRUE(edge.until([&] { return second.ended || !second.broken.empty(); }));
  EXPECT_TRUE(second.in.starts_with("HTTP/1.1 429")) << second.in;
  EXPECT_EQ(edge.counted().connections_refused.value(), 1U);
  edge.service().send(kOk);
  ASSERT_TRUE(heard(edge, "ok"));
  visitor_.stream->finish();
  ASSERT_TRUE(edge.until([&] { return edge.workers[0]->visitors() == 0; }));
  End third;
  edge.visit(third, kGet);
  ASSERT_TRUE(edge.asked("GET /page"));
}

/// A table whose one rule has these filters.
std::shared_ptr<const routing::Table> table_with(routing::Tunnel tunnel, routing::Filters filters) {
  auto configuration = std::make_shared<routing::TunnelConfiguration>();
  configuration->tunnel = std::make_shared<const routing::Tunnel>(std::move(tunnel));
  configuration->rules = {
      {"shop.example.com", "/", "web", false, std::make_shared<const routing::Filters>(std::move(filters))}};
  const routing::TunnelConfigurationPtr all[] = {configuration};
  return routing::build_table(all);
}

const routing::Tunnel kTunnel{"tunnel-id", "team/shop", {}};

TEST_F(Limits, AChunkedBodyOverTheRoutesLimit) {
  Edge& edge = start();
  edge.connect();
  routing::Filters filters;
  filters.most_body = 10;
  edge.shared.table.publish(table_with(kTunnel, filters));
  edge.visit(visitor_,
             "POST / HTTP/1.1\r\nHost: shop.example.com\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n");
  ASSERT_TRUE(edge.asked("12345678"));
  visitor_.send("8\r\n12345678\r\n0\r\n\r\n");
  ASSERT_TRUE(was_closed(edge));
  EXPECT_TRUE(visitor_.in.starts_with("HTTP/1.1 413")) << visitor_.in;
  EXPECT_EQ(edge.service().closed, link::Closed::reset);
}

TEST_F(Limits, HeadsAreEditedBothWays) {
  using Change = routing::HeaderChange;
  Edge& edge = start();
  edge.connect();
  routing::Filters filters;
  filters.host = "localhost:3000";
  filters.path = routing::PathChange{routing::PathChange::Kind::prefix, "/inside"};
  filters.request_headers = {{Change::Kind::set, "X-Team", "a"}};
  filters.response_headers = {{Change::Kind::remove, "Server", ""}};
  edge.shared.table.publish(table_with(kTunnel, filters));
  edge.visit(visitor_, "GET /page HTTP/1.1\r\nHost: shop.example.com\r\nX-Team: b\r\n\r\n");
  ASSERT_TRUE(edge.asked("GET /inside/page HTTP/1.1\r\nHost: localhost:3000\r\nX-Team: a\r\n"));
  EXPECT_NE(edge.request.find("X-Forwarded-Host: shop.example.com\r\n"), std::string::npos);
  edge.service().send("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\nok");
  ASSERT_TRUE(heard(edge, "\r\n\r\nok"));
  EXPECT_EQ(visitor_.in.find("Server"), std::string::npos);
}

TEST_F(Limits, APasswordIsCheckedAndTheRequestGoesOn) {
  Edge& edge = start();
  edge.connect();
  routing::Filters filters;
  filters.basic_auth =
      routing::BasicAuth{"shop", {{"ann", "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"}}};
  edge.shared.table.publish(table_with(kTunnel, filters));
  edge.visit(visitor_, kGet);
  ASSERT_TRUE(heard(edge, "HTTP/1.1 401"));
  visitor_.in.clear();
  visitor_.send(
      "GET /1 HTTP/1.1\r\nHost: shop.example.com\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\n\r\n"
      "GET /2 HTTP/1.1\r\nHost: shop.example.com\r\nAuthorization: Basic YW5uOndyb25n\r\n\r\n");
  ASSERT_TRUE(edge.asked("GET /1 "));
  edge.service().send(kOk);
  ASSERT_TRUE(heard(edge, "HTTP/1.1 401"));
  EXPECT_LT(visitor_.in.find("ok"), visitor_.in.find("401"));
}

TEST_F(Limits, WhoGoesWhileItsPasswordIsChecked) {
  Edge& edge = start();
  routing::Filters filters;
  filters.basic_auth = routing::BasicAuth{"shop", {}};
  edge.shared.table.publish(table_with(kTunnel, filters));
  edge.visit(visitor_, "GET /1 HTTP/1.1\r\nHost: shop.example.com\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\n\r\n");
  edge.settle();
  visitor_.stream->abort();
  ASSERT_TRUE(edge.until([&] { return edge.workers[0]->visitors() == 0; }));
}

TEST_F(Limits, ATunnelsOwnPageWhenNoConnectorIsThere) {
  Edge& edge = start();
  auto tunnel = kTunnel;
  tunnel.offline_page = "<h1>Back soon</h1>";
  edge.shared.table.publish(table_with(tunnel, {}));
  edge.visit(visitor_, kGet);
  ASSERT_TRUE(heard(edge, "<h1>Back soon</h1>"));
  EXPECT_TRUE(visitor_.in.starts_with("HTTP/1.1 503")) << visitor_.in;
  visitor_.in.clear();
  visitor_.send("GET / HTTP/1.1\r\nHost: shop.example.com\r\nAccept: application/json\r\n\r\n");
  ASSERT_TRUE(heard(edge, "\"status\":503"));
}

}  // namespace
}  // namespace adit::gateway::test
