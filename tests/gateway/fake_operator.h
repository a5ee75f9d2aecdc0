#pragma once
// An operator of a test: the real log and feeds behind a message server.

#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "control/gateway_feed.h"
#include "net/message_server.h"
#include "tests/net/certificates.h"
#include "tests/net/loop_until.h"

namespace adit::gateway::test {

class FakeOperator {
 public:
  /// `port` 0: any.
  explicit FakeOperator(const net::test::Authority& authority, std::uint64_t term = 1, std::uint16_t port = 0)
      : log_(term) {
    const auto issued = authority.issue("DNS:localhost");
    net::MessageServerOptions options;
    options.where = {net::asio::ip::address_v4::loopback(), port};
    auto server = net::MessageServer::start(
        options, *net::make_server_context(net::TlsUse::link, issued.chain_pem, issued.key_pem),
        [this](const net::ChannelHello& hello, const net::MessageServer::Answer& answer) {
          bearers_.push_back(hello.bearer);
          answer(leads_ ? std::nullopt : std::optional(net::ChannelRefusal{503, "not the leader", std::nullopt}));
        },
        [this](std::unique_ptr<net::MessageChannel> channel, const net::ChannelHello&) {
          sessions_.push_back(std::make_unique<Session>(*this, std::move(channel)));
        });
    EXPECT_TRUE(server) << server.error();
    server_ = std::move(*server);
  }
  ~FakeOperator() {
    on_thread([this] { sessions_.clear(); });
    server_.reset();
  }

  std::uint16_t port() const { return server_->endpoint().port(); }

  /// Runs `work()` on the operator's thread and waits for it.
  template <class Work>
  void on_thread(Work work) {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    server_->loop().post([&] {
      work();
      const std::lock_guard lock(mutex);
      done = true;
      changed.notify_one();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done; });
  }
  void update(const std::vector<routing::TunnelConfigurationPtr>& set) {
    on_thread([&] {
      log_.update(set, {});
      pull();
    });
  }
  void set_link_certificate(const routing::Certificate& key) {
    on_thread([&] {
      log_.set_link_certificate(key.chain_pem, key.key_pem);
      pull();
    });
  }
  void set_peers(control::PeerCertificateMessage certificate, control::PeersMessage peers) {
    on_thread([&] {
      log_.set_peer_certificate(std::move(certificate));
      log_.set_peers(std::move(peers));
      pull();
    });
  }
  void lead(bool leads) {
    on_thread([&] {
      leads_ = leads;
      if (!leads) sessions_.clear();
    });
  }
  /// Says `text` to all gateways, whatever it is.
  void say(const std::string& text) {
    on_thread([&] {
      for (auto& session : sessions_) session->channel->send(text);
    });
  }
  /// Asks until `done(feed)` of the newest session.
  template <class Done>
  bool until_feed(Done done) {
    const auto limit = base::Clock::now() + net::test::kPatience;
    bool is_done = false;
    while (!is_done && base::Clock::now() < limit) {
      on_thread([&] { is_done = !sessions_.empty() && done(sessions_.back()->feed); });
      std::this_thread::yield();
    }
    return is_done;
  }
  bool until_current() {
    return until_feed([](const control::GatewayFeed& feed) { return feed.is_current(); });
  }
  std::vector<std::string> bearers() {
    std::vector<std::string> all;
    on_thread([&] { all = bearers_; });
    return all;
  }
  std::vector<std::string> tokens() {
    std::vector<std::string> all;
    on_thread([&] { all = tokens_; });
    return all;
  }

 private:
  struct Session final : net::ChannelOwner {
    Session(FakeOperator& from, std::unique_ptr<net::MessageChannel> to)
        : owner(from), channel(std::move(to)), feed(from.log_) {
      channel->start(*this);
    }
    void on_message(std::string_view text) override {
      const auto news = feed.take(text);
      EXPECT_TRUE(news) << news.error().message;
      if (news && news->token) owner.tokens_.push_back(*news->token);
      if (channel->is_writable()) on_writable();
    }
    void on_writable() override {
      if (auto text = feed.next_message()) channel->send(std::move(*text));
    }
    void on_closed(std::string_view) override {}

    FakeOperator& owner;
    std::unique_ptr<net::MessageChannel> channel;
    control::GatewayFeed feed;
  };

  void pull() {
    for (auto& session : sessions_) {
      if (session->channel->is_writable()) session->on_writable();
    }
  }

  // On the server's thread.
  control::ConfigurationLog log_;
  bool leads_ = true;
  std::vector<std::string> bearers_;
  std::vector<std::string> tokens_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::unique_ptr<net::MessageServer> server_;
};

}  // namespace adit::gateway::test
