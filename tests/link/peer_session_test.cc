// A session between two gateways: what it does beyond one of a connector.

#include <gtest/gtest.h>

#include "link/control_stream.h"
#include "tests/link/pair.h"

namespace adit::link::test {
namespace {

SessionOptions between_gateways() {
  SessionOptions options;
  options.peer = true;
  return options;
}

TEST(PeerSession, OpeningNamesTheTunnel) {
  for (const bool peer : {true, false}) {
    SessionOptions options;
    options.peer = peer;
    Pair pair(1ms, options);
    pair.settle();
    Recorder recorder;
    recorder.stream = pair.gateway.session->open({"web", "192.0.2.7:1", "id", "tunnel-1"}, recorder);
    pair.settle();
    ASSERT_EQ(pair.connector.tunnels.size(), 1U);
    EXPECT_EQ(pair.connector.tunnels[0], peer ? "tunnel-1" : "") << "connectors have no use for it";
    EXPECT_EQ(pair.connector.services[0], "web");
    recorder.stream->reset();
  }
}

// What one of the two does not know of its peer must not be believed by the other.
TEST(PeerSession, AConnectorsSessionIgnoresTheTunnel) {
  Pair pair(1ms, between_gateways(), SessionOptions());
  pair.settle();
  Recorder recorder;
  recorder.stream = pair.gateway.session->open({"web", "", "", "tunnel-1"}, recorder);
  pair.settle();
  EXPECT_EQ(pair.connector.tunnels.at(0), "");
  recorder.stream->reset();
}

TEST(PeerSession, RefusedLaterIsSafeToOpenElsewhere) {
  Pair pair(1ms, between_gateways());
  pair.connector.serve = [](Recorder&) {};
  pair.settle();
  auto* stream = pair.open();
  pair.settle();
  pair.connector.served.at(0)->stream->refuse();
  pair.settle();
  ASSERT_EQ(stream->closed.size(), 1U);
  EXPECT_EQ(stream->closed[0], Closed::refused);
}

TEST(PeerSession, RefusedBehindAnAnswerIsAReset) {
  Pair pair(1ms, between_gateways());
  pair.settle();
  auto* stream = pair.open();
  pair.settle();
  pair.connector.served.at(0)->stream->refuse();
  pair.settle();
  ASSERT_EQ(stream->closed.size(), 1U);
  EXPECT_EQ(stream->closed[0], Closed::reset);
}

// A connector may say 1 MiB at once and 16 KiB a second; a gateway with many tunnels has more to say.
TEST(PeerSession, ControlLinesAreNoFlood) {
  for (const bool peer : {true, false}) {
    SessionOptions options;
    options.peer = peer;
    Pair pair(1ms, options);
    pair.settle();
    const Presence line{std::string(100, 't'), std::vector<std::string>(100, std::string(100, 's')), false, false};
    std::size_t sent = 0;
    while (sent < 4'000'000 && pair.gateway.error.empty()) {
      while (pair.connector.session->control_waiting() < 100'000) {
        pair.connector.session->send_control(line);
        sent += 10'000;
      }
      pair.settle();
    }
    EXPECT_EQ(pair.gateway.error.empty(), peer) << pair.gateway.error;
  }
}

}  // namespace
}  // namespace adit::link::test
