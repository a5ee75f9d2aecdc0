// The shell of a link over a real socket: what it does while the socket is full.

#include <gtest/gtest.h>

#include "net/link_driver.h"
#include "tests/net/loop_until.h"
#include "tests/net/stream_end.h"

namespace adit::net::test {
namespace {

/// A connector's stream that sends without end, and its owner.
struct EndlessService final : LinkOwner, link::StreamHandler {
  link::StreamHandler* on_open(link::Stream& opened, const link::Opening&) override {
    stream = &opened;
    opened.answer(200, {});
    return this;
  }
  void on_link_ready() override {}
  void on_link_control(const link::ControlMessage&) override {}
  void on_link_suspect(bool) override {}
  void on_link_closed(std::string_view why) override { closed = why; }

  void on_answer(int, std::string_view) override {}
  void on_data(std::span<const char>) override {}
  void on_end() override {}
  void on_closed(link::Closed) override { stream = nullptr; }
  std::span<const char> to_send() override { return bytes; }
  void on_sent(std::size_t size) override { sent += size; }

  const std::string bytes = std::string(256 * 1024, 'x');
  link::Stream* stream = nullptr;
  std::uint64_t sent = 0;
  std::string closed;
};

/// The gateway: a session whose bytes the test moves by hand.
struct Gateway final : link::SessionEvents, link::StreamHandler {
  explicit Gateway(Loop& loop, Socket taken) : loop_(loop), socket(std::move(taken)) { socket.non_blocking(true); }

  link::StreamHandler* on_open(link::Stream&, const link::Opening&) override { return nullptr; }
  void on_ready() override { ready = true; }
  void on_control(const link::ControlMessage&) override {}
  void on_suspect(bool now) override { suspect = now; }
  void on_wants_write() override {}

  void on_answer(int answer, std::string_view) override { status = answer; }
  void on_data(std::span<const char> data) override {
    if (stream != nullptr) stream->consume(data.size());
  }
  void on_end() override {}
  void on_closed(link::Closed) override { stream = nullptr; }
  std::span<const char> to_send() override { return {}; }
  void on_sent(std::size_t) override {}

  void write() {
    base::Buffer out;
    ASSERT_TRUE(session.produce(out, 1 << 20));
    Error error;
    EXPECT_EQ(socket.write_some(asio::buffer(out.view().data(), out.size()), error), out.size());
  }
  /// Reads what there is, and lets the other end go on, until nothing comes.
  void read_all() {
    std::vector<char> bytes(64 * 1024);
    for (int quiet = 0; quiet < 3;) {
      settle(loop_);
      Error error;
      const auto size = socket.read_some(asio::buffer(bytes), error);
      quiet = error ? quiet + 1 : 0;
      if (error) continue;
      ASSERT_TRUE(session.receive({bytes.data(), size}, Loop::now()));
    }
  }
  void exchange() {
    write();
    read_all();
  }

  Loop& loop_;
  Socket socket;
  bool ready = false;
  bool suspect = false;
  int status = 0;
  link::Stream* stream = nullptr;
  link::Session session{link::Role::gateway, {}, *this, Loop::now()};
};

struct LinkBackPressure : testing::Test {
  LinkBackPressure() {
    auto [one, two] = socket_pair(loop);
    gateway.emplace(loop, std::move(two));
    driver.emplace(loop, StreamPtr(new Stream(loop, std::move(one), nullptr)), nullptr, link::Role::connector,
                   link::SessionOptions{}, service);
    driver->start();
    for (int i = 0; i < 3; ++i) gateway->exchange();
    EXPECT_TRUE(gateway->ready);
  }

  Loop loop;
  EndlessService service;
  std::optional<Gateway> gateway;
  std::optional<LinkDriver> driver;
};

TEST_F(LinkBackPressure, TakesNothingFromTheSessionWhileTheSocketIsFull) {
  gateway->stream = gateway->session.open({"default", "192.0.2.7:1", "id"}, *gateway);
  gateway->write();
  settle(loop);
  const auto before = service.sent;
  EXPECT_GT(before, 0U);
  settle(loop);
  EXPECT_EQ(service.sent, before);
}

TEST_F(LinkBackPressure, AnswersAgainAfterAResetWhileTheSocketWasFull) {
  // A window that is larger than what the socket holds.
  gateway->stream = gateway->session.open({"default", "192.0.2.7:1", "id"}, *gateway);
  for (int i = 0; i < 20; ++i) gateway->exchange();
  gateway->write();
  settle(loop);
  ASSERT_GT(driver->stream().unsent(), 0U);
  gateway->session.send_control(link::Gateways{{"gateway"}});  // any frame: the session asks to be heard, in vain
  gateway->write();
  settle(loop);
  ASSERT_GT(driver->stream().unsent(), 0U);
  std::exchange(gateway->stream, nullptr)->reset();  // and then has nothing more to send
  gateway->write();
  settle(loop);
  EXPECT_EQ(service.stream, nullptr);
  gateway->read_all();
  EXPECT_EQ(driver->stream().unsent(), 0U);
  // Yet it answers what comes next.
  gateway->session.suspect(Loop::now() + std::chrono::seconds(1));
  EXPECT_TRUE(gateway->session.is_suspect());
  gateway->exchange();
  EXPECT_FALSE(gateway->session.is_suspect());
  EXPECT_EQ(service.closed, "");
}

}  // namespace
}  // namespace adit::net::test
