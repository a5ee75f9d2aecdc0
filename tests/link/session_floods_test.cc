// Peers that break no rule and still must not go on: floods, and openings that never end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "link/overhead.h"
#include "tests/link/frames.h"
#include "tests/link/pair.h"

namespace adit::link::test {
namespace {

constexpr auto kUnknown = static_cast<FrameType>(0x5a);

std::string of_control(const std::string& line, std::uint32_t stream = 1) { return frame(kData, 0, stream, line); }

/// Frames that break no rule one by one. Each is sent for ever by a peer that reads all that it is answered.
struct Flood {
  const char* name;
  std::string once;
};

/// Both sides: streams 1 (control) and 3 are open, 5 was and is closed.
const Flood kFloods[] = {
    {"empty SETTINGS", frame(kSettings, 0, 0)},
    {"SETTINGS that change something", frame(kSettings, 0, 0, std::string("\0\1", 2) + number(4096))},
    {"SETTINGS that nobody knows", frame(kSettings, 0, 0, std::string("\x5a\x5a", 2) + number(1))},
    {"acknowledgements of SETTINGS", frame(kSettings, kAck, 0)},
    {"PING", frame(kPing, 0, 0, "12345678")},
    {"answers to PING", frame(kPing, kAck, 0, "12345678")},
    {"credit for the connection", frame(kWindow, 0, 0, number(1))},
    {"credit for a stream", frame(kWindow, 0, 3, number(1))},
    {"credit for a stream that is gone", frame(kWindow, 0, 5, number(1))},
    {"priorities", frame(kPriority, 0, 3, number(0) + "x")},
    {"RST_STREAM of a stream that is gone", frame(kRst, 0, 5, number(8))},
    {"unknown types", frame(kUnknown, 0xff, 0)},
    {"unknown types with a payload", frame(kUnknown, 0xff, 3, std::string(16'000, 'x'))},
    {"empty DATA", frame(kData, 0, 3)},
    {"empty DATA of the control stream", frame(kData, 0, 1)},
    {"DATA with padding only", frame(kData, 8, 3, std::string("\x08", 1) + std::string(8, '\0'))},
    {"DATA for a stream that is gone", frame(kData, 0, 5, std::string(1000, 'x'))},
    {"unknown control lines", of_control("{\"type\":\"nothing\"}\n")},
    {"offers", of_control("{\"type\":\"offers\",\"services\":[]}\n")},
    {"gateways", of_control("{\"type\":\"gateways\",\"ids\":[],\"count\":1}\n")},
    {"a control line that does not end", of_control(std::string(100, ' '))},
};

/// Sends `once` in packets of a hundred. The link must have ended before 64 MiB; returns what it cost the peer.
std::size_t send_for_ever(End& end, const std::string& once) {
  std::string packet;
  for (int i = 0; i < 100; ++i) packet += once;
  std::size_t sent = 0;
  for (; end.error.empty() && sent < (std::size_t{64} << 20U); sent += packet.size()) {
    end.note(end.session->receive(packet, kStart));
    base::Buffer out;
    if (end.error.empty()) end.note(end.session->produce(out, std::size_t{1} << 30U));
  }
  return sent;
}

TEST(Floods, OfAConnectorEndItsLink) {
  for (const auto& [name, once] : kFloods) {
    SCOPED_TRACE(name);
    std::vector<std::unique_ptr<Recorder>> streams;
    End gateway{Role::gateway, {}, kStart};
    base::Buffer out;
    gateway.note(gateway.session->produce(out, 1U << 20U));
    gateway.note(gateway.session->receive(kHello, kStart));
    gateway.note(gateway.session->produce(out, 1U << 20U));
    gateway.note(gateway.session->receive(frame(kHeaders, kEndHeaders, 1, "\x88"), kStart));
    for (int i = 0; i < 2; ++i) {
      auto& stream = *streams.emplace_back(std::make_unique<Recorder>());
      stream.stream = gateway.session->open({"web", "192.0.2.7:4242", "id"}, stream);
      ASSERT_NE(stream.stream, nullptr);
    }
    gateway.note(gateway.session->produce(out, 1U << 20U));
    gateway.note(gateway.session->receive(frame(kHeaders, kEndHeaders, 3, "\x88") +
                                              frame(kHeaders, kEndHeaders | kEndStream, 5, field(":status", "502")) +
                                              frame(kRst, 0, 5, number(0)),
                                          kStart));
    ASSERT_EQ(gateway.error, "");
    EXPECT_LT(send_for_ever(gateway, once), std::size_t{4} << 20U);
    EXPECT_NE(gateway.error, "");
  }
}

TEST(Floods, OfAGatewayEndItsLink) {
  for (const auto& [name, once] : kFloods) {
    SCOPED_TRACE(name);
    End connector{Role::connector, {}, kStart};
    connector.note(connector.session->receive(kPreface + frame(kSettings, 0, 0) + frame(kSettings, kAck, 0) +
                                                  open_control(1) + connect(3) + connect(5) +
                                                  frame(kRst, 0, 5, number(8)),
                                              kStart));
    base::Buffer out;
    connector.note(connector.session->produce(out, 1U << 20U));
    ASSERT_EQ(connector.error, "");
    EXPECT_LT(send_for_ever(connector, once), std::size_t{4} << 20U);
    EXPECT_NE(connector.error, "");
  }
}

TEST(Floods, NoSecondAnswerIsForFree) {
  for (const auto& block : {field(":status", "103"), std::string("\x88"), field(":status", "103") + field("x", "y")}) {
    Recorder user;
    End gateway{Role::gateway, {}, kStart};
    base::Buffer out;
    gateway.note(gateway.session->produce(out, 1U << 20U));
    gateway.note(gateway.session->receive(kHello, kStart));
    gateway.note(gateway.session->produce(out, 1U << 20U));
    gateway.note(gateway.session->receive(frame(kHeaders, kEndHeaders, 1, "\x88"), kStart));
    user.stream = gateway.session->open({"web", "192.0.2.7:4242", "id"}, user);
    gateway.note(gateway.session->produce(out, 1U << 20U));
    EXPECT_LT(send_for_ever(gateway, frame(kHeaders, kEndHeaders, 3, block)), std::size_t{4} << 20U);
  }
}

TEST(Floods, NamesWhatItWas) {
  End gateway{Role::gateway, {}, kStart};
  base::Buffer out;
  gateway.note(gateway.session->produce(out, 1U << 20U));
  gateway.note(gateway.session->receive(kHello, kStart));
  send_for_ever(gateway, frame(kPing, kAck, 0, "12345678"));
  EXPECT_EQ(gateway.error, "the peer floods the link with frames that carry nothing");
}

/// A link that works is far from the budget: each way in small pieces, streams that come and go, and resets with DATA
/// on its way.
TEST(Floods, WorkIsNone) {
  Pair pair(1ms);
  pair.connector.serve = [](Recorder& recorder) {
    recorder.stream->answer(200, "");
    recorder.filler = 200'000;
  };
  pair.settle();
  for (int i = 0; i < 500; ++i) {
    Recorder* recorder = pair.open();
    recorder->keep = false;
    recorder->filler = 100'000;
    pair.run(4ms);
    if (i % 2 == 0) recorder->stream->reset();
  }
  EXPECT_EQ(pair.gateway.error, "");
  EXPECT_EQ(pair.connector.error, "");
}

TEST(Floods, SmallMessagesAreNone) {
  Pair pair;
  pair.settle();
  Recorder* recorder = pair.open();
  pair.settle();
  for (int i = 0; i < 300'000 && recorder->stream != nullptr; ++i) {
    recorder->send("x");
    pair.settle();
  }
  EXPECT_EQ(recorder->bytes, 300'000U);
  EXPECT_EQ(pair.gateway.error + pair.connector.error, "");
}

TEST(OverheadBudget, TimeGivesBackUpToTheBurst) {
  constexpr auto kBurst = OverheadBudget::kBurst;
  OverheadBudget budget(kStart);
  EXPECT_TRUE(budget.spend(kBurst, kStart));
  EXPECT_FALSE(budget.spend(1, kStart));
  EXPECT_TRUE(budget.spend(OverheadBudget::kPerSecond - 1, kStart + 1s));
  EXPECT_FALSE(budget.spend(1, kStart + 1s));
  EXPECT_TRUE(budget.spend(kBurst, kStart + 1h)) << "an hour is worth a burst";
  EXPECT_FALSE(budget.spend(1, kStart + 1h));
}

TEST(OverheadBudget, WhatWasEarnedIsKept) {
  OverheadBudget budget(kStart);
  budget.earn(5 * OverheadBudget::kBurst);
  EXPECT_TRUE(budget.spend(6 * OverheadBudget::kBurst, kStart + 1h));
}

struct OpeningCase {
  const char* name;
  Role role;
  std::string said;
  const char* why;
};

TEST(Opening, HasItsTime) {
  const std::string settings = frame(kSettings, 0, 0, std::string("\0\x8", 2) + number(1));
  const std::string ack = frame(kSettings, kAck, 0);
  const std::string first = kPreface;
  const OpeningCase cases[] = {
      {"a connector that says nothing", Role::gateway, "", "the peer sent no SETTINGS in time"},
      {"half a frame", Role::gateway, settings.substr(0, 5), "the peer sent no SETTINGS in time"},
      {"no acknowledgement", Role::gateway, settings, "the peer did not acknowledge our SETTINGS in time"},
      {"no control stream", Role::gateway, settings + ack, "the control stream was not opened in time"},
      {"a gateway that says nothing", Role::connector, "", "the peer sent no SETTINGS in time"},
      {"half a preface", Role::connector, first.substr(0, 9), "the peer sent no SETTINGS in time"},
      {"no acknowledgement of the connector's", Role::connector, first + settings,
       "the peer did not acknowledge our SETTINGS in time"},
      {"no control stream from the gateway", Role::connector, first + settings + ack,
       "the control stream was not opened in time"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.name);
    SessionOptions options;
    options.ping_after = 1h;  // signs of life are no opening
    End end{test.role, options, kStart};
    base::Buffer out;
    end.note(end.session->produce(out, 1U << 20U));
    end.note(end.session->receive(test.said, kStart + 9s));
    EXPECT_EQ(end.session->deadline(), kStart + options.open_within);
    EXPECT_TRUE(end.session->on_time(kStart + options.open_within - 1ms));
    ASSERT_EQ(end.error, "");
    end.note(end.session->on_time(kStart + options.open_within));
    EXPECT_EQ(end.error, test.why);
  }
}

TEST(Opening, OnceDoneHasNoDeadline) {
  Pair pair;
  pair.settle();
  for (const End* end : {&pair.gateway, &pair.connector})
    EXPECT_LT(end->session->deadline(), kStart + 6s) << "a PING's";
  pair.run(60s);
  EXPECT_EQ(pair.gateway.error + pair.connector.error, "");
}

}  // namespace
}  // namespace adit::link::test
