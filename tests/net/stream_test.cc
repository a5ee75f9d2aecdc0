#include "net/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/tls_context.h"
#include "tests/net/certificates.h"
#include "tests/net/loop_until.h"
#include "tests/net/stream_end.h"

namespace adit::net::test {
namespace {

using testing::HasSubstr;

const Authority& authority() {
  static const Authority made;
  return made;
}

/// Two ends of one connection, plain or TLS: what holds for one holds for the other.
class StreamPair : public testing::TestWithParam<bool> {
 protected:
  void connect() {
    auto [a, b] = socket_pair(loop);
    client.start(make_stream(loop, std::move(a), GetParam() ? client_ssl("localhost") : nullptr));
    server.start(make_stream(loop, std::move(b), GetParam() ? server_ssl("DNS:localhost") : nullptr));
    if (!GetParam()) return;
    ASSERT_TRUE(until(loop, [&] { return client.established && server.established; }));
  }
  static SslPtr client_ssl(const std::string& name) {
    Trust trust;
    trust.ca_pem = authority().pem();
    return new_client(*make_client_context(trust), name);
  }
  static SslPtr server_ssl(const std::string& names, int days = 1) {
    const auto issued = authority().issue(names, days);
    return new_server(*make_server_context(TlsUse::public_edge, issued.chain_pem, issued.key_pem));
  }

  Loop loop;
  End client;
  End server;
};

INSTANTIATE_TEST_SUITE_P(PlainAndTls, StreamPair, testing::Bool(),
                         [](const auto& info) { return info.param ? "tls" : "plain"; });

TEST_P(StreamPair, CarriesBytesBothWays) {
  connect();
  client.send("ping");
  server.send("pong");
  EXPECT_TRUE(until(loop, [&] { return server.in == "ping" && client.in == "pong"; }));
  EXPECT_EQ(client.stream->unsent(), 0U);
  EXPECT_GT(client.stream->bytes_out(), 3U);
}

TEST_P(StreamPair, GathersWhatIsAppendedInOneTurn) {
  connect();
  client.sent_calls = 0;
  client.send("a");
  client.send("b");
  client.send("c");
  EXPECT_TRUE(until(loop, [&] { return server.in == "abc"; }));
  EXPECT_EQ(client.sent_calls, 1);
}

TEST_P(StreamPair, HoldsBackWhoIsNotRead) {
  server.reads = false;
  connect();
  const std::string bulk(8 << 20, 'x');
  client.send(bulk);
  settle(loop);
  EXPECT_GT(client.stream->unsent(), bulk.size() / 2);
  EXPECT_EQ(server.in, "");
  server.reads = true;
  server.stream->read();
  EXPECT_TRUE(until(loop, [&] { return server.in.size() == bulk.size(); }));
  EXPECT_EQ(server.in, bulk);
  EXPECT_EQ(client.stream->unsent(), 0U);
  EXPECT_GT(client.sent_calls, 1);
}

TEST_P(StreamPair, LargeAndSmallWritesArriveInOrder) {
  server.reads = false;
  connect();
  client.sent_calls = 0;
  std::string all;
  const auto write = [&](std::size_t size, char what) {
    const std::string piece(size, what);
    all += piece;
    client.stream->write(piece);
  };
  write(10, 'a');
  write(100'000, 'b');  // behind what waits
  settle(loop);
  EXPECT_GE(client.sent_calls, 1);
  client.sent_calls = 0;
  write(100'000, 'c');  // more than what the kernel takes at some point
  write(8 << 20, 'd');
  write(20'000, 'e');
  settle(loop);
  EXPECT_GE(client.sent_calls, 1) << "what was sent ahead is told of, too";
  EXPECT_GT(client.stream->unsent(), 1U << 20U);
  server.reads = true;
  server.stream->read();
  EXPECT_TRUE(until(loop, [&] { return server.in.size() == all.size(); }));
  EXPECT_EQ(server.in, all);
  EXPECT_EQ(client.stream->unsent(), 0U);
}

TEST_P(StreamPair, WritingToAResetPeerBreaksOnce) {
  connect();
  server.stream->abort();
  client.stream->write(std::string(100'000, 'x'));
  client.stream->write(std::string(100'000, 'x'));
  EXPECT_TRUE(until(loop, [&] { return client.broken_calls == 1; }));
  settle(loop);
  EXPECT_EQ(client.broken_calls, 1);
}

TEST_P(StreamPair, OneReadBringsOneCallAndAtMostItsLimit) {
  server.reads = false;
  connect();
  client.send(std::string(1 << 20, 'x'));
  settle(loop);
  std::size_t calls = 0;
  while (server.in.size() < 1 << 20) {
    const auto before = server.in.size();
    server.stream->read();
    ASSERT_TRUE(until(loop, [&] { return server.in.size() > before; }));
    EXPECT_LE(server.in.size() - before, 2 * Stream::kMostRead);
    ++calls;
  }
  EXPECT_LT(calls, 60U) << "the size of reads does not grow";
}

TEST_P(StreamPair, EndOfOneHalfLeavesTheOther) {
  connect();
  client.send("last words");
  client.stream->finish();
  ASSERT_TRUE(until(loop, [&] { return server.ended; }));
  EXPECT_EQ(server.in, "last words");
  EXPECT_FALSE(client.ended);
  server.send("answer");
  server.stream->finish();
  ASSERT_TRUE(until(loop, [&] { return client.ended; }));
  EXPECT_EQ(client.in, "answer");
  EXPECT_EQ(client.broken + server.broken, "");
}

TEST_P(StreamPair, BytesAndEndThatArriveTogetherAreBothHeard) {
  server.reads = false;
  connect();
  client.send("last words");
  client.stream->finish();
  settle(loop);
  server.reads = true;
  server.stream->read();
  ASSERT_TRUE(until(loop, [&] { return server.ended; }));
  EXPECT_EQ(server.in, "last words");
}

TEST_P(StreamPair, WriteToAClosedPeerBreaks) {
  connect();
  server.stream->abort();
  settle(loop);
  client.send("nobody is there");
  EXPECT_TRUE(until(loop, [&] { return !client.broken.empty() || client.ended; }));
}

TEST_P(StreamPair, ClosedStreamIsSilent) {
  connect();
  server.send("unheard");
  client.stream->close();
  settle(loop);
  EXPECT_EQ(client.in, "");
  EXPECT_FALSE(client.ended);
  EXPECT_EQ(client.broken, "");
  EXPECT_FALSE(client.stream->is_open());
}

TEST_P(StreamPair, GoesOnWhereItWasReleased) {
  connect();
  server.reads = false;
  client.send("first");
  ASSERT_TRUE(until(loop, [&] { return server.in == "first"; }));
  auto parts = server.stream->release();
  End other;
  other.start(StreamPtr(new Stream(loop, std::move(parts))));
  if (GetParam()) other.stream->read();
  client.send("second");
  other.send("hello");
  EXPECT_TRUE(until(loop, [&] { return other.in == "second" && client.in == "hello"; }));
  server.stream.reset();
}

TEST_P(StreamPair, EndThatIsAskedForDuringTheHandshakeComesBehindTheBytes) {
  auto [a, b] = socket_pair(loop);
  client.start(make_stream(loop, std::move(a), GetParam() ? client_ssl("localhost") : nullptr));
  client.send("early");
  client.stream->finish();
  settle(loop);
  server.start(make_stream(loop, std::move(b), GetParam() ? server_ssl("DNS:localhost") : nullptr));
  ASSERT_TRUE(until(loop, [&] { return server.ended || !server.broken.empty(); }));
  EXPECT_EQ(server.in, "early");
  EXPECT_EQ(server.broken, "");
}

class TlsStream : public StreamPair {};
INSTANTIATE_TEST_SUITE_P(Tls, TlsStream, testing::Values(true), [](const auto&) { return "tls"; });

TEST_P(TlsStream, RefusedCertificateNamesTheCheck) {
  struct Case {
    const char* name;
    const char* names;
    int days;
    const char* why;
  };
  for (const auto& c : {Case{"localhost", "DNS:other.test", 1, "ostname mismatch"},
                        Case{"127.0.0.1", "DNS:localhost", 1, "IP address mismatch"},
                        Case{"localhost", "DNS:localhost", -1, "expired"}}) {
    auto [a, b] = socket_pair(loop);
    End dialer;
    End listener;
    dialer.start(make_stream(loop, std::move(a), client_ssl(c.name)));
    listener.start(make_stream(loop, std::move(b), server_ssl(c.names, c.days)));
    ASSERT_TRUE(until(loop, [&] { return !dialer.broken.empty() && !listener.broken.empty(); })) << c.why;
    EXPECT_THAT(dialer.broken, HasSubstr(c.why));
    EXPECT_THAT(listener.broken, HasSubstr("alert")) << "the alert was not sent";
    EXPECT_FALSE(dialer.established);
  }
}

TEST_P(TlsStream, StrangersAreRefused) {
  const Authority stranger;
  const auto issued = stranger.issue("DNS:localhost");
  auto [a, b] = socket_pair(loop);
  client.start(make_stream(loop, std::move(a), client_ssl("localhost")));
  server.start(make_stream(loop, std::move(b),
                           new_server(*make_server_context(TlsUse::public_edge, issued.chain_pem, issued.key_pem))));
  ASSERT_TRUE(until(loop, [&] { return !client.broken.empty(); }));
  EXPECT_THAT(client.broken, HasSubstr("certificate refused"));
}

TEST_P(TlsStream, PlainPeerIsToldFromTls) {
  auto [a, b] = socket_pair(loop);
  client.start(make_stream(loop, std::move(a), client_ssl("localhost")));
  server.start(make_stream(loop, std::move(b)));
  server.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  ASSERT_TRUE(until(loop, [&] { return !client.broken.empty(); }));
  EXPECT_THAT(client.broken, HasSubstr("TLS"));
}

TEST_P(TlsStream, MissingCloseNotifyIsNoEnd) {
  auto [a, b] = socket_pair(loop);
  const int descriptor = b.native_handle();
  client.start(make_stream(loop, std::move(a), client_ssl("localhost")));
  server.start(make_stream(loop, std::move(b), server_ssl("DNS:localhost")));
  ASSERT_TRUE(until(loop, [&] { return client.established && server.established; }));
  ::shutdown(descriptor, SHUT_WR);
  ASSERT_TRUE(until(loop, [&] { return !client.broken.empty(); }));
  EXPECT_EQ(client.broken, "closed without TLS close_notify");
  EXPECT_FALSE(client.ended);
}

}  // namespace
}  // namespace adit::net::test
