// The request that opens a link between gateways, and what it must not be mistaken for.

#include "link/peer_handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::link::test {
namespace {

using testing::HasSubstr;

std::string hello_bytes() {
  base::Buffer out;
  write_peer_hello(out, {"gateway-1", "0.1.0"});
  return std::string(out.view());
}

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(PeerHello, IsReadAsWrittenWhereverItIsCut) {
  const auto bytes = hello_bytes();
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    PeerHelloReader reader;
    const auto part = reader.read(std::string_view(bytes).substr(0, cut));
    EXPECT_FALSE(part.hello || part.refusal) << cut;
    const auto whole = reader.read(bytes + "PRI");
    ASSERT_TRUE(whole.hello) << cut;
    EXPECT_EQ(whole.consumed, bytes.size());
    EXPECT_EQ(whole.hello->gateway, "gateway-1");
    EXPECT_EQ(whole.hello->version, "0.1.0");
  }
}

TEST(PeerHello, RefusalSaysWhatIsWrong) {
  struct Case {
    const char* from;
    std::string to;
    int status;
    const char* reason;
  };
  const Case cases[] = {
      {"/.well-known/adit/peer", "/.well-known/adit/link", 404, "gateways dial each other at"},
      {"/.well-known/adit/peer", "/edge/.well-known/adit/peer", 404, "gateways dial each other at"},
      {"GET ", "POST ", 400, "method"},
      {"HTTP/1.1", "HTTP/1.0", 400, "HTTP/1.1"},
      {"Upgrade: adit-peer/1\r\n", "", 426, "adit-peer/1"},
      {"adit-peer/1", "adit-peer/2", 426, "adit-peer/1"},
      {"adit-peer/1", "adit-link/1", 426, "adit-peer/1"},
      {"adit-peer/1", "websocket", 426, "adit-peer/1"},
      {"Connection: Upgrade\r\n", "", 400, "Connection"},
      {"\r\n\r\n", "\r\nContent-Length: 3\r\n\r\nabc", 400, "body"},
      {"\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "body"},
      {"Adit-Gateway: gateway-1\r\n", "", 400, "Adit-Gateway"},
      {"gateway-1", "", 400, "Adit-Gateway"},
      {"gateway-1", "a b", 400, "Adit-Gateway"},
      {"gateway-1", std::string(254, 'a'), 400, "Adit-Gateway"},
      {"Adit-Version", "Adit-Gateway: other\r\nAdit-Version", 400, "Adit-Gateway"},
      {"Adit-Version: 0.1.0\r\n", "", 400, "Adit-Version"},
      {"0.1.0", "0.1 0", 400, "Adit-Version"},
      {"Host", "Bad Field", 400, ""},
      {"GET", "CONNECT", 405, ""},
      {"0.1.0", std::string(17 * 1024, 'x'), 431, ""},
      {"/.well-known", "/" + std::string(2000, 'x') + "/.well-known", 414, ""},
  };
  for (const auto& c : cases) {
    const auto outcome = PeerHelloReader().read(with(hello_bytes(), c.from, c.to));
    ASSERT_TRUE(outcome.refusal.has_value()) << c.from << " -> " << c.to;
    EXPECT_FALSE(outcome.hello);
    EXPECT_EQ(outcome.refusal->status, c.status) << c.from << " -> " << c.to;
    EXPECT_THAT(outcome.refusal->reason, HasSubstr(c.reason));
  }
}

TEST(PeerWelcome, IsReadAsWritten) {
  base::Buffer out;
  write_peer_welcome(out, "gateway-2");
  const auto outcome = WelcomeReader(kPeerUpgradeToken).read(out.readable());
  EXPECT_EQ(outcome.gateway_id, "gateway-2");
  EXPECT_EQ(outcome.consumed, out.size());
}

TEST(PeerWelcome, IsNoneOfAConnectorsLink) {
  base::Buffer link;
  write_welcome(link, "gateway-2");
  EXPECT_THAT(WelcomeReader(kPeerUpgradeToken).read(link.readable()).broken, HasSubstr("adit-peer/1"));
  base::Buffer peer;
  write_peer_welcome(peer, "gateway-2");
  EXPECT_THAT(WelcomeReader().read(peer.readable()).broken, HasSubstr("adit-link/1"));
}

TEST(PeerWelcome, RefusalKeepsItsReason) {
  base::Buffer out;
  write_refusal(out, Refusal{426, "too old"}, "gateway-2");
  const auto outcome = WelcomeReader(kPeerUpgradeToken).read(out.readable());
  ASSERT_TRUE(outcome.refusal);
  EXPECT_EQ(outcome.refusal->reason, "too old");
}

// No visitor's request of that kind may reach a service, in whatever form.
TEST(PeerHello, IsNeverForwarded) {
  const std::pair<std::string, bool> cases[] = {
      {hello_bytes(), true},
      {with(hello_bytes(), "adit-peer/1", "ADIT-PEER/7"), true},
      {with(hello_bytes(), "adit-peer/1", "websocket, adit-peer"), true},
      {with(with(hello_bytes(), "adit-peer/1", "x"), "adit/peer", "ADIT/Peer"), true},
      {with(with(hello_bytes(), "adit-peer/1", "x"), "/.well-known", "/a/.well-known"), true},
      {with(with(hello_bytes(), "adit-peer/1", "x"), "adit/peer", "adit/peers"), false},
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
