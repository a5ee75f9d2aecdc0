#include "net/dialer.h"

#include <cstdio>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "net/listener.h"
#include "tests/net/loop_until.h"

namespace adit::net::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Dialed {
  bool connected = false;
  std::optional<DialFailure> failure;
  boost::intrusive_ptr<Dial> dial;

  void start(Loop& loop, const Target& target, base::Duration limit = kPatience) {
    dial = Dial::start(
        loop, target, limit, [this](Socket) { connected = true; }, [this](const DialFailure& why) { failure = why; });
    EXPECT_FALSE(connected || failure) << "reported from within start()";
  }
  bool over() const { return connected || failure; }
};

asio::ip::tcp::endpoint loopback() { return {asio::ip::address_v4::loopback(), 0}; }

TEST(Dial, ReachesAnAddressAndAName) {
  Loop loop;
  auto listener = Listener::open(loop, loopback(), false);
  ASSERT_TRUE(listener);
  std::string peer;
  (*listener)->start([&](Socket, const asio::ip::tcp::endpoint& from) { peer = host_text(from); });
  for (const char* host : {"127.0.0.1", "localhost"}) {
    peer.clear();
    Dialed dialed;
    dialed.start(loop, Target{Target::Kind::tcp, host, (*listener)->endpoint().port(), ""});
    ASSERT_TRUE(until(loop, [&] { return dialed.over() && !peer.empty(); })) << host;
    EXPECT_TRUE(dialed.connected) << host;
    EXPECT_EQ(peer, "127.0.0.1");
  }
}

TEST(Dial, TriesTheAddressesOfANameInTheOrderThatIsAsked) {
  const struct {
    std::vector<std::string> avoid;
    unsigned turn;
    const char* order;
  } cases[] = {
      {{}, 0, "1 2 3"},
      {{}, 1, "2 3 1"},
      {{}, 5, "3 1 2"},
      {{"10.0.0.2"}, 0, "1 3"},
      {{"10.0.0.2"}, 1, "3 1"},
      {{"10.0.0.1", "10.0.0.3"}, 7, "2"},
      {{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, 1, "2 3 1"},
      {{"10.0.0.9"}, 0, "1 2 3"},
  };
  for (const auto& one : cases) {
    std::vector<asio::ip::tcp::endpoint> found;
    for (const char* host : {"10.0.0.1", "10.0.0.2", "10.0.0.3"})
      found.emplace_back(asio::ip::make_address(host), 7443);
    std::string order;
    for (const auto& endpoint : in_order({one.avoid, one.turn}, found)) {
      order += (order.empty() ? "" : " ") + host_text(endpoint).substr(7);
    }
    EXPECT_EQ(order, one.order);
  }
}

TEST(Dial, TellsWhichAddressesItMet) {
  Loop loop;
  auto listener = Listener::open(loop, loopback(), false);
  ASSERT_TRUE(listener);
  (*listener)->start([](Socket, const asio::ip::tcp::endpoint&) {});
  Dialed dialed;
  dialed.start(loop, Target{Target::Kind::tcp, "localhost", (*listener)->endpoint().port(), ""});
  ASSERT_TRUE(until(loop, [&] { return dialed.over(); }));
  ASSERT_FALSE(dialed.dial->tried().empty());
  EXPECT_EQ(dialed.dial->tried().back(), "127.0.0.1");
  EXPECT_THAT(dialed.dial->hosts(), testing::Contains("127.0.0.1"));
}

TEST(Dial, TellsThatNobodyListens) {
  Loop loop;
  auto listener = Listener::open(loop, loopback(), false);
  ASSERT_TRUE(listener);
  const auto port = (*listener)->endpoint().port();
  listener->reset();
  Dialed dialed;
  dialed.start(loop, Target{Target::Kind::tcp, "127.0.0.1", port, ""});
  ASSERT_TRUE(until(loop, [&] { return dialed.over(); }));
  ASSERT_TRUE(dialed.failure);
  EXPECT_EQ(dialed.failure->phase, DialPhase::connect);
  EXPECT_FALSE(dialed.failure->timed_out);
  EXPECT_EQ(dialed.failure->reason, "Connection refused (127.0.0.1:" + std::to_string(port) + ")");
}

TEST(Dial, TellsThatTheNameIsUnknown) {
  Loop loop;
  Dialed dialed;
  dialed.start(loop, Target{Target::Kind::tcp, "no-such-host.invalid", 80, ""});
  ASSERT_TRUE(until(loop, [&] { return dialed.over(); }));
  ASSERT_TRUE(dialed.failure);
  EXPECT_EQ(dialed.failure->phase, DialPhase::resolve);
  EXPECT_THAT(dialed.failure->reason, HasSubstr("name not found"));
}

TEST(Dial, GivesUpOnASilentAddress) {
  // A listener that accepts nothing answers no SYN any more once its backlog is full.
  const int full = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(full, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(full, 0), 0);
  ASSERT_EQ(::getsockname(full, reinterpret_cast<sockaddr*>(&address), &size), 0);
  Loop loop;
  const Target target{Target::Kind::tcp, "127.0.0.1", ntohs(address.sin_port), ""};
  std::vector<std::unique_ptr<Dialed>> dials;
  const auto timed_out = [&] {
    for (const auto& dialed : dials) {
      if (dialed->failure && dialed->failure->timed_out) return true;
    }
    return false;
  };
  for (int i = 0; i < 4; ++i) {
    dials.push_back(std::make_unique<Dialed>());
    dials.back()->start(loop, target, 300ms);
  }
  EXPECT_TRUE(until(loop, timed_out));
  for (const auto& dialed : dials) {
    if (!dialed->failure) continue;
    EXPECT_THAT(dialed->failure->reason, HasSubstr("timed out while connecting to 127.0.0.1:"));
  }
  ::close(full);
}

TEST(Dial, SaysNothingAfterCancel) {
  Loop loop;
  for (const char* host : {"127.0.0.1", "no-such-host.invalid"}) {
    Dialed dialed;
    dialed.start(loop, Target{Target::Kind::tcp, host, 1, ""});
    dialed.dial->cancel();
    dialed.dial.reset();
    settle(loop);
    EXPECT_FALSE(dialed.over()) << host;
  }
}

TEST(Dial, ReachesAUnixSocket) {
  Loop loop;
  const std::string path = testing::TempDir() + std::to_string(getpid()) + "adit-dial-test.sock";
  std::remove(path.c_str());
  Dialed absent;
  absent.start(loop, Target{Target::Kind::unix_socket, "", 0, path});
  ASSERT_TRUE(until(loop, [&] { return absent.over(); }));
  ASSERT_TRUE(absent.failure);
  EXPECT_THAT(absent.failure->reason, HasSubstr(path));

  asio::local::stream_protocol::acceptor acceptor(loop.context(), asio::local::stream_protocol::endpoint(path));
  Dialed dialed;
  dialed.start(loop, Target{Target::Kind::unix_socket, "", 0, path});
  ASSERT_TRUE(until(loop, [&] { return dialed.over(); }));
  EXPECT_TRUE(dialed.connected);
  std::remove(path.c_str());

  Dialed too_long;
  too_long.start(loop, Target{Target::Kind::unix_socket, "", 0, "/" + std::string(200, 'x')});
  ASSERT_TRUE(until(loop, [&] { return too_long.over(); }));
  EXPECT_TRUE(too_long.failure);
}

TEST(Listener, TellsWhyItCantListen) {
  Loop loop;
  auto first = Listener::open(loop, loopback(), false);
  ASSERT_TRUE(first);
  const auto second = Listener::open(loop, (*first)->endpoint(), false);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("cannot listen on " + to_text((*first)->endpoint())));
}

TEST(Listener, SharesItsPortWhenAsked) {
  Loop loop;
  auto first = Listener::open(loop, loopback(), true);
  ASSERT_TRUE(first);
  EXPECT_TRUE(Listener::open(loop, (*first)->endpoint(), true));
}

TEST(Listener, FinishingAcceptsWhatIsInTheBacklogAndNoMore) {
  Loop loop;
  auto listener = Listener::open(loop, loopback(), false);
  ASSERT_TRUE(listener);
  asio::io_context elsewhere;
  asio::ip::tcp::socket waiting(elsewhere);
  waiting.connect((*listener)->endpoint());
  int accepted = 0;
  (*listener)->start([&](Socket, const asio::ip::tcp::endpoint&) { ++accepted; });
  (*listener)->finish();
  asio::ip::tcp::socket late(elsewhere);
  Error error;
  late.connect((*listener)->endpoint(), error);
  EXPECT_EQ(error, asio::error::connection_refused);
  settle(loop);
  EXPECT_EQ(accepted, 1);
}

TEST(Listener, ClosedFromItsOwnCallbackAcceptsNoMore) {
  Loop loop;
  auto listener = Listener::open(loop, loopback(), false);
  ASSERT_TRUE(listener);
  int accepted = 0;
  (*listener)->start([&](Socket, const asio::ip::tcp::endpoint&) {
    ++accepted;
    (*listener)->close();
  });
  const Target target{Target::Kind::tcp, "127.0.0.1", (*listener)->endpoint().port(), ""};
  Dialed one;
  one.start(loop, target);
  ASSERT_TRUE(until(loop, [&] { return accepted == 1; }));
  Dialed two;
  two.start(loop, target);
  ASSERT_TRUE(until(loop, [&] { return two.over(); }));
  EXPECT_TRUE(two.failure);
  EXPECT_EQ(accepted, 1);
}

}  // namespace
}  // namespace adit::net::test
