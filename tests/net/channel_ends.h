#pragma once
// Both ends of message channels, for tests.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/message_channel.h"
#include "net/message_server.h"
#include "tests/net/certificates.h"
#include "tests/net/loop_until.h"

namespace adit::net::test {

/// Writes down what one end of a channel hears.
struct ChannelEnd final : ChannelOwner {
  void on_message(std::string_view text) override {
    messages.emplace_back(text);
    if (when_message) when_message(text);
  }
  void on_writable() override {
    ++writable;
    if (when_writable) when_writable();
  }
  void on_closed(std::string_view why) override { closed = why; }

  std::vector<std::string> messages;
  int writable = 0;
  std::optional<std::string> closed;
  std::function<void(std::string_view)> when_message;
  std::function<void()> when_writable;
  std::unique_ptr<MessageChannel> channel;
};

/// A server whose sessions are kept, and answer each message with "echo: …".
class EchoServer {
 public:
  explicit EchoServer(const Issued& issued, MessageServerOptions options = {}) {
    options.where = {asio::ip::address_v4::loopback(), 0};
    auto tls = make_server_context(TlsUse::link, issued.chain_pem, issued.key_pem);
    EXPECT_TRUE(tls);
    auto started = MessageServer::start(
        options, *tls,
        [this](const ChannelHello& hello, MessageServer::Answer answer) {
          const std::lock_guard lock(mutex);
          last = hello;
          if (decide) return decide(std::move(answer));
          answer(std::nullopt);
        },
        [this](std::unique_ptr<MessageChannel> channel, const ChannelHello&) {
          auto& end = *ends.emplace_back(std::make_unique<ChannelEnd>());
          end.channel = std::move(channel);
          end.when_message = [&end](std::string_view text) { end.channel->send("echo: " + std::string(text)); };
          end.channel->start(end);
        });
    EXPECT_TRUE(started) << started.error();
    server = std::move(*started);
  }
  std::uint16_t port() const { return server->endpoint().port(); }
  /// Runs `work` on the server's thread and waits for it.
  template <class Work>
  void on_thread(Work work) {
    std::mutex done_mutex;
    std::condition_variable changed;
    bool done = false;
    server->loop().post([&] {
      work();
      const std::lock_guard lock(done_mutex);
      done = true;
      changed.notify_one();
    });
    std::unique_lock lock(done_mutex);
    changed.wait(lock, [&] { return done; });
  }

  /// Asks on the server's thread until `done(end)` of the only session; false when that does not come about.
  template <class Done>
  bool until_end(Done done) {
    const auto limit = base::Clock::now() + kPatience;
    bool is_done = false;
    while (!is_done && base::Clock::now() < limit) {
      on_thread([&] { is_done = !ends.empty() && done(*ends[0]); });
    }
    return is_done;
  }
  /// Runs `work(end)` there, once the session is there.
  template <class Work>
  void with_end(Work work) {
    EXPECT_TRUE(until_end([&](ChannelEnd& end) {
      work(end);
      return true;
    }));
  }
  /// Why the only session ended.
  std::string closed() {
    std::string why;
    const bool ended = until_end([&](ChannelEnd& end) {
      why = end.closed.value_or("");
      return end.closed.has_value();
    });
    return ended ? why : "not at all";
  }

  std::mutex mutex;  ///< of what follows, up to the server
  ChannelHello last;
  std::function<void(MessageServer::Answer)> decide;
  std::vector<std::unique_ptr<ChannelEnd>> ends;  ///< on the server's thread
  std::unique_ptr<MessageServer> server;
};

/// One dial and its outcome.
struct Dialled {
  void start(Loop& loop, const ChannelRequest& request) {
    dial = ChannelDial::start(
        loop, request,
        [this](std::unique_ptr<MessageChannel> channel) {
          end.channel = std::move(channel);
          end.channel->start(end);
        },
        [this](const std::vector<ChannelFailure>& why) { failures = why; });
    EXPECT_FALSE(over()) << "reported from within start()";
  }
  bool over() const { return end.channel || failures; }

  ChannelEnd end;
  std::optional<std::vector<ChannelFailure>> failures;
  std::unique_ptr<ChannelDial> dial;
};

inline ChannelRequest channel_request(const Authority& authority, std::uint16_t port, const std::string& host) {
  ChannelRequest request;
  request.url = {Target{Target::Kind::tcp, host, port, ""}, "/control?x=1"};
  request.bearer = "secret.token";
  request.trust.ca_pem = authority.pem();
  return request;
}

}  // namespace adit::net::test
