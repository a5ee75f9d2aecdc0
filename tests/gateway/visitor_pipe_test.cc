// WebSockets at the end of the gateway, and at that of their connector.

#include "tests/gateway/edge.h"

namespace adit::gateway::test {
namespace {

using net::test::End;

constexpr std::string_view kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: shop.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
constexpr std::string_view kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n";
const std::string kGoingAway = "\x88\x02\x03\xe9";
const std::string kAnswer = std::string("\x88\x82\0\0\0\0\x03\xe9", 8);  // the visitor's, masked

class WebSockets : public testing::Test {
 protected:
  void open(std::string_view switching = kSwitching) {
    edge_.connect();
    edge_.visit(visitor_, kUpgrade);
    ASSERT_TRUE(edge_.asked("GET /chat"));
    edge_.service().send(switching);
    ASSERT_TRUE(edge_.until([&] { return visitor_.in.ends_with("\r\n\r\n"); }));
    visitor_.in.clear();
  }
  bool heard(std::string_view text) {
    return edge_.until([&] { return visitor_.in.ends_with(text); });
  }
  bool is_over() {
    return edge_.until([&] { return edge_.workers[0]->visitors() == 0; });
  }

  Edge edge_;
  End visitor_;
};

TEST_F(WebSockets, BothEndsAreToldAndClosedOnceTheyHaveAnswered) {
  open();
  edge_.workers[0]->go_away();
  ASSERT_TRUE(heard(kGoingAway));
  ASSERT_TRUE(edge_.until([&] { return edge_.service().in.size() == 8; }));
  EXPECT_TRUE(edge_.service().in.starts_with("\x88\x82"));
  visitor_.send(kAnswer);
  edge_.settle();
  EXPECT_FALSE(visitor_.ended) << "the service has not answered";
  edge_.service().send(kGoingAway + "\x81\x01x");
  ASSERT_TRUE(edge_.until([&] { return visitor_.ended && edge_.service().ended; }));
  EXPECT_EQ(visitor_.in, kGoingAway) << "nothing behind a Close";
  EXPECT_EQ(edge_.service().in.size(), 8U);
  edge_.service().stream->finish();
  visitor_.stream->finish();
  EXPECT_TRUE(is_over());
  EXPECT_EQ(edge_.counted().interrupted.value(), 0U);
}

TEST_F(WebSockets, WhoDoesNotAnswerIsClosedAllTheSame) {
  open();
  edge_.workers[0]->go_away();
  ASSERT_TRUE(heard(kGoingAway));
  ASSERT_TRUE(edge_.until([&] { return visitor_.ended; }));
  EXPECT_EQ(visitor_.broken, "");
  EXPECT_TRUE(edge_.until([&] { return edge_.service().closed.has_value(); }));
}

TEST_F(WebSockets, AFrameThatDoesNotEndIsCut) {
  open();
  edge_.service().send("\x82\x05hal");
  ASSERT_TRUE(heard("hal"));
  edge_.workers[0]->go_away();
  ASSERT_TRUE(edge_.until([&] { return !visitor_.broken.empty(); }));
  EXPECT_TRUE(visitor_.in.ends_with("hal"));
  EXPECT_TRUE(is_over());
}

TEST_F(WebSockets, OtherProtocolsAreLeftAlone) {
  open("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n");
  edge_.workers[0]->go_away();
  edge_.settle();
  edge_.service().send("still there");
  ASSERT_TRUE(heard("still there"));
  EXPECT_EQ(edge_.service().in, "");
}

TEST_F(WebSockets, AConnectorThatHasSaidSoTakesThemAlong) {
  open();
  edge_.connector->leave();
  ASSERT_TRUE(edge_.until([&] { return edge_.shared.directory.all().at(0).link->connector_leaves.load(); }));
  edge_.connector->driver.close("its drain time is over");
  ASSERT_TRUE(edge_.until([&] { return visitor_.ended; }));
  EXPECT_EQ(visitor_.in, kGoingAway);
}

TEST_F(WebSockets, ALostLinkIsNoGoodbye) {
  open();
  edge_.connector->driver.close("gone");
  ASSERT_TRUE(edge_.until([&] { return visitor_.ended; }));
  EXPECT_EQ(visitor_.in, "");
}

TEST_F(WebSockets, BytesAreCountedAsTheyPass) {
  open();
  edge_.service().send("\x81\x05hello");
  ASSERT_TRUE(heard("hello"));
  std::uint64_t out = 0;
  edge_.counted().tunnels.for_each([&](const TunnelCells& cells) { out += cells.bytes_out.value(); });
  EXPECT_EQ(out, 7U);
}

}  // namespace
}  // namespace adit::gateway::test
