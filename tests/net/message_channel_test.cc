// Message channels: both ends over TLS on loopback.

#include "net/message_channel.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/listener.h"
#include "tests/net/channel_ends.h"

namespace adit::net::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Phase = ChannelFailure::Phase;

TEST(ChannelUrl, IsTakenApart) {
  const struct {
    const char* text;
    const char* host;
    int port;
    const char* path;
  } cases[] = {
      {"wss://operator.adit.svc:8443", "operator.adit.svc", 8443, "/"},
      {"wss://operator:8443/", "operator", 8443, "/"},
      {"wss://operator/a/b?c=d", "operator", 443, "/a/b?c=d"},
      {"wss://[::1]:1/x", "::1", 1, "/x"},
  };
  for (const auto& [text, host, port, path] : cases) {
    const auto url = parse_channel_url(text);
    ASSERT_TRUE(url) << text << ": " << url.error();
    EXPECT_EQ(url->target.host, host);
    EXPECT_EQ(url->target.port, port);
    EXPECT_EQ(url->path, path);
  }
  for (const char* text :
       {"", "operator:8443", "ws://operator:1", "https://operator:1", "wss://", "wss://:1", "wss://a:0", "wss://a:x",
        "wss://a:1/b c", "wss://a:1/\r\nx", "wss://u@a:1", "wss://a:1/#f", "wss://::1:2"}) {
    EXPECT_FALSE(parse_channel_url(text)) << text;
  }
}

class Channels : public testing::Test {
 protected:
  void dial(Dialled& dialled, const ChannelRequest& request) {
    dialled.start(loop_, request);
    ASSERT_TRUE(until(loop_, [&] { return dialled.over(); }));
  }
  ChannelRequest request(const EchoServer& server, const std::string& host = "localhost") {
    return channel_request(authority_, server.port(), host);
  }
  std::string failure_of(const ChannelRequest& request) {
    Dialled dialled;
    dial(dialled, request);
    return dialled.failures && !dialled.failures->empty() ? dialled.failures->back().text() : "none";
  }

  Loop loop_;
  Authority authority_;
  Issued issued_ = authority_.issue("DNS:localhost,IP:127.0.0.1");
};

TEST_F(Channels, CarryMessagesBothWays) {
  EchoServer server(issued_);
  Dialled dialled;
  dial(dialled, request(server));
  ASSERT_TRUE(dialled.end.channel) << dialled.failures->back().text();
  {
    const std::lock_guard lock(server.mutex);
    EXPECT_EQ(server.last.bearer, "secret.token");
    EXPECT_EQ(server.last.path, "/control?x=1");
    EXPECT_THAT(server.last.remote, HasSubstr("127.0.0.1:"));
  }
  EXPECT_EQ(dialled.end.channel->remote(), "127.0.0.1:" + std::to_string(server.port()));
  const std::string large(4U << 20U, 'x');
  dialled.end.channel->send("one");
  EXPECT_FALSE(dialled.end.channel->is_writable());
  dialled.end.channel->send("");
  dialled.end.channel->send(large.substr(6));
  ASSERT_TRUE(until(loop_, [&] { return dialled.end.messages.size() == 3 || dialled.end.closed; }));
  EXPECT_FALSE(dialled.end.closed) << *dialled.end.closed;
  EXPECT_EQ(dialled.end.messages[0], "echo: one");
  EXPECT_EQ(dialled.end.messages[1], "echo: ");
  EXPECT_EQ(dialled.end.messages[2], "echo: " + large.substr(6));
  EXPECT_TRUE(dialled.end.channel->is_writable());
}

TEST_F(Channels, AreWritableAfterStartAndAfterEachMessage) {
  EchoServer server(issued_);
  Dialled dialled;
  int left = 3;
  dialled.end.when_writable = [&] {
    if (left-- > 0) dialled.end.channel->send("pulled");
  };
  dial(dialled, request(server));
  ASSERT_TRUE(until(loop_, [&] { return dialled.end.messages.size() == 3; }));
  EXPECT_EQ(dialled.end.writable, 4);
}

TEST_F(Channels, TooLongMessageEndsThem) {
  EchoServer server(issued_);
  Dialled dialled;
  dial(dialled, request(server));
  ASSERT_TRUE(dialled.end.channel);
  dialled.end.channel->send(std::string((4U << 20U) + 1, 'x'));
  ASSERT_TRUE(until(loop_, [&] { return dialled.end.closed.has_value(); }));
  EXPECT_NE(server.closed(), "not at all");
  server.with_end([&](ChannelEnd& end) { EXPECT_THAT(end.messages, IsEmpty()); });
}

TEST_F(Channels, WhoDoesNotReadIsGivenUp) {
  MessageServerOptions options;
  options.limits.most_waiting_bytes = 1U << 20U;
  EchoServer server(issued_, options);
  Dialled dialled;
  dial(dialled, request(server));
  ASSERT_TRUE(dialled.end.channel);
  // The client's loop does not run, so that nothing is read.
  server.with_end([&](ChannelEnd& end) {
    for (int i = 0; i < 64; ++i) end.channel->send(std::string(1U << 20U, 'x'));
  });
  EXPECT_EQ(server.closed(), "the other end does not take what is sent");
}

TEST_F(Channels, CloseSendsWhatWaitsAndTheReason) {
  EchoServer server(issued_);
  Dialled dialled;
  dial(dialled, request(server));
  ASSERT_TRUE(dialled.end.channel);
  server.with_end([&](ChannelEnd& end) {
    end.channel->send("last words");
    end.channel->close("no longer the leader");
    end.channel->send("lost");
    end.channel.reset();
  });
  ASSERT_TRUE(until(loop_, [&] { return dialled.end.closed.has_value(); }));
  EXPECT_THAT(dialled.end.messages, ElementsAre("last words"));
  EXPECT_EQ(*dialled.end.closed, "closed by the other end: no longer the leader");
}

TEST_F(Channels, DestroyedEndIsHeard) {
  EchoServer server(issued_);
  Dialled dialled;
  dial(dialled, request(server));
  ASSERT_TRUE(dialled.end.channel);
  dialled.end.channel.reset();
  std::optional<std::string> closed;
  ASSERT_TRUE(until(loop_, [&] {
    server.with_end([&](ChannelEnd& end) { closed = end.closed; });
    return closed.has_value();
  }));
  EXPECT_EQ(*closed, "closed by the other end");
}

TEST_F(Channels, SilentEndIsGone) {
  MessageServerOptions options;
  options.limits.idle = 300ms;
  EchoServer server(issued_, options);
  Dialled dialled;
  dial(dialled, request(server));
  ASSERT_TRUE(dialled.end.channel);
  // The client's loop does not run: it answers no ping.
  EXPECT_EQ(server.closed(), "the other end is silent");
}

TEST_F(Channels, PingsKeepAQuietOneAlive) {
  MessageServerOptions options;
  options.limits.idle = 300ms;
  EchoServer server(issued_, options);
  auto to = request(server);
  to.limits.idle = 300ms;
  Dialled dialled;
  dial(dialled, to);
  ASSERT_TRUE(dialled.end.channel);
  // Several idle times; only a channel that was lost can make this fail.
  const auto later = base::Clock::now() + 1500ms;
  ASSERT_TRUE(until(loop_, [&] { return base::Clock::now() > later; }));
  EXPECT_FALSE(dialled.end.closed) << *dialled.end.closed;
}

TEST_F(Channels, EndOfTheServerEndsThem) {
  Dialled dialled;
  std::vector<std::unique_ptr<ChannelEnd>> ends;
  {
    EchoServer server(issued_);
    dial(dialled, request(server));
    ASSERT_TRUE(dialled.end.channel);
    server.with_end([&](ChannelEnd&) { ends = std::move(server.ends); });
    server.server.reset();
    EXPECT_EQ(ends[0]->closed, "the server has ended");
  }
  ends.clear();  // after the server
  ASSERT_TRUE(until(loop_, [&] { return dialled.end.closed.has_value(); }));
}

TEST_F(Channels, RefusalsSayWhy) {
  EchoServer server(issued_);
  {
    const std::lock_guard lock(server.mutex);
    server.decide = [](const MessageServer::Answer& answer) {
      answer(ChannelRefusal{503, "not the leader", std::chrono::seconds(1)});
      answer(std::nullopt);  // comes too late
    };
  }
  Dialled dialled;
  dial(dialled, request(server));
  ASSERT_TRUE(dialled.failures);
  ASSERT_FALSE(dialled.failures->empty());
  const auto& failure = dialled.failures->back();
  EXPECT_EQ(failure.phase, Phase::upgrade);
  EXPECT_EQ(failure.status, 503U);
  EXPECT_EQ(failure.text(), "127.0.0.1:" + std::to_string(server.port()) + ": 503 not the leader");
  {
    const std::lock_guard lock(server.mutex);
    server.decide = [](const MessageServer::Answer& answer) {
      answer(ChannelRefusal{401, "who is secret.token?", std::nullopt});
    };
  }
  EXPECT_THAT(failure_of(request(server)), HasSubstr("401 Unauthorized")) << "no token in a log";
  {
    const std::lock_guard lock(server.mutex);
    server.decide = [](const MessageServer::Answer&) {};  // dropped
  }
  EXPECT_THAT(failure_of(request(server)), HasSubstr("503 undecided"));
}

TEST_F(Channels, EveryAddressIsTriedInTurn) {
  EchoServer follower(issued_);
  {
    const std::lock_guard lock(follower.mutex);
    follower.decide = [](const MessageServer::Answer& answer) {
      answer(ChannelRefusal{503, "not the leader", std::nullopt});
    };
  }
  EchoServer stranger(authority_.issue("DNS:elsewhere.example.com"));
  EchoServer leader(issued_);
  const auto nobody = EchoServer(issued_).server->endpoint();
  auto to = request(leader);
  to.addresses = {follower.server->endpoint(), nobody, stranger.server->endpoint(), leader.server->endpoint()};
  Dialled dialled;
  dial(dialled, to);
  ASSERT_TRUE(dialled.end.channel);
  EXPECT_EQ(dialled.end.channel->remote(), to_text(leader.server->endpoint()));
  to.addresses.pop_back();
  Dialled failed;
  dial(failed, to);
  ASSERT_TRUE(failed.failures);
  std::vector<Phase> phases;
  for (const auto& failure : *failed.failures) phases.push_back(failure.phase);
  EXPECT_THAT(phases, ElementsAre(Phase::upgrade, Phase::connect, Phase::tls)) << "one for each, in their order";
}

TEST_F(Channels, DecisionMayComeLaterFromAnotherThread) {
  EchoServer server(issued_);
  std::optional<std::thread> thread;
  {
    const std::lock_guard lock(server.mutex);
    server.decide = [&](MessageServer::Answer answer) {
      thread.emplace([answer = std::move(answer)] { answer(std::nullopt); });
    };
  }
  Dialled dialled;
  dial(dialled, request(server));
  EXPECT_TRUE(dialled.end.channel);
  thread->join();
}

TEST_F(Channels, DecisionThatNeverComesIs503) {
  MessageServerOptions options;
  options.decide = 100ms;
  EchoServer server(issued_, options);
  std::vector<MessageServer::Answer> kept;
  {
    const std::lock_guard lock(server.mutex);
    server.decide = [&](MessageServer::Answer answer) { kept.push_back(std::move(answer)); };
  }
  EXPECT_THAT(failure_of(request(server)), HasSubstr("503 undecided for too long"));
  server.server.reset();
  ASSERT_EQ(kept.size(), 1U);
  kept[0](std::nullopt);  // after the server's end
}

TEST_F(Channels, CertificatesAreVerified) {
  EchoServer server(issued_);
  const Authority another;
  auto to = request(server);
  to.trust.ca_pem = another.pem();
  EXPECT_THAT(failure_of(to), HasSubstr("certificate refused: "));
  to = request(server);
  to.trust.ca_pem = "nothing";
  EXPECT_THAT(failure_of(to), HasSubstr("holds no PEM certificate"));
  EXPECT_EQ(failure_of(request(server, "127.0.0.1")), "none");
  EchoServer elsewhere(authority_.issue("DNS:elsewhere.example.com"));
  EXPECT_THAT(failure_of(request(elsewhere)), HasSubstr("certificate refused: hostname mismatch"));
  EXPECT_THAT(failure_of(request(elsewhere, "127.0.0.1")), HasSubstr("certificate refused: IP address mismatch"));
  EchoServer expired(authority_.issue("DNS:localhost", -1));
  EXPECT_THAT(failure_of(request(expired)), HasSubstr("certificate refused: certificate has expired"));
}

TEST_F(Channels, CertificateOfTheServerIsReplaced) {
  EchoServer server(authority_.issue("DNS:elsewhere.example.com"));
  EXPECT_THAT(failure_of(request(server)), HasSubstr("mismatch"));
  server.server->set_tls(*make_server_context(TlsUse::link, issued_.chain_pem, issued_.key_pem));
  EXPECT_EQ(failure_of(request(server)), "none");
}

TEST_F(Channels, WhatCannotBeReachedIsTold) {
  auto nobody = request(EchoServer(issued_));
  EXPECT_THAT(failure_of(nobody), HasSubstr("refused"));
  nobody.url.target.host = "no-such-host.invalid";
  EXPECT_THAT(failure_of(nobody), HasSubstr("no-such-host.invalid: name not found"));
}

TEST_F(Channels, SilentServerTimesOut) {
  auto listener = Listener::open(loop_, {asio::ip::address_v4::loopback(), 0}, false);
  ASSERT_TRUE(listener);
  auto to = channel_request(authority_, (*listener)->endpoint().port(), "127.0.0.1");
  to.limits.handshake = 100ms;
  EXPECT_THAT(failure_of(to), HasSubstr("timed out"));
}

TEST_F(Channels, DestroyedDialSaysNothing) {
  EchoServer server(issued_);
  for (int turns = 0; turns < 30; ++turns) {
    Dialled dialled;
    dialled.start(loop_, request(server));
    for (int i = 0; i < turns && !dialled.over(); ++i) loop_.context().run_one_for(1ms);
    const bool was_over = dialled.over();
    dialled.dial.reset();
    settle(loop_);
    EXPECT_EQ(dialled.over(), was_over);
  }
}

TEST_F(Channels, TooManyAreTurnedAway) {
  MessageServerOptions options;
  options.most_per_address = 2;
  EchoServer server(issued_, options);
  Dialled one;
  dial(one, request(server));
  auto two = std::make_unique<Dialled>();
  dial(*two, request(server));
  EXPECT_TRUE(one.end.channel && two->end.channel);
  EXPECT_NE(failure_of(request(server)), "none");
  two.reset();
  // The place is free once the server has heard of the end.
  EXPECT_TRUE(until(loop_, [&] { return failure_of(request(server)) == "none"; }));
}

}  // namespace
}  // namespace adit::net::test
