// What is counted over all workers: tunnels' requests, visitors' connections.

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/connection_limiter.h"
#include "gateway/tunnel_gate.h"

namespace adit::gateway {
namespace {

using std::chrono::milliseconds;
using Gate = TunnelGate::Answer;
using Limiter = ConnectionLimiter::Answer;

const base::TimePoint kStart{std::chrono::seconds(1000)};

TEST(TunnelGateTest, SoManyAtOnce) {
  TunnelGate gate;
  EXPECT_EQ(gate.enter(2, 0, kStart), Gate::admitted);
  EXPECT_EQ(gate.enter(2, 0, kStart), Gate::admitted);
  EXPECT_EQ(gate.enter(2, 0, kStart), Gate::too_many);
  EXPECT_EQ(gate.enter(3, 0, kStart), Gate::admitted) << "a limit that was raised";
  gate.leave();
  gate.leave();
  EXPECT_EQ(gate.enter(2, 0, kStart), Gate::admitted);
  EXPECT_EQ(gate.under_way(), 2U);
}

TEST(TunnelGateTest, SoManyASecond) {
  TunnelGate gate;
  const auto ask = [&](base::TimePoint when) {
    const auto answer = gate.enter(0, 10, when);
    if (answer == Gate::admitted) gate.leave();
    return answer;
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(kStart), Gate::admitted) << i;
  EXPECT_EQ(ask(kStart), Gate::too_fast);
  EXPECT_EQ(ask(kStart + milliseconds(99)), Gate::too_fast);
  EXPECT_EQ(ask(kStart + milliseconds(100)), Gate::admitted);
  EXPECT_EQ(ask(kStart + milliseconds(150)), Gate::too_fast);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(kStart + milliseconds(60'000)), Gate::admitted) << i;
  EXPECT_EQ(ask(kStart + milliseconds(60'000)), Gate::too_fast) << "no more than a second's worth is saved up";
  EXPECT_EQ(gate.under_way(), 0U) << "who is refused holds no place";
}

TEST(TunnelGateTest, ManyThreadsGetNoMoreThanThereIs) {
  TunnelGate gate;
  std::atomic<int> admitted{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        if (gate.enter(0, 500, kStart) == Gate::admitted) ++admitted;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(admitted, 500);
}

TEST(TunnelGatesTest, OneGateForATunnelAsLongAsSomebodyUsesIt) {
  TunnelGates gates;
  auto first = gates.gate("a");
  EXPECT_EQ(gates.gate("a"), first);
  EXPECT_NE(gates.gate("b"), first);
  ASSERT_EQ(first->enter(1, 0, kStart), Gate::admitted);
  {
    const TunnelPlace place(first);
    EXPECT_EQ(gates.gate("a")->enter(1, 0, kStart), Gate::too_many);
  }
  EXPECT_EQ(first->under_way(), 0U);
}

base::IpAddress address(const char* text) { return *base::IpAddress::parse(text); }

TEST(ConnectionLimiterTest, InAll) {
  ConnectionLimiter limiter(2, 0);
  EXPECT_EQ(limiter.enter(address("192.0.2.1")), Limiter::admitted);
  EXPECT_EQ(limiter.enter(address("192.0.2.2")), Limiter::admitted);
  EXPECT_EQ(limiter.enter(address("192.0.2.3")), Limiter::too_many);
  limiter.leave(address("192.0.2.1"));
  EXPECT_EQ(limiter.enter(address("192.0.2.3")), Limiter::admitted);
}

TEST(ConnectionLimiterTest, OfAnAddressOrAnIpv6Network) {
  ConnectionLimiter limiter(0, 1);
  EXPECT_EQ(limiter.enter(address("192.0.2.1")), Limiter::admitted);
  EXPECT_EQ(limiter.enter(address("::ffff:192.0.2.1")), Limiter::too_many_of_address);
  EXPECT_EQ(limiter.enter(address("192.0.2.2")), Limiter::admitted);
  EXPECT_EQ(limiter.enter(address("2001:db8:1:2::1")), Limiter::admitted);
  EXPECT_EQ(limiter.enter(address("2001:db8:1:2:3::9")), Limiter::too_many_of_address);
  EXPECT_EQ(limiter.enter(address("2001:db8:1:3::1")), Limiter::admitted);
  limiter.leave(address("192.0.2.1"));
  EXPECT_EQ(limiter.enter(address("192.0.2.1")), Limiter::admitted);
}

TEST(ConnectionLimiterTest, WhoIsRefusedForItsAddressDoesNotCountInAll) {
  ConnectionLimiter limiter(2, 1);
  EXPECT_EQ(limiter.enter(address("192.0.2.1")), Limiter::admitted);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.enter(address("192.0.2.1")), Limiter::too_many_of_address);
  EXPECT_EQ(limiter.enter(address("192.0.2.2")), Limiter::admitted);
}

}  // namespace
}  // namespace adit::gateway
