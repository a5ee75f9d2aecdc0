#include "link/handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::link {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

const Hello kHello{"tok-1._~+/=", "4d21094e-b74c-4916-86c1-d9fa36ea677b", "shop", "0123456789abcdef", "0.1.0"};

std::string hello_bytes() {
  base::Buffer out;
  write_hello(out, kHello, "edge.example.com:443");
  return std::string(out.view());
}

std::string welcome_bytes() {
  base::Buffer out;
  write_welcome(out, "gateway-1");
  return std::string(out.view());
}

std::string refusal_bytes(const Refusal& refusal) {
  base::Buffer out;
  write_refusal(out, refusal);
  return std::string(out.view());
}

/// `text` with the first `from` replaced.
std::string with(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(Hello, IsReadAsWritten) {
  const auto bytes = hello_bytes();
  HelloReader reader;
  const auto outcome = reader.read(bytes + "PRI");
  ASSERT_TRUE(outcome.hello.has_value()) << outcome.refusal.value_or(Refusal{}).reason;
  EXPECT_EQ(outcome.consumed, bytes.size());
  EXPECT_EQ(outcome.hello->token, kHello.token);
  EXPECT_EQ(outcome.hello->tunnel_id, kHello.tunnel_id);
  EXPECT_EQ(outcome.hello->connector, kHello.connector);
  EXPECT_EQ(outcome.hello->instance, kHello.instance);
  EXPECT_EQ(outcome.hello->version, kHello.version);
}

TEST(Hello, IsReadWhereverItIsCut) {
  const auto bytes = hello_bytes();
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    HelloReader reader;
    const auto part = reader.read(std::string_view(bytes).substr(0, cut));
    EXPECT_FALSE(part.hello || part.refusal) << cut;
    EXPECT_TRUE(reader.read(bytes).hello) << cut;
  }
}

TEST(Hello, TakesAnyPrefixAndCase) {
  base::Buffer out;
  write_hello(out, kHello, "edge", "/behind/a/proxy");
  EXPECT_TRUE(HelloReader().read(out.readable()).hello);
  const auto shouting =
      with(with(hello_bytes(), "Upgrade: adit-link/1", "UPGRADE: foo, ADIT-LINK/1"), "Bearer", "bearer");
  EXPECT_TRUE(HelloReader().read(shouting).hello);
  const auto upper = with(hello_bytes(), "4d21094e-b74c", "4D21094E-B74C");
  EXPECT_EQ(HelloReader().read(upper).hello.value_or(Hello{}).tunnel_id, kHello.tunnel_id);
}

TEST(Hello, NeedNotNameTheTunnel) {
  Hello hello = kHello;
  hello.tunnel_id.clear();
  base::Buffer out;
  write_hello(out, hello, "edge");
  EXPECT_THAT(std::string(out.view()), testing::Not(HasSubstr("Adit-Tunnel")));
  const auto outcome = HelloReader().read(out.readable());
  ASSERT_TRUE(outcome.hello);
  EXPECT_EQ(outcome.hello->tunnel_id, "");
}

TEST(Hello, WritesNoSecondField) {
  Hello hello = kHello;
  hello.connector = "shop\r\nAdit-Tunnel: other";
  base::Buffer out;
  write_hello(out, hello, "edge");
  EXPECT_THAT(std::string(out.view()), HasSubstr("Adit-Connector: shopAdit-Tunnel: other\r\n"));
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
      {"Upgrade: adit-link/1\r\n", "", 426, "adit-link/1"},
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

TEST(Welcome, IsReadWhereverItIsCut) {
  const auto bytes = welcome_bytes();
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    WelcomeReader reader;
    const auto part = reader.read(std::string_view(bytes).substr(0, cut));
    EXPECT_FALSE(part.gateway_id || part.refusal || !part.broken.empty()) << cut;
    const auto whole = reader.read(bytes + "frames");
    EXPECT_EQ(whole.gateway_id, "gateway-1");
    EXPECT_EQ(whole.consumed, bytes.size());
  }
}

TEST(Welcome, RefusalIsReadWhereverItIsCut) {
  const auto bytes = refusal_bytes({429, "too many \"links\"", 7s});
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    WelcomeReader reader;
    const auto part = reader.read(std::string_view(bytes).substr(0, cut));
    EXPECT_FALSE(part.gateway_id || part.refusal || !part.broken.empty()) << cut;
    const auto whole = reader.read(bytes);
    ASSERT_TRUE(whole.refusal.has_value()) << cut;
    EXPECT_EQ(whole.refusal->status, 429);
    EXPECT_EQ(whole.refusal->reason, "too many \"links\"");
    EXPECT_EQ(whole.refusal->retry_after, 7s);
  }
}

TEST(Welcome, WhatIsNoGatewayIsTold) {
  const std::pair<std::string, const char*> cases[] = {
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200"},
      {"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "302"},
      {with(welcome_bytes(), "Upgrade: adit-link/1", "Upgrade: websocket"), "another protocol"},
      {with(welcome_bytes(), "Adit-Gateway: gateway-1\r\n", ""), "Adit-Gateway"},
      {with(welcome_bytes(), "gateway-1", "a b"), "Adit-Gateway"},
  };
  for (const auto& [bytes, reason] : cases) {
    const auto outcome = WelcomeReader().read(bytes);
    EXPECT_THAT(outcome.broken, HasSubstr(reason)) << bytes;
    EXPECT_FALSE(outcome.gateway_id || outcome.refusal) << bytes;
  }
}

TEST(Welcome, OtherServersRefusalsGiveTheirStatus) {
  const char* const problem = "Content-Type: application/problem+json\r\n";
  const std::string cases[] = {
      "HTTP/1.1 503 Busy\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n",
      std::string("HTTP/1.1 503 Busy\r\n") + problem + "\r\n",  // until the end of the connection
      std::string("HTTP/1.1 503 Busy\r\n") + problem + "Content-Length: 3\r\n\r\n{]}",
      std::string("HTTP/1.1 503 Busy\r\n") + problem + "Content-Length: 13\r\n\r\n{\"detail\": 1}",
      std::string("HTTP/1.1 503 Busy\r\n") + problem + "Content-Length: 99999\r\n\r\n" + std::string(20'000, ' '),
  };
  for (const auto& bytes : cases) {
    const auto outcome = WelcomeReader().read(bytes);
    ASSERT_TRUE(outcome.refusal.has_value()) << bytes.substr(0, 100);
    EXPECT_EQ(outcome.refusal->reason, "HTTP status 503 Service Unavailable") << bytes;
  }
}

TEST(Refusal, IsAProblemThatClosesTheConnection) {
  const auto bytes = refusal_bytes({503, "starting", 3s});
  EXPECT_THAT(bytes, StartsWith("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"));
  EXPECT_THAT(bytes, HasSubstr("Retry-After: 3\r\n"));
  EXPECT_THAT(bytes, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(refusal_bytes({401, "no"}), HasSubstr("WWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(refusal_bytes({401, "no"}), testing::Not(HasSubstr("Retry-After")));
  EXPECT_THAT(refusal_bytes({426, "old"}), HasSubstr("Upgrade: adit-link/1\r\nConnection: Upgrade, close\r\n"));
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
}  // namespace adit::link
