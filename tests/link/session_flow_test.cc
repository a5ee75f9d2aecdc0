// Flow control: windows grow with the path, nobody's stall is another's, memory stays bounded.

#include <gtest/gtest.h>

#include "tests/link/pair.h"

namespace adit::link::test {
namespace {

/// Downloads for `span` over a path of `one_way` latency; returns the bytes that came in the span's second half.
std::uint64_t steady_bytes(Duration one_way, Duration span, const SessionOptions& options) {
  Pair pair(one_way, options);
  pair.settle();
  pair.connector.serve = [](Recorder& recorder) {
    recorder.filler = std::uint64_t{1} << 40U;
    recorder.stream->answer(200, "");
  };
  auto* stream = pair.open();
  stream->keep = false;
  pair.run(span / 2);
  const auto before = stream->bytes;
  pair.run(span / 2);
  EXPECT_EQ(pair.gateway.error + pair.connector.error, "");
  return stream->bytes - before;
}

TEST(SessionFlow, OneStreamFillsALongPath) {
  const SessionOptions options;
  const auto round_trip = 100ms;
  const auto bytes = steady_bytes(round_trip / 2, 10s, options);
  // One window per round trip is all that flow control allows. nghttp2 tells of credit once it is half a window, so
  // when bytes come in bursts, as on this wire without a rate, half of it may be all that is under way.
  const auto ideal = std::uint64_t{options.most_window} * (5s / round_trip);
  EXPECT_GE(bytes, ideal / 2);
  EXPECT_LE(bytes, ideal * 3 / 2);
}

TEST(SessionFlow, WindowStaysSmallForASlowReader) {
  Pair pair(5ms);
  pair.settle();
  pair.connector.serve = [](Recorder& recorder) {
    recorder.filler = std::uint64_t{1} << 40U;
    recorder.stream->answer(200, "");
  };
  auto* stream = pair.open();
  stream->keep = false;
  stream->consumes = false;
  std::uint64_t consumed = 0;
  for (int i = 0; i < 200; ++i) {
    pair.run(100ms);
    const auto some = std::min<std::uint64_t>(16 * 1024, stream->bytes - consumed);
    stream->stream->consume(some);
    consumed += some;
  }
  EXPECT_LE(stream->bytes - consumed, SessionOptions{}.first_window);
  EXPECT_GE(consumed, 3'000'000U);
}

TEST(SessionFlow, GrowthOfAllStreamsIsBounded) {
  SessionOptions options;
  options.most_buffered = 8 << 20;  // half of it is for growth
  options.most_window = 4 << 20;
  Pair pair(10ms, options);
  pair.settle();
  pair.connector.serve = [](Recorder& recorder) {
    recorder.filler = std::uint64_t{1} << 40U;
    recorder.stream->answer(200, "");
  };
  constexpr std::size_t kStreams = 20;
  std::vector<Recorder*> streams;
  for (std::size_t i = 0; i < kStreams; ++i) {
    streams.push_back(pair.open());
    streams.back()->keep = false;
  }
  pair.run(5s);
  std::uint64_t held = 0;
  for (auto* stream : streams) {
    stream->consumes = false;
    held -= stream->bytes;
  }
  pair.run(5s);
  for (auto* stream : streams) held += stream->bytes;
  EXPECT_LE(held, options.most_buffered / 2 + kStreams * options.first_window);
  EXPECT_GE(held, std::uint64_t{1} << 20U) << "windows did grow";
}

TEST(SessionFlow, StalledStreamBlocksNoOther) {
  Pair pair(1ms);
  pair.settle();
  constexpr std::uint64_t kBytes = 1 << 20;
  pair.connector.serve = [&](Recorder& recorder) {
    recorder.filler = kBytes;
    recorder.stream->answer(200, "");
    recorder.stream->finish();
  };
  std::vector<Recorder*> streams;
  for (int i = 0; i < 100; ++i) {
    streams.push_back(pair.open());
    streams.back()->keep = false;
  }
  streams[42]->consumes = false;
  pair.settle();
  for (int i = 0; i < 100; ++i) {
    if (i == 42) continue;
    EXPECT_EQ(streams[i]->bytes, kBytes) << i;
  }
  EXPECT_EQ(streams[42]->bytes, SessionOptions{}.first_window);
}

TEST(SessionFlow, ManyStalledStreamsDoNotUseUpTheLink) {
  Pair pair;
  pair.settle();
  pair.connector.serve = [](Recorder& recorder) {
    recorder.filler = 1 << 20;
    recorder.stream->answer(200, "");
  };
  // Together their windows are larger than the connection's.
  for (int i = 0; i < 400; ++i) {
    auto* stalled = pair.open();
    stalled->keep = false;
    stalled->consumes = false;
  }
  pair.settle();
  auto* stream = pair.open();
  stream->keep = false;
  pair.settle();
  EXPECT_EQ(stream->bytes, 1U << 20U);
}

TEST(SessionFlow, CreditOfAResetStreamComesBack) {
  SessionOptions options;
  options.link_window = 256 * 1024;
  Pair pair(10ms, options);
  pair.settle();
  pair.connector.serve = [](Recorder& recorder) {
    recorder.filler = 1 << 20;
    recorder.stream->answer(200, "");
  };
  // Each is reset while a window of its bytes is on the way.
  for (int i = 0; i < 40; ++i) {
    auto* stream = pair.open();
    stream->keep = false;
    pair.run(30ms);
    stream->stream->reset();
  }
  auto* stream = pair.open();
  stream->keep = false;
  pair.run(60s);
  EXPECT_EQ(stream->bytes, 1U << 20U);
}

TEST(SessionFlow, ProduceStopsAtItsLimit) {
  Pair pair;
  pair.settle();
  pair.connector.serve = [](Recorder& recorder) {
    recorder.filler = 10 << 20;
    recorder.stream->answer(200, "");
  };
  pair.connector.write_limit = 1;
  for (int i = 0; i < 50; ++i) pair.open()->keep = false;
  pair.flush();
  base::Buffer in;
  ASSERT_TRUE(pair.gateway.flights.size() == 1);
  pair.connector.note(pair.connector.session->receive(pair.gateway.flights.front().bytes, pair.now));
  pair.gateway.flights.clear();
  constexpr std::size_t kLargestFrame = 64 * 1024 + 9;
  for (const std::size_t limit : {1U, 1000U, 100'000U}) {
    base::Buffer out;
    ASSERT_TRUE(pair.connector.session->produce(out, limit));
    EXPECT_GE(out.size(), limit);
    EXPECT_LE(out.size(), limit + kLargestFrame);
    EXPECT_TRUE(pair.connector.session->wants_write());
  }
}

}  // namespace
}  // namespace adit::link::test
