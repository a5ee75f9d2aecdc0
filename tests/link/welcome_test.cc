// The answers to it, and how a connector reads them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/link/handshake_bytes.h"

namespace adit::link::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Welcome, IsReadWhereverItIsCut) {
  for (const auto key : {std::string_view(), kKey}) {
    const auto bytes = welcome_bytes(key);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      WelcomeReader reader(key.empty() ? Transport::upgrade : Transport::websocket, key);
      const auto part = reader.read(std::string_view(bytes).substr(0, cut));
      EXPECT_FALSE(part.gateway_id || part.refusal || !part.broken.empty()) << cut;
      const auto whole = reader.read(bytes + "frames");
      EXPECT_EQ(whole.gateway_id, "gateway-1") << whole.broken;
      EXPECT_EQ(whole.consumed, bytes.size());
    }
  }
}

TEST(Welcome, OfAWebSocketBelongsToItsHandshake) {
  const auto bytes = welcome_bytes(kKey);
  EXPECT_THAT(bytes, HasSubstr("Sec-WebSocket-Accept: " + std::string(kAccept) + "\r\n"));
  const std::pair<std::string, const char*> cases[] = {
      {with(bytes, kAccept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOp="), "Sec-WebSocket-Accept"},
      {with(bytes, "Sec-WebSocket-Accept", "X"), "Sec-WebSocket-Accept"},
      {with(bytes, "adit-link.v1", "adit-link.v2"), "Sec-WebSocket-Protocol"},
      {with(bytes, "Sec-WebSocket-Protocol", "X"), "Sec-WebSocket-Protocol"},
      {with(bytes, "Adit-Gateway", "Sec-WebSocket-Extensions: permessage-deflate\r\nAdit-Gateway"), "extension"},
      {with(bytes, "Adit-Gateway", "X"), "Adit-Gateway"},
      {welcome_bytes(), "another protocol than websocket"},
  };
  for (const auto& [answer, reason] : cases) {
    const auto outcome = WelcomeReader(Transport::websocket, kKey).read(answer);
    EXPECT_THAT(outcome.broken, HasSubstr(reason)) << answer;
    EXPECT_FALSE(outcome.gateway_id) << answer;
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

TEST(Welcome, RefusalTellsWhoseItIsAndWhen) {
  const std::chrono::system_clock::time_point when{std::chrono::seconds(784111777)};
  const auto bytes = refusal_bytes({503, "starting", 0s, false, when});
  EXPECT_THAT(bytes, HasSubstr("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));  // the example of RFC 9110 §5.6.7
  const auto own = WelcomeReader().read(bytes);
  EXPECT_TRUE(own.refusal->by_gateway);
  EXPECT_EQ(own.refusal->date, when);
  const std::pair<std::string, bool> dates[] = {
      {"Thu, 29 Feb 2024 23:59:60 GMT", true},   {"Thu, 29 Feb 2023 00:00:00 GMT", false},
      {"Sun, 06 Nov 1994 24:00:00 GMT", false},  {"Sun, 06 Nov 1994 08:49:37 UTC", false},
      {"Sunday, 06-Nov-94 08:49:37 GMT", false}, {"Sun Nov  6 08:49:37 1994", false},
      {"Sun, 06 Foo 1994 08:49:37 GMT", false},  {"Sun, -6 Nov 1994 08:49:37 GMT", false},
      {"Sun, 06 Nov 1994 08:+9:37 GMT", false},  {"", false},
  };
  for (const auto& [date, valid] : dates) {
    const auto other =
        WelcomeReader().read("HTTP/1.1 502 Bad Gateway\r\nDate: " + date + "\r\nContent-Length: 0\r\n\r\n");
    EXPECT_FALSE(other.refusal->by_gateway) << "a proxy's";
    EXPECT_EQ(other.refusal->date.has_value(), valid) << date;
  }
}

TEST(Refusal, IsAProblemThatClosesTheConnection) {
  const auto bytes = refusal_bytes({503, "starting", 3s});
  EXPECT_THAT(bytes, StartsWith("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"));
  EXPECT_THAT(bytes, HasSubstr("Retry-After: 3\r\n"));
  EXPECT_THAT(bytes, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(refusal_bytes({401, "no"}), HasSubstr("WWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(refusal_bytes({401, "no"}), testing::Not(HasSubstr("Retry-After")));
  EXPECT_THAT(refusal_bytes({426, "old"}),
              HasSubstr("Upgrade: adit-link/1, websocket\r\nSec-WebSocket-Version: 13\r\n"));
  EXPECT_THAT(refusal_bytes({426, "old"}), HasSubstr("Connection: Upgrade, close\r\n"));
}

}  // namespace
}  // namespace adit::link::test
