// The byte path allocates nothing once it is warm. This program's operator new counts; link/h2_memory.h uses it too, so
// what libnghttp2 allocates is counted.

#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "link/session.h"
#include "link/web_socket.h"

namespace {

std::atomic<std::uint64_t> allocations{0};

// A sanitizer brings an operator new of its own, and nghttp2's memory is not pooled then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ADIT_COUNTS 0
#else
#define ADIT_COUNTS 1
#endif

}  // namespace

#if ADIT_COUNTS
// Not inline, or the compiler takes the pair of them for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace adit::link {
namespace {

constexpr base::TimePoint kNow{std::chrono::hours(1)};

/// A handler with a queue of its own, as the programs have; echoes when told to.
struct Echo final : StreamHandler {
  Stream* stream = nullptr;
  base::Buffer out;
  bool echoes = false;
  std::uint64_t received = 0;
  bool answered = false;

  void on_answer(int status, std::string_view) override { answered = status == 200; }
  void on_data(std::span<const char> bytes) override {
    received += bytes.size();
    if (echoes) send(bytes);
    stream->consume(bytes.size());
  }
  void on_end() override {}
  void on_closed(Closed) override { stream = nullptr; }
  std::span<const char> to_send() override { return out.readable(); }
  void on_sent(std::size_t size) override { out.consume(size); }

  void send(std::span<const char> bytes) {
    out.append(bytes);
    stream->resume();
  }
};

struct Side final : SessionEvents {
  explicit Side(Role role) : session(role, {}, *this, kNow) {}
  Echo served[200];
  std::size_t serving = 0;
  Session session;

  StreamHandler* on_open(Stream& stream, const Opening&) override {
    Echo& echo = served[serving++ % std::size(served)];
    echo.stream = &stream;
    echo.echoes = true;
    stream.answer(200, {});
    return &echo;
  }
  void on_ready() override {}
  void on_control(const ControlMessage&) override {}
  void on_suspect(bool) override {}
  void on_wants_write() override {}
};

/// Carries all bytes to and fro until there are no more.
void settle(Side& a, Side& b) {
  while (a.session.wants_write() || b.session.wants_write()) {
    for (auto [from, to] : {std::pair{&a, &b}, std::pair{&b, &a}}) {
      base::Buffer wire;
      ASSERT_TRUE(from->session.produce(wire, 64 * 1024));
      ASSERT_TRUE(to->session.receive(wire.readable(), kNow));
    }
  }
}

TEST(Allocation, EchoOverOpenStreamsTakesNone) {
  if (ADIT_COUNTS == 0) GTEST_SKIP() << "nothing is counted under a sanitizer";
  Side gateway(Role::gateway);
  Side connector(Role::connector);
  settle(gateway, connector);
  constexpr std::size_t kStreams = 100;
  Echo echo[kStreams];
  for (auto& one : echo) {
    one.stream = gateway.session.open({"default", "192.0.2.1:1", "id"}, one);
    ASSERT_NE(one.stream, nullptr);
  }
  settle(gateway, connector);
  const std::string message(300, 'x');
  const auto round = [&] {
    for (auto& one : echo) one.send(message);
    settle(gateway, connector);
  };
  for (int i = 0; i < 300; ++i) round();
  const auto before = allocations.load();
  constexpr int kRounds = 1000;
  for (int i = 0; i < kRounds; ++i) round();
  const auto taken = allocations.load() - before;
  EXPECT_EQ(echo[0].received, (300U + kRounds) * message.size());
  EXPECT_LE(static_cast<double>(taken), 0.01 * kRounds * kStreams);
}

TEST(Allocation, ShortStreamsTakeNone) {
  if (ADIT_COUNTS == 0) GTEST_SKIP() << "nothing is counted under a sanitizer";
  Side gateway(Role::gateway);
  Side connector(Role::connector);
  settle(gateway, connector);
  Echo echo;
  const auto once = [&] {
    echo.stream = gateway.session.open({"default", "192.0.2.1:1", "id"}, echo);
    echo.send(std::string_view("hello"));
    settle(gateway, connector);
    echo.stream->reset();
    settle(gateway, connector);
  };
  for (int i = 0; i < 300; ++i) once();
  const auto before = allocations.load();
  constexpr int kStreams = 1000;
  for (int i = 0; i < kStreams; ++i) once();
  EXPECT_LE(static_cast<double>(allocations.load() - before), 0.01 * kStreams);
}

TEST(Allocation, WebSocketMessagesTakeNone) {
  if (ADIT_COUNTS == 0) GTEST_SKIP() << "nothing is counted under a sanitizer";
  base::Random random(1);
  WebSocket client(WebSocketEnd::client, random);
  WebSocket server(WebSocketEnd::server, random);
  const std::string message(30'000, 'x');
  std::uint64_t received = 0;
  const auto round = [&] {
    for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
      base::Buffer plain;
      base::Buffer wire;
      plain.append(std::string_view(message));
      from->send(plain, wire);
      ASSERT_TRUE(to->receive(wire.readable(), plain, wire));
      received += plain.size();
    }
  };
  for (int i = 0; i < 100; ++i) round();
  const auto before = allocations.load();
  constexpr std::uint64_t kRounds = 1000;
  for (std::uint64_t i = 0; i < kRounds; ++i) round();
  EXPECT_EQ(allocations.load() - before, 0U);
  EXPECT_EQ(received, (100 + kRounds) * 2 * message.size());
}

}  // namespace
}  // namespace adit::link
