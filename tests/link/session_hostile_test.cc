// Peers that break or bend HTTP/2, with frames made by hand (RFC 9113 §4.1).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/link/frames.h"
#include "tests/link/pair.h"

namespace adit::link::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A connector that hears from a gateway made by hand.
class HostileGateway : public testing::Test {
 protected:
  End connector{Role::connector, {}, kStart};
  std::string answer;  // all that the connector wrote
  bool reads = true;

  void SetUp() override {
    send(kPreface + frame(kSettings, 0, 0));
    send(frame(kSettings, kAck, 0));
  }

  /// False once the connector has ended the link.
  bool send(const std::string& bytes) {
    if (!connector.error.empty()) return false;
    connector.note(connector.session->receive(bytes, kStart));
    if (!reads) return connector.error.empty();
    base::Buffer out;
    connector.note(connector.session->produce(out, 1U << 20U));
    answer += out.view();
    return connector.error.empty();
  }

  /// True when the connector wrote a frame of that type on that stream whose payload begins so.
  bool wrote(FrameType type, std::uint32_t stream, std::string_view payload = {}) const {
    for (std::size_t at = 0; at + 9 <= answer.size();) {
      const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(answer[at + i]); };
      const std::size_t size = byte(0) << 16U | byte(1) << 8U | byte(2);
      const std::string_view held = std::string_view(answer).substr(at + 9, size);
      if (byte(3) == type && std::string_view(answer).substr(at + 5, 4) == number(stream) &&
          held.substr(0, payload.size()) == payload) {
        return true;
      }
      at += 9 + size;
    }
    return false;
  }
};

TEST_F(HostileGateway, WithoutPrefaceIsToldSo) {
  End other{Role::connector, {}, kStart};
  other.note(other.session->receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n", kStart));
  EXPECT_THAT(other.error, HasSubstr("the peer broke HTTP/2"));
}

TEST_F(HostileGateway, FramesThatEndTheLink) {
  const std::pair<const char*, std::string> cases[] = {
      {"DATA on an idle stream", frame(kData, 0, 5, "x")},
      {"DATA on stream 0", frame(kData, 0, 0, "x")},
      {"HEADERS on an even stream", connect(2)},
      {"WINDOW_UPDATE on an idle stream", frame(kWindow, 0, 7, number(1))},
      {"WINDOW_UPDATE beyond 2^31-1", frame(kWindow, 0, 0, number(0x7fffffff))},
      {"RST_STREAM on an idle stream", frame(kRst, 0, 9, number(8))},
      {"RST_STREAM of a wrong length", connect(1) + frame(kRst, 0, 1, "xyz")},
      {"SETTINGS of a wrong length", frame(kSettings, 0, 0, "12345")},
      {"SETTINGS with a bad frame size", frame(kSettings, 0, 0, std::string("\0\5", 2) + number(1))},
      {"PUSH_PROMISE from a client", frame(kPush, kEndHeaders, 1, number(2))},
      {"PING of a wrong length", frame(kPing, 0, 0, "1234567")},
      {"CONTINUATION without HEADERS", frame(kContinuation, kEndHeaders, 1)},
      {"a frame amid a header block",
       frame(kHeaders, 0, 1, field(":method", "CONNECT")) + frame(kPing, 0, 0, "12345678")},
      {"a frame larger than allowed", std::string("\x02\x00\x00\x00\x00\x00\x00\x00\x01", 9)},
      {"HPACK that can't be decoded", frame(kHeaders, kEndHeaders, 1, "\xff\xff\xff\xff\xff\xff")},
      {"GOAWAY with an error", frame(kGoaway, 0, 0, number(0) + number(2) + "be\ngone")},
      {"the control stream ended", open_control(1) + frame(kData, kEndStream, 1)},
      {"the control stream reset", open_control(1) + frame(kRst, 0, 1, number(8))},
      {"a control line that is not JSON", open_control(1) + frame(kData, 0, 1, "nonsense\n")},
      {"more than the connection's window",
       open_control(1) + frame(kData, 0, 1, std::string(60'000, 'x')) + frame(kData, 0, 1, std::string(60'000, 'x'))},
  };
  for (const auto& [what, bytes] : cases) {
    End other{Role::connector, {}, kStart};
    const std::string all = kPreface + frame(kSettings, 0, 0) + bytes;
    other.note(other.session->receive(all, kStart));
    base::Buffer out;
    other.note(other.session->produce(out, 1U << 20U));
    EXPECT_NE(other.error, "") << what;
    EXPECT_EQ(other.error.find_first_of("\r\n"), std::string::npos) << what;
    EXPECT_FALSE(other.session->receive(frame(kPing, 0, 0, "12345678"), kStart)) << "an error is final: " << what;
    EXPECT_EQ(other.session->deadline(), base::kNever) << what;
  }
}

TEST_F(HostileGateway, ErrorNamesWhatWasWrong) {
  EXPECT_FALSE(send(frame(kGoaway, 0, 0, number(0) + number(2) + "be\ngone")));
  EXPECT_EQ(connector.error, "the peer ended the link: INTERNAL_ERROR (be?gone)");
}

TEST_F(HostileGateway, SecondControlStreamIsRefused) {
  EXPECT_TRUE(send(open_control(1)));
  EXPECT_TRUE(send(open_control(3)));
  EXPECT_TRUE(wrote(kRst, 3, number(0)));
  EXPECT_TRUE(send(frame(kData, 0, 1, "{\"type\":\"leaving\",\"reason\":\"\"}\n"))) << "the first one still stands";
  EXPECT_EQ(connector.control.size(), 1U);
}

TEST_F(HostileGateway, OtherRequestsAreRefused) {
  EXPECT_TRUE(send(open_control(1, "websocket")));
  EXPECT_TRUE(send(
      frame(kHeaders, kEndHeaders | kEndStream, 3,
            field(":method", "GET") + field(":scheme", "https") + field(":authority", "a") + field(":path", "/"))));
  EXPECT_TRUE(wrote(kRst, 1, number(0)));
  EXPECT_TRUE(wrote(kHeaders, 3));
  EXPECT_TRUE(connector.served.empty());
}

TEST_F(HostileGateway, BytesBeforeTheAnswerResetTheStream) {
  connector.serve = [](Recorder&) {};
  EXPECT_TRUE(send(connect(1) + frame(kData, 0, 1, "too early") + frame(kData, 0, 1, "and more")));
  EXPECT_THAT(connector.served.at(0)->closed, ElementsAre(Closed::reset));
  EXPECT_EQ(connector.served.at(0)->bytes, 0U);
  EXPECT_TRUE(wrote(kRst, 1, number(1)));
}

TEST_F(HostileGateway, TooLargeAHeadResetsTheStreamOnly) {
  std::string block = field(":method", "CONNECT") + field(":authority", "default");
  while (block.size() < 17'000) block += field("x", std::string(120, 'x'));
  EXPECT_TRUE(send(frame(kHeaders, kEndHeaders, 1, block)));
  EXPECT_TRUE(connector.served.empty());
  EXPECT_TRUE(wrote(kRst, 1));
  EXPECT_TRUE(send(connect(3)));
  EXPECT_EQ(connector.served.size(), 1U);
}

TEST_F(HostileGateway, StreamsBeyondTheLimitAreNotServed) {
  connector.serve = [](Recorder&) {};
  for (std::uint32_t id = 1; id < 60'000 && send(connect(id)); id += 2) {
  }
  EXPECT_LE(connector.served.size(), SessionOptions{}.most_streams);
}

/// Does that up to `most` times; the link must end before.
void flood(const std::function<bool()>& once, std::size_t most) {
  std::size_t sent = 0;
  while (sent < most && once()) ++sent;
  EXPECT_LT(sent, most) << "the flood was never stopped";
}

TEST_F(HostileGateway, FloodsOfASilentReaderEndTheLink) {
  reads = false;
  const auto ping = frame(kPing, 0, 0, "12345678");
  flood([&] { return send(ping); }, 20'000);
  EXPECT_THAT(connector.error, HasSubstr("the peer broke HTTP/2"));
}

TEST_F(HostileGateway, SettingsFloodEndsTheLink) {
  reads = false;
  flood([&] { return send(frame(kSettings, 0, 0)); }, 20'000);
}

TEST_F(HostileGateway, RefusalsForASilentReaderEndTheLink) {
  reads = false;
  std::uint32_t id = 1;
  // Each is refused by two frames that wait; the peer resets them, so that its streams never run out.
  const auto refused_and_reset = [&] {
    const auto stream = std::exchange(id, id + 2);
    return send(open_control(stream, "nonsense") + frame(kRst, 0, stream, number(8)));
  };
  flood(refused_and_reset, 200'000);
}

TEST_F(HostileGateway, RapidResetIsBounded) {
  connector.serve = [](Recorder&) {};
  std::uint32_t id = 1;
  const auto opened_and_reset = [&] {
    connector.served.clear();
    const auto stream = std::exchange(id, id + 2);
    return send(connect(stream) + frame(kRst, 0, stream, number(8)));
  };
  flood(opened_and_reset, 2'000'000);
}

TEST_F(HostileGateway, ContinuationFloodEndsTheLink) {
  send(frame(kHeaders, 0, 1, field(":method", "CONNECT")));
  flood([&] { return send(frame(kContinuation, 0, 1)); }, 1000);
  EXPECT_THAT(connector.error, HasSubstr("CONTINUATION"));
}

TEST_F(HostileGateway, EndlessHeaderBlockEndsTheLink) {
  std::string block;
  while (block.size() < 60'000) block += field("x", std::string(120, 'x'));
  send(frame(kHeaders, 0, 1, block));
  flood([&] { return send(frame(kContinuation, 0, 1, block)); }, 10);
}

/// A gateway that hears from a connector made by hand.
TEST(HostileConnector, FramesThatEndTheLink) {
  const std::string& hello = kHello;
  const std::string ok = frame(kHeaders, kEndHeaders, 1, "\x88");
  const std::string bomb = [] {  // fields of 4 KiB that cost a byte each (RFC 7541 §2.3.2)
    const std::string block = std::string("\x40\x01x\x7f\xe0\x1e", 6) + std::string(4063, 'y');
    return block + std::string(60'000, '\xbe');
  }();
  const std::pair<const char*, std::string> cases[] = {
      {"SETTINGS without extended CONNECT", frame(kSettings, 0, 0)},
      {"an answer for a stream never opened", hello + frame(kHeaders, kEndHeaders, 5, "\x88")},
      {"a stream of the connector's own", hello + frame(kHeaders, kEndHeaders, 2, "\x88")},
      {"a push", hello + ok + frame(kPush, kEndHeaders, 1, number(2))},
      {"DATA before the answer", hello + frame(kData, 0, 1, "{}\n")},
      {"the control stream refused", hello + frame(kHeaders, kEndHeaders | kEndStream, 1, field(":status", "404"))},
      {"the control stream ended", hello + ok + frame(kData, kEndStream, 1)},
      {"a giant control line",
       hello + ok + frame(kData, 0, 1, std::string(60'000, ' ')) + frame(kData, 0, 1, std::string(5'536, ' '))},
      {"credit beyond 2^31-1", hello + frame(kWindow, 0, 0, number(0x7fffffff))},
      {"credit of nothing", hello + frame(kWindow, 0, 0, number(0))},
      {"credit for a stream never opened", hello + frame(kWindow, 0, 7, number(1))},
      {"RST_STREAM of a stream never opened", hello + frame(kRst, 0, 7, number(8))},
      {"DATA of a stream never opened", hello + ok + frame(kData, 0, 7, "x")},
      {"a header block in too many pieces", hello + frame(kHeaders, 0, 1, "\x88") +
                                                [] {
                                                  std::string all;
                                                  for (int i = 0; i < 20; ++i) all += frame(kContinuation, 0, 1);
                                                  return all;
                                                }()},
      {"a header block that expands", hello + frame(kHeaders, 0, 1, bomb) +
                                          frame(kContinuation, 0, 1, bomb.substr(bomb.size() - 60'000)) +
                                          frame(kContinuation, kEndHeaders, 1, "\x88")},
      {"a GOAWAY with an error", hello + ok + frame(kGoaway, 0, 0, number(0) + number(11) + "calm down")},
      {"a window that goes below zero by SETTINGS, and past the end",
       hello + ok + frame(kWindow, 0, 1, number(0x7fff0000)) +
           frame(kSettings, 0, 0, std::string("\0\4", 2) + number(0x7fffffff))},
      {"first something else than SETTINGS", frame(kPing, 0, 0, "12345678")},
      {"HTTP/1.1", "HTTP/1.1 400 Bad Request\r\n\r\n"},
  };
  for (const auto& [what, bytes] : cases) {
    End gateway{Role::gateway, {}, kStart};
    base::Buffer out;
    gateway.note(gateway.session->produce(out, 1U << 20U));
    std::string_view rest = bytes;
    while (!rest.empty() && gateway.error.empty()) {  // frame by frame as TCP might bring them
      const auto piece = rest.substr(0, 16);
      rest.remove_prefix(piece.size());
      gateway.note(gateway.session->receive(piece, kStart));
      gateway.note(gateway.session->produce(out, 1U << 30U));
    }
    EXPECT_NE(gateway.error, "") << what;
  }
}

TEST(HostileConnector, UninvitedPingAnswersChangeNothing) {
  Pair pair(10ms);
  pair.settle();
  pair.gateway.note(pair.gateway.session->receive(frame(kPing, kAck, 0, "12345678"), pair.now));
  EXPECT_EQ(pair.gateway.session->stats().round_trip, 20ms);
  EXPECT_EQ(pair.gateway.error, "");
}

}  // namespace
}  // namespace adit::link::test
