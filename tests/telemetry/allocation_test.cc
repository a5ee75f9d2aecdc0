// The hot paths of telemetry allocate nothing after warm-up: operator new is counted in this program.

#include <cstdlib>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "telemetry/access_log.h"
#include "telemetry/metrics.h"
#include "tests/telemetry/log_file.h"

namespace {
thread_local std::size_t allocations = 0;
}

// Not inlined, or g++ sees malloc's memory go to operator delete and warns.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace adit::telemetry {
namespace {

AccessRecord record() {
  return {.time = std::chrono::system_clock::now(),
          .request_id = "0123456789abcdef0123456789abcdef",
          .visitor = "192.0.2.1",
          .method = "GET",
          .host = "shop.example.com",
          .path = "/caf\xc3\xa9?q=\"1\"",
          .status = 200,
          .upstream = std::chrono::microseconds{1500},
          .tunnel = "4d21094e-b74c-4916-86c1-d9fa36ea677b"};
}

TEST(Allocation, TheCounterCounts) {
  const auto before = allocations;
  const std::string text(1000, 'x');
  EXPECT_EQ(allocations, before + 1) << text.size();
}

TEST(Allocation, ALineTakesNone) {
  const LogFile file;
  auto writer = AccessLogWriter::start({.file = file.path()});
  ASSERT_TRUE(writer) << writer.error();
  AccessLogBuffer buffer(**writer);
  const auto before = allocations;
  for (int i = 0; i < 50; ++i) buffer.write(record());
  EXPECT_EQ(allocations, before);
}

TEST(Allocation, BuffersAreUsedAgain) {
  constexpr std::size_t kQueued = 4;
  const LogFile file;
  auto writer = AccessLogWriter::start({.file = file.path(), .queue_bytes = kQueued * (kFullBuffer + 512)});
  ASSERT_TRUE(writer) << writer.error();
  AccessLogBuffer buffer(**writer);
  const auto before = allocations;
  // About 800 buffers are exchanged; there are never more than those in the queue and the one in use. The rest of the
  // bound is for the growth of the two queues that the writer swaps.
  for (int i = 0; i < 100'000; ++i) buffer.write(record());
  EXPECT_LE(allocations - before, kQueued + 1 + 8);
}

TEST(Allocation, MetricsTakeNone) {
  Counter counter;
  Gauge gauge;
  Histogram<> histogram;
  const auto before = allocations;
  for (int i = 0; i < 1000; ++i) {
    counter.add();
    gauge.add();
    histogram.observe(i);
  }
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace adit::telemetry
