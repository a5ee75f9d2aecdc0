// Every system call that gateway and connector make for their sockets fails once, in each way that it can. The request
// that is under way may fail, cleanly and soon; the next one must not.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <gtest/gtest.h>

#include "base/log.h"
#include "tests/system/connection.h"
#include "tests/system/faults.h"
#include "tests/system/tunnel.h"

namespace adit::test {
namespace {

using namespace std::chrono_literals;

constexpr Fault kFaults[] = {
    {"reset", kReceive | kSend, ECONNRESET},
    {"broken_pipe", kSend, EPIPE},
    {"timed_out", kReceive | kConnect, ETIMEDOUT},
    {"refused", kConnect, ECONNREFUSED},
    {"no_buffers", kSend | kOpen | kConnect | kAccept, ENOBUFS},
    {"no_descriptors", kOpen | kAccept, EMFILE},
    {"no_memory", kReceive | kSend | kWatch | kAccept, ENOMEM},
    {"interrupted", kReceive | kSend | kAccept, EINTR},
    {"not_now", kReceive | kSend | kAccept, EAGAIN},
    {"one_byte", kReceive | kSend, 0},
    {"invalid", kOption | kName | kListen, EINVAL},
};

constexpr std::size_t kUpload = 200'000;
constexpr auto kHealsWithin = 10s;  // to end a test that hangs

/// How a request ended.
enum class End { answered, refused, closed, wrong };

struct Outcome {
  End end = End::wrong;
  std::string what;
};

Outcome wrong(const Connection& connection, const std::string& what) {
  return {End::wrong,
          what + (connection.hung() ? ", and nothing more came" : "") + ": " + connection.bytes().substr(0, 200)};
}

/// The gateway's own answers say so by their status; whatever else comes must be the service's, and true.
Outcome read_answer(Connection& connection, const std::string& expected) {
  const auto head = connection.take_until("\r\n\r\n");
  if (connection.hung()) return wrong(connection, "no answer");
  if (head.empty() && connection.bytes().empty()) return {End::closed, {}};
  if (head.empty()) return wrong(connection, "half a head");
  for (const char* status : {"502", "503", "504"}) {
    if (head.starts_with(std::string("HTTP/1.1 ") + status + " ")) return {End::refused, head};
  }
  if (!head.starts_with("HTTP/1.1 200 ")) return wrong(connection, head);
  const auto body = connection.take(expected.size());
  if (body == expected) return {End::answered, {}};
  const bool is_beginning = expected.starts_with(body);
  return is_beginning && !connection.hung() ? Outcome{End::closed, {}} : wrong(connection, "another body " + body);
}

class EveryCall : public testing::TestWithParam<Fault> {
 protected:
  static void SetUpTestSuite() {
    std::signal(SIGPIPE, SIG_IGN);  // as the programs do
    base::log::init("test_system",
                    std::getenv("ADIT_LOG") != nullptr ? base::log::Level::debug : base::log::Level::error, false);
    setting = new Setting;
  }
  static void TearDownTestSuite() { delete setting; }

  Outcome get(Tunnel& tunnel, bool tls) {
    Connection connection(tls ? tunnel.https() : tunnel.http(), tls ? setting->visitor_tls : nullptr, Setting::kHost);
    connection.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    return read_answer(connection, Service::kBody);
  }

  Outcome upload(Tunnel& tunnel) {
    Connection connection(tunnel.http());
    const std::string size = std::to_string(kUpload);
    connection.send("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: " + size + "\r\n\r\n");
    connection.send(std::string(kUpload, 'u'));
    return read_answer(connection, size);
  }

  Outcome upgrade(Tunnel& tunnel) {
    Connection connection(tunnel.http());
    connection.send("GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    const auto head = connection.take_until("\r\n\r\n");
    if (head.empty() && !connection.hung()) return {End::closed, {}};
    if (head.starts_with("HTTP/1.1 50")) return {End::refused, head};
    if (!head.starts_with("HTTP/1.1 101 ")) return wrong(connection, "no upgrade");
    const std::string said(20'000, 'e');
    connection.send(said);
    const auto heard = connection.take(said.size());
    if (!said.starts_with(heard) || connection.hung()) return wrong(connection, "another echo");
    connection.finish();
    while (connection.receive()) {
    }
    if (connection.hung()) return wrong(connection, "no end after ours");
    return {heard == said ? End::answered : End::closed, {}};
  }

  /// Requests of each kind. True when all were answered; a failure that is not clean fails the test.
  bool visit(Tunnel& tunnel) {
    const std::pair<const char*, Outcome> outcomes[] = {{"get", get(tunnel, false)},
                                                        {"get over TLS", get(tunnel, true)},
                                                        {"upload", upload(tunnel)},
                                                        {"upgrade", upgrade(tunnel)}};
    for (const auto& [name, outcome] : outcomes) {
      EXPECT_NE(outcome.end, End::wrong) << name << ": " << outcome.what;
    }
    return std::all_of(std::begin(outcomes), std::end(outcomes),
                       [](const auto& item) { return item.second.end == End::answered; });
  }

  /// Asks until the tunnel answers: its links come up on their own.
  void wait_until_served(Tunnel& tunnel) {
    const auto limit = std::chrono::steady_clock::now() + kHealsWithin;
    for (auto outcome = get(tunnel, false); outcome.end != End::answered; outcome = get(tunnel, false)) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << "does not heal: " << outcome.what;
      std::this_thread::sleep_for(2ms);  // between two looks, so that the calls of a life are not mostly these
    }
  }

  /// One life of a tunnel in which the nth call fails. Returns which one that was; empty when there were fewer.
  std::string live(const Fault& fault, unsigned nth) {
    const Exempt exempt;
    Tunnel tunnel(*setting);
    arm(fault, nth);
    const auto started = [&] {
      const Exempt counted(false);
      return tunnel.start();
    }();
    if (started) {
      wait_until_served(tunnel);
      visit(tunnel);
    } else {
      EXPECT_NE(started.error(), "");
    }
    calls = calls_counted();
    auto failed = disarm();
    if (started) {
      wait_until_served(tunnel);
      EXPECT_TRUE(visit(tunnel)) << "a request failed after the fault was over";
    }
    return failed;
  }

  static std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  static Setting* setting;
  unsigned calls = 0;
};

Setting* EveryCall::setting = nullptr;

TEST_P(EveryCall, MayFail) {
  const Fault& fault = GetParam();
  const bool thorough = std::getenv("ADIT_LONG") != nullptr;
  ASSERT_EQ(live(fault, ~0U), "");
  const auto descriptors = open_descriptors();
  const unsigned step = thorough ? 1 : std::max(1U, calls / 40);
  unsigned injected = 0;
  unsigned nth = 1;
  while (!HasFailure()) {
    const auto failed = live(fault, nth);
    if (failed.empty()) break;
    ASSERT_EQ(open_descriptors(), descriptors) << "descriptors leak";
    ASSERT_FALSE(HasFailure()) << "call " << nth << " of " << calls << ", " << failed << ": " << fault.name;
    ++injected;
    nth += step;
  }
  std::cout << fault.name << ": " << injected << " faults, in a run of " << calls << " calls\n";
  EXPECT_GT(injected, 0U);
}

INSTANTIATE_TEST_SUITE_P(Fault, EveryCall, testing::ValuesIn(kFaults),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace adit::test
