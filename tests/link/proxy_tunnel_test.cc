#include "link/proxy_tunnel.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::link::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string connect_to(std::string_view host, std::uint16_t port, std::string_view credentials = {}) {
  base::Buffer out;
  write_connect(out, host, port, credentials);
  const auto bytes = out.readable();
  return {bytes.data(), bytes.size()};
}

TEST(Connect, NamesHostAndPort) {
  EXPECT_EQ(connect_to("edge.test", 443), "CONNECT edge.test:443 HTTP/1.1\r\nHost: edge.test:443\r\n\r\n");
  EXPECT_THAT(connect_to("2001:db8::1", 7443), HasSubstr("CONNECT [2001:db8::1]:7443 HTTP/1.1\r\n"));
  EXPECT_THAT(connect_to("edge.test", 443), Not(HasSubstr("Proxy-Authorization")));
}

TEST(Connect, CarriesBasicCredentials) {
  // The example of RFC 7617 §2.
  EXPECT_THAT(connect_to("edge.test", 443, "Aladdin:open sesame"),
              HasSubstr("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
}

ProxyAnswerReader::Outcome answer(std::string_view text) {
  ProxyAnswerReader reader;
  return reader.read({text.data(), text.size()});
}

TEST(ProxyAnswer, SaysThatTheTunnelStands) {
  const char* const heads[] = {
      "HTTP/1.1 200 Connection established\r\n\r\n",
      "HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
  };
  for (const std::string head : heads) {
    const auto outcome = answer(head + "\x16\x03\x01 of the gateway");
    EXPECT_TRUE(outcome.connected) << head;
    EXPECT_EQ(outcome.consumed, head.size()) << head;
    EXPECT_EQ(outcome.status, 0) << head;
    EXPECT_EQ(outcome.broken, "") << head;
  }
}

TEST(ProxyAnswer, IsTheSameHoweverItIsCut) {
  const std::string text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nVia: 1.1 squid\r\n\r\n";
  ProxyAnswerReader reader;
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto outcome = reader.read({text.data(), size});
    ASSERT_FALSE(outcome.connected || outcome.status != 0 || !outcome.broken.empty()) << size;
  }
  EXPECT_TRUE(reader.read(text).connected);
}

TEST(ProxyAnswer, SaysWhyNot) {
  const struct {
    const char* head;
    int status;
    const char* authenticate;
  } cases[] = {
      {"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno", 403, ""},
      {"HTTP/1.1 502 Bad Gateway\r\n\r\n", 502, ""},
      {"HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm=\"a, Digest b\"\r\n\r\n", 407, "Basic"},
      {"HTTP/1.1 407 X\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n", 407, "Negotiate, NTLM"},
      {"HTTP/1.1 407 X\r\nProxy-Authenticate: Digest realm=\"a\", nonce=\"b\", Basic realm=\"c\"\r\n\r\n", 407,
       "Digest, Basic"},
      {"HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm=\"a\\\", Digest \\\"\"\r\n\r\n", 407, "Basic"},
      {"HTTP/1.1 407 X\r\n\r\n", 407, ""},
  };
  for (const auto& one : cases) {
    const auto outcome = answer(one.head);
    EXPECT_FALSE(outcome.connected) << one.head;
    EXPECT_EQ(outcome.status, one.status) << one.head;
    EXPECT_EQ(outcome.authenticate, one.authenticate) << one.head;
    EXPECT_EQ(outcome.broken, "") << one.head;
  }
}

TEST(ProxyAnswer, OfSomethingElseIsToldAsSuch) {
  for (const char* text : {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 301 X\r\nLocation: /\r\n\r\n",
                           "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"}) {
    EXPECT_NE(answer(text).broken, "") << text;
  }
  EXPECT_NE(answer("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x')).broken, "");
}

TEST(ProxyAnswer, KeepsItsDate) {
  const auto outcome = answer("HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
  ASSERT_TRUE(outcome.date);
  EXPECT_EQ(std::chrono::system_clock::to_time_t(*outcome.date), 784111777);
  EXPECT_FALSE(answer("HTTP/1.1 200 OK\r\nDate: today\r\n\r\n").date);
}

}  // namespace
}  // namespace adit::link::test
