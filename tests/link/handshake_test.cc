// The request that opens a link, in both forms.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/link/handshake_bytes.h"

namespace adit::link::test {
namespace {

using testing::HasSubstr;

class HelloForms : public testing::TestWithParam<HelloForm> {};
INSTANTIATE_TEST_SUITE_P(Both, HelloForms, testing::Values(kUpgrade, kWebSocket),
                         [](const auto& info) { return std::string(name_of(info.param.transport)); });

TEST_P(HelloForms, IsReadAsWritten) {
  const auto bytes = hello_bytes(GetParam());
  HelloReader reader;
  const auto outcome = reader.read(bytes + "PRI");
  ASSERT_TRUE(outcome.hello.has_value()) << outcome.refusal.value_or(Refusal{}).reason;
  EXPECT_EQ(outcome.consumed, bytes.size());
  EXPECT_EQ(outcome.transport, GetParam().transport);
  EXPECT_EQ(outcome.key, GetParam().key);
  EXPECT_EQ(outcome.hello->token, kHello.token);
  EXPECT_EQ(outcome.hello->tunnel_id, kHello.tunnel_id);
  EXPECT_EQ(outcome.hello->connector, kHello.connector);
  EXPECT_EQ(outcome.hello->instance, kHello.instance);
  EXPECT_EQ(outcome.hello->version, kHello.version);
  EXPECT_EQ(outcome.hello->slot, kHello.slot);
}

TEST_P(HelloForms, IsReadWhereverItIsCut) {
  const auto bytes = hello_bytes(GetParam());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    HelloReader reader;
    const auto part = reader.read(std::string_view(bytes).substr(0, cut));
    EXPECT_FALSE(part.hello || part.refusal) << cut;
    EXPECT_TRUE(reader.read(bytes).hello) << cut;
  }
}

TEST_P(HelloForms, IsCheckedInAHeadThatAnotherParserHasRead) {
  const auto bytes = hello_bytes(GetParam());
  http::RequestParser parser;
  http::RequestHead head;
  ASSERT_EQ(parser.parse_head(bytes, head).progress, http::Progress::complete);
  EXPECT_TRUE(asks_for_link(head));
  const auto outcome = check_hello(head);
  ASSERT_TRUE(outcome.hello);
  EXPECT_EQ(outcome.hello->instance, kHello.instance);
  EXPECT_EQ(outcome.transport, GetParam().transport);
}

TEST(Hello, TakesAnyPrefixAndCase) {
  EXPECT_TRUE(HelloReader().read(hello_bytes({"edge", "/behind/a/proxy"})).hello);
  const auto shouting =
      with(with(hello_bytes(), "Upgrade: adit-link/1", "UPGRADE: foo, ADIT-LINK/1"), "Bearer", "bearer");
  EXPECT_TRUE(HelloReader().read(shouting).hello);
  const auto upper = with(hello_bytes(), "4d21094e-b74c", "4D21094E-B74C");
  EXPECT_EQ(HelloReader().read(upper).hello.value_or(Hello{}).tunnel_id, kHello.tunnel_id);
  const auto web_socket = with(with(hello_bytes(kWebSocket), "Upgrade: websocket", "Upgrade: WebSocket"),
                               "adit-link.v1", "x, adit-link.v1");
  EXPECT_TRUE(HelloReader().read(web_socket).hello);
}

TEST(Hello, BareBytesAreBetterThanMessages) {
  const auto bytes = with(hello_bytes(kWebSocket), "Upgrade: websocket", "Upgrade: websocket, adit-link/1");
  EXPECT_EQ(HelloReader().read(bytes).transport, Transport::upgrade);
}

TEST(Hello, NeedNotNameTunnelAndSlot) {
  Hello hello = kHello;
  hello.tunnel_id.clear();
  hello.slot.reset();
  const auto bytes = hello_bytes(kUpgrade, hello);
  EXPECT_THAT(bytes, testing::Not(testing::AnyOf(HasSubstr("Adit-Tunnel"), HasSubstr("Adit-Slot"))));
  const auto outcome = HelloReader().read(bytes);
  ASSERT_TRUE(outcome.hello);
  EXPECT_EQ(outcome.hello->tunnel_id, "");
  EXPECT_EQ(outcome.hello->slot, std::nullopt);
}

TEST(Hello, WritesNoSecondField) {
  Hello hello = kHello;
  hello.connector = "shop\r\nAdit-Tunnel: other";
  EXPECT_THAT(hello_bytes(kUpgrade, hello), HasSubstr("Adit-Connector: shopAdit-Tunnel: other\r\n"));
}

TEST(Hello, RefusalSaysWhatIsWrong) {
  struct Case {
    const char* from;
    std::string to;
    int status;
    const char* reason;
  };
  const Case cases[] = {
      {"/.well-known/adit/link", "/", 404, "links are opened at"},
      {"GET ", "POST ", 400, "method"},
      {"HTTP/1.1", "HTTP/1.0", 400, "HTTP/1.1"},
      {"Upgrade: adit-link/1\r\n", "", 426, "a proxy on the way"},
      {"adit-link/1", "adit-link/2", 426, "adit-link/1"},
      {"Connection: Upgrade\r\n", "", 400, "Connection"},
      {"\r\n\r\n", "\r\nContent-Length: 3\r\n\r\nabc", 400, "body"},
      {"Authorization: Bearer tok-1._~+/=\r\n", "", 401, "Authorization is missing"},
      {"Bearer ", "Basic ", 401, "Bearer"},
      {"tok-1._~+/=", "two words", 401, "token"},
      {"tok-1._~+/=", "", 401, "Authorization"},
      {"tok-1._~+/=", std::string(4097, 'x'), 401, "token"},
      {"Adit-Version", "Authorization: Bearer x\r\nAdit-Version", 400, "Authorization is there more than once"},
      {"4d21094e-b74c", "4d21094e-b74", 400, "Adit-Tunnel is not a UUID"},
      {"4d21094e-b74c", "4d21094e-b74g", 400, "Adit-Tunnel is not a UUID"},
      {"4d21094e-b74c", "4d21094eab74c", 400, "Adit-Tunnel is not a UUID"},
      {"Adit-Instance", "ADIT-TUNNEL: x\r\nAdit-Instance", 400, "Adit-Tunnel is there more than once"},
      {"Adit-Connector: shop\r\n", "", 400, "Adit-Connector is missing"},
      {"Adit-Connector: shop", "Adit-Connector: a/b", 400, "Adit-Connector is not a name"},
      {"Adit-Connector: shop", "Adit-Connector: " + std::string(254, 'a'), 400, "Adit-Connector is not a name"},
      {"Adit-Instance: 0123456789abcdef\r\n", "", 400, "Adit-Instance is missing"},
      {"Adit-Version: 0.1.0\r\n", "", 400, "Adit-Version is missing"},
      {"Adit-Version: 0.1.0", "Adit-Version: 0.1 0", 400, "Adit-Version is not a version"},
      {"Adit-Slot: 3", "Adit-Slot: ", 400, "Adit-Slot is not a number from 0 to 9999"},
      {"Adit-Slot: 3", "Adit-Slot: -1", 400, "Adit-Slot is not a number from 0 to 9999"},
      {"Adit-Slot: 3", "Adit-Slot: 10000", 400, "Adit-Slot is not a number from 0 to 9999"},
      {"Adit-Slot: 3", "Adit-Slot: 3\r\nAdit-Slot: 4", 400, "Adit-Slot is there more than once"},
      {"Host", "Bad Field", 400, ""},
      {"GET", "CONNECT", 405, ""},
      {"Adit-Version: 0.1.0", "X: " + std::string(17 * 1024, 'x'), 431, ""},
      {"/.well-known", "/" + std::string(2000, 'x') + "/.well-known", 414, ""},
  };
  for (const auto& c : cases) {
    const auto outcome = HelloReader().read(with(hello_bytes(), c.from, c.to));
    ASSERT_TRUE(outcome.refusal.has_value()) << c.from << " -> " << c.to;
    EXPECT_FALSE(outcome.hello);
    EXPECT_EQ(outcome.refusal->status, c.status) << c.from << " -> " << c.to;
    EXPECT_THAT(outcome.refusal->reason, HasSubstr(c.reason));
    EXPECT_THAT(outcome.refusal->reason, testing::Not(HasSubstr("tok-1"))) << "a token must not reach a log";
  }
}

TEST(Hello, RefusalSaysWhatIsWrongWithTheWebSocket) {
  struct Case {
    const char* from;
    const char* to;
    int status;
    const char* reason;
  };
  const Case cases[] = {
      {"Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", 426, "Sec-WebSocket-Version is not 13"},
      {"Sec-WebSocket-Version: 13\r\n", "", 400, "Sec-WebSocket-Version is missing"},
      {"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400, "Sec-WebSocket-Key is missing"},
      {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ", 400, "Sec-WebSocket-Key is not 16 bytes"},
      {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQA=", 400, "Sec-WebSocket-Key is not 16 bytes"},
      {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZ!Bub25jZQ==", 400, "Sec-WebSocket-Key is not 16 bytes"},
      {"Sec-WebSocket-Protocol: adit-link.v1\r\n", "", 426, "adit-link.v1"},
      {"adit-link.v1", "adit-link.v2", 426, "adit-link.v1"},
      {"adit-link.v1", "ADIT-link.v1", 426, "adit-link.v1"},
      {"Connection: Upgrade\r\n", "", 400, "Connection"},
      {"Upgrade: websocket\r\n", "", 426, "a proxy on the way"},
      {"tok-1._~+/=", "", 401, "Authorization"},
  };
  for (const auto& c : cases) {
    const auto outcome = HelloReader().read(with(hello_bytes(kWebSocket), c.from, c.to));
    ASSERT_TRUE(outcome.refusal.has_value()) << c.from << " -> " << c.to;
    EXPECT_EQ(outcome.refusal->status, c.status) << c.from << " -> " << c.to;
    EXPECT_THAT(outcome.refusal->reason, HasSubstr(c.reason));
  }
}

TEST(WebSocketKey, IsNewEachTime) {
  base::Random random(1);
  const auto first = new_web_socket_key(random);
  EXPECT_NE(first, new_web_socket_key(random));
  EXPECT_TRUE(HelloReader().read(hello_bytes({"edge", {}, Transport::websocket, first})).hello);
}

TEST(AsksForLink, KnowsAllForms) {
  const std::pair<std::string, bool> cases[] = {
      {"GET /.well-known/adit/link HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"GET /x/.Well-Known/ADIT/link?y HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: adit-link/1\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nupgrade: websocket\r\nUPGRADE: foo,\tAdit-Link/9\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Protocol: chat\r\nsec-websocket-protocol: x, adit-link.v1\r\n\r\n",
       true},
      {"GET /.well-known/adit/linked HTTP/1.1\r\nHost: a\r\n\r\n", false},
      {"GET /.well-known HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nX-Upgrade: adit-link/1\r\n\r\n", false},
      {"GET /?/.well-known/adit/link HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Protocol: chat\r\n\r\n", false},
  };
  for (const auto& [bytes, expected] : cases) {
    http::RequestParser parser;
    http::RequestHead head;
    ASSERT_EQ(parser.parse_head(bytes, head).progress, http::Progress::complete) << bytes;
    EXPECT_EQ(asks_for_link(head), expected) << bytes;
  }
}

}  // namespace
}  // namespace adit::link::test
