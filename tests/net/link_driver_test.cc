// A link over both transports: bytes through a socket pair, with the driver at each end.

#include "net/link_driver.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "link/handshake.h"
#include "tests/net/loop_until.h"
#include "tests/net/stream_end.h"

namespace adit::net::test {
namespace {

/// A stream's user that keeps what it gets, and may send it back.
struct User final : link::StreamHandler {
  void on_answer(int status, std::string_view) override { answered = status; }
  void on_data(std::span<const char> bytes) override {
    in.append(bytes.data(), bytes.size());
    stream->consume(bytes.size());
    if (!echoes) return;
    out.append(bytes);
    stream->resume();
  }
  void on_end() override {}
  void on_closed(link::Closed) override { stream = nullptr; }
  std::span<const char> to_send() override { return out.readable(); }
  void on_sent(std::size_t size) override { out.consume(size); }

  link::Stream* stream = nullptr;
  int answered = 0;
  bool echoes = false;
  std::string in;
  base::Buffer out;
};

class LinkEnd final : public LinkOwner {
 public:
  LinkEnd(Loop& loop, Socket socket, std::unique_ptr<link::WebSocket> web_socket, link::Role role)
      : driver(loop, make_stream(loop, std::move(socket)), std::move(web_socket), role, {}, *this) {}

  link::StreamHandler* on_open(link::Stream& stream, const link::Opening&) override {
    user.stream = &stream;
    user.echoes = true;
    stream.answer(200, {});
    return &user;
  }
  void on_link_ready() override { ready = true; }
  void on_link_control(const link::ControlMessage&) override {}
  void on_link_suspect(bool) override {}
  void on_link_closed(std::string_view why) override { closed = why; }

  bool ready = false;
  std::string closed;
  User user;
  LinkDriver driver;
};

class LinkDriverTest : public testing::TestWithParam<link::Transport> {
 protected:
  LinkDriverTest() {
    auto [near, far] = socket_pair(loop_);
    gateway_ =
        std::make_unique<LinkEnd>(loop_, std::move(near), web_socket(link::WebSocketEnd::server), link::Role::gateway);
    connector_ =
        std::make_unique<LinkEnd>(loop_, std::move(far), web_socket(link::WebSocketEnd::client), link::Role::connector);
    gateway_->driver.start();
    connector_->driver.start();
    EXPECT_TRUE(until(loop_, [this] { return gateway_->ready; }));
  }
  std::unique_ptr<link::WebSocket> web_socket(link::WebSocketEnd end) {
    if (GetParam() == link::Transport::upgrade) return nullptr;
    return std::make_unique<link::WebSocket>(end, random_);
  }

  Loop loop_;
  base::Random random_{3};
  std::unique_ptr<LinkEnd> gateway_;
  std::unique_ptr<LinkEnd> connector_;
};

INSTANTIATE_TEST_SUITE_P(Both, LinkDriverTest, testing::Values(link::Transport::upgrade, link::Transport::websocket),
                         [](const auto& info) { return std::string(name_of(info.param)); });

TEST_P(LinkDriverTest, BulkComesBackWhole) {
  auto& user = gateway_->user;
  user.stream = gateway_->driver.session().open({"default", "192.0.2.7:1", "id"}, user);
  std::string bytes(3'000'000, '\0');
  for (auto& c : bytes) c = static_cast<char>(random_());
  user.out.append(std::string_view(bytes));
  user.stream->resume();
  ASSERT_TRUE(until(loop_, [&] { return user.in.size() == bytes.size(); }));
  EXPECT_EQ(user.in, bytes);
}

TEST_P(LinkDriverTest, EndsInOrderOnBothSides) {
  gateway_->driver.session().shutdown();
  connector_->driver.session().shutdown();
  ASSERT_TRUE(until(loop_, [&] { return !gateway_->closed.empty() && !connector_->closed.empty(); }));
  // Who is second may see the other's close before it has taken note of its own end.
  EXPECT_TRUE(gateway_->closed == "finished" || connector_->closed == "finished");
}

TEST_P(LinkDriverTest, LostConnectionIsTold) {
  connector_.reset();
  ASSERT_TRUE(until(loop_, [&] { return !gateway_->closed.empty(); }));
  EXPECT_EQ(gateway_->closed, "the peer closed the connection");
}

/// The other end is the test's own.
class HostileEnd : public testing::Test {
 protected:
  HostileEnd() {
    auto [near, far] = socket_pair(loop_);
    auto socket = std::make_unique<link::WebSocket>(link::WebSocketEnd::server, random_);
    gateway_ = std::make_unique<LinkEnd>(loop_, std::move(near), std::move(socket), link::Role::gateway);
    gateway_->driver.start();
    peer_.start(make_stream(loop_, std::move(far)));
  }
  bool over() {
    return until(loop_, [this] { return !gateway_->closed.empty(); });
  }

  Loop loop_;
  base::Random random_{3};
  std::unique_ptr<LinkEnd> gateway_;
  End peer_;
};

TEST_F(HostileEnd, HearsWhyItWasClosed) {
  peer_.send("\x82\x01x");
  ASSERT_TRUE(over());
  EXPECT_EQ(gateway_->closed, "the peer broke WebSocket: a client's frame is not masked");
  ASSERT_TRUE(until(loop_, [this] { return peer_.ended; }));
  EXPECT_TRUE(
      peer_.in.ends_with("\x03\xea"
                         "a client's frame is not masked"))
      << "a Close with its reason";
}

TEST_F(HostileEnd, BreaksHttpInsideOfMessages) {
  peer_.send(std::string("\x82\x89\0\0\0\0notframes", 15));
  ASSERT_TRUE(over());
  EXPECT_TRUE(gateway_->closed.starts_with("the peer broke HTTP/2")) << gateway_->closed;
}

TEST_F(HostileEnd, MayCloseAsWebSocketsDo) {
  peer_.send(
      std::string("\x88\x87\0\0\0\0\x03\xe9"
                  "going",
                  13));
  ASSERT_TRUE(over());
  EXPECT_EQ(gateway_->closed, "the peer closed the WebSocket: 1001 going");
}

TEST_F(HostileEnd, PingsWithoutReading) {
  peer_.reads = false;
  // Until the socket's own buffers are full too.
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings.append("\x89\xfd\0\0\0\0", 6).append(125, 'p');
  ASSERT_TRUE(until(loop_, [&] {
    if (peer_.stream && peer_.broken.empty() && peer_.stream->unsent() < pings.size()) peer_.send(pings);
    return !gateway_->closed.empty();
  }));
  EXPECT_EQ(gateway_->closed, "the peer broke WebSocket: it sends pings and does not read");
}

}  // namespace
}  // namespace adit::net::test
