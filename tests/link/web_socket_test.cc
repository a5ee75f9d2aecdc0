#include "link/web_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::link {
namespace {

using testing::HasSubstr;

constexpr unsigned kFin = 0x80;
constexpr unsigned kBinary = 2;
constexpr unsigned kClose = 8;
constexpr unsigned kPing = 9;
constexpr unsigned kPong = 10;
constexpr bool kUnmasked = false;

/// A frame as a client writes it, or as a server when it is not masked.
std::string frame(unsigned first, std::string_view payload, bool masked = true) {
  std::string bytes(1, static_cast<char>(first));
  const unsigned mask_bit = masked ? 0x80U : 0U;
  if (payload.size() < 126) {
    bytes += static_cast<char>(mask_bit | payload.size());
  } else {
    bytes += static_cast<char>(mask_bit | 126U);
    bytes += {static_cast<char>(payload.size() >> 8U), static_cast<char>(payload.size() & 0xffU)};
  }
  if (!masked) return bytes.append(payload);
  const std::string key = "\x01\x80\xff\x33";
  bytes += key;
  for (std::size_t i = 0; i < payload.size(); ++i) bytes += static_cast<char>(payload[i] ^ key[i % 4]);
  return bytes;
}

std::string close_frame(unsigned code, std::string_view reason = {}) {
  const std::string payload{static_cast<char>(code >> 8U), static_cast<char>(code & 0xffU)};
  return frame(kFin | kClose, payload + std::string(reason));
}

/// One end with what it was given and what it gave.
struct End {
  explicit End(WebSocketEnd end = WebSocketEnd::server) : socket(end, random) {}

  /// The reason why `bytes` are refused; empty: they are not.
  std::string take(std::string_view bytes) {
    const auto taken = socket.receive(bytes, plain, out);
    return taken ? "" : taken.error();
  }
  void send(std::string_view bytes) {
    base::Buffer buffer;
    buffer.append(bytes);
    socket.send(buffer, out);
    EXPECT_TRUE(buffer.empty());
  }
  std::string sent() {
    std::string bytes(out.view());
    out.clear();
    return bytes;
  }
  std::string received() {
    std::string bytes(plain.view());
    plain.clear();
    return bytes;
  }

  base::Random random{7};
  base::Buffer plain;
  base::Buffer out;
  WebSocket socket;
};

TEST(WebSocket, BytesArriveAsSentInBothDirections) {
  End client(WebSocketEnd::client);
  End server;
  for (const std::size_t size : {0, 1, 125, 126, 4095, 4096, 4097, 65535, 65536, 131072, 131073, 1000000}) {
    std::string bytes(size, '\0');
    for (auto& c : bytes) c = static_cast<char>(client.random());
    for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
      from->send(bytes);
      ASSERT_EQ(to->take(from->sent()), "") << size;
      EXPECT_EQ(to->received(), bytes) << size;
      EXPECT_TRUE(to->out.empty());
    }
  }
}

TEST(WebSocket, OnlyTheClientMasks) {
  End client(WebSocketEnd::client);
  End server;
  const std::string text = "these bytes are not to be seen by a proxy that understands them";
  client.send(text);
  const auto masked = client.sent();
  EXPECT_THAT(masked, testing::Not(HasSubstr(text.substr(0, 8))));
  client.send(text);
  EXPECT_NE(client.sent(), masked) << "a mask for each frame (RFC 6455 §5.3)";
  server.send(text);
  EXPECT_EQ(server.sent(), frame(kFin | kBinary, text, kUnmasked));
}

TEST(WebSocket, IsReadWhereverItIsCut) {
  const std::string bytes = frame(kBinary, "one ") + frame(kFin | kPing, "?") + frame(0, "") +
                            frame(kFin, std::string(200, 'x')) + frame(kFin | kPong, "unasked") +
                            frame(kFin | kBinary, "") + close_frame(1001, "going");
  End whole;
  ASSERT_EQ(whole.take(bytes), "");
  const auto plain = whole.received();
  const auto answers = whole.sent();
  EXPECT_EQ(plain, "one " + std::string(200, 'x'));
  EXPECT_EQ(answers, frame(kFin | kPong, "?", kUnmasked) + frame(kFin | kClose, "\x03\xe9", kUnmasked));
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    End end;
    EXPECT_EQ(end.take(std::string_view(bytes).substr(0, cut)), "") << cut;
    EXPECT_EQ(end.take(std::string_view(bytes).substr(cut)), "") << cut;
    EXPECT_EQ(end.received(), plain) << cut;
    EXPECT_EQ(end.sent(), answers) << cut;
    EXPECT_TRUE(end.socket.peer_closed());
    EXPECT_EQ(end.socket.peer_reason(), "1001 going");
  }
}

TEST(WebSocket, WhatBreaksTheProtocolEndsIt) {
  struct Case {
    const char* what;
    std::string bytes;
    const char* reason;
    const char* code;  ///< of our Close
  };
  const std::string huge("\x82\xff\x80\0\0\0\0\0\0\0mask", 14);
  const Case cases[] = {
      {"unmasked", frame(kFin | kBinary, "x", kUnmasked), "a client's frame is not masked", "\x03\xea"},
      {"unmasked ping", frame(kFin | kPing, "", kUnmasked), "a client's frame is not masked", "\x03\xea"},
      {"RSV1", frame(kFin | 0x40U | kBinary, "x"), "a reserved bit is set", "\x03\xea"},
      {"RSV2", frame(kFin | 0x20U | kBinary, "x"), "a reserved bit is set", "\x03\xea"},
      {"RSV3", frame(kFin | 0x10U | kPing, "x"), "a reserved bit is set", "\x03\xea"},
      {"text", frame(kFin | 1U, "hello"), "a text message", "\x03\xeb"},
      {"opcode 3", frame(kFin | 3U, "x"), "an unknown opcode", "\x03\xea"},
      {"opcode 7", frame(kFin | 7U, ""), "an unknown opcode", "\x03\xea"},
      {"opcode 11", frame(kFin | 11U, "x"), "an unknown opcode", "\x03\xea"},
      {"opcode 15", frame(kFin | 15U, ""), "an unknown opcode", "\x03\xea"},
      {"continuation of nothing", frame(kFin, "x"), "a continuation without a message", "\x03\xea"},
      {"continuation after the end", frame(kFin | kBinary, "x") + frame(0, "y"), "a continuation without", "\x03\xea"},
      {"message within a message", frame(kBinary, "x") + frame(kFin | kBinary, "y"), "within another", "\x03\xea"},
      {"fragmented ping", frame(kPing, "x"), "malformed", "\x03\xea"},
      {"fragmented close", frame(kClose, ""), "malformed", "\x03\xea"},
      {"ping of 126", frame(kFin | kPing, std::string(126, 'x')), "malformed", "\x03\xea"},
      {"close of 126", frame(kFin | kClose, "\x03\xe8" + std::string(124, 'x')), "malformed", "\x03\xea"},
      {"2^63 bytes", huge, "malformed", "\x03\xea"},
      {"length of 5 in 2 bytes", std::string("\x82\xfe\x00\x05mask12345", 13), "malformed", "\x03\xea"},
      {"length of 5 in 8 bytes", std::string("\x82\xff\0\0\0\0\0\0\0\x05mask12345", 19), "malformed", "\x03\xea"},
      {"half a code", frame(kFin | kClose, "\x03"), "half a code", "\x03\xea"},
      {"code 999", close_frame(999), "may not be sent", "\x03\xea"},
      {"code 1004", close_frame(1004), "may not be sent", "\x03\xea"},
      {"code 1005", close_frame(1005), "may not be sent", "\x03\xea"},
      {"code 1006", close_frame(1006), "may not be sent", "\x03\xea"},
      {"code 1015", close_frame(1015), "may not be sent", "\x03\xea"},
      {"code 2999", close_frame(2999), "may not be sent", "\x03\xea"},
      {"code 5000", close_frame(5000), "may not be sent", "\x03\xea"},
      {"reason with a lone byte", close_frame(1000, "\xff"), "not UTF-8", "\x03\xef"},
      {"reason cut short", close_frame(1000, "\xe2\x82"), "not UTF-8", "\x03\xef"},
      {"reason with a surrogate", close_frame(1000, "\xed\xa0\x80"), "not UTF-8", "\x03\xef"},
  };
  for (const auto& c : cases) {
    End end;
    const auto reason = end.take(c.bytes);
    EXPECT_THAT(reason, HasSubstr("the peer broke WebSocket: ")) << c.what;
    EXPECT_THAT(reason, HasSubstr(c.reason)) << c.what;
    const auto said = end.sent();
    ASSERT_GE(said.size(), 4U) << c.what;
    EXPECT_EQ(said.substr(0, 1), "\x88") << c.what << ": a Close";
    EXPECT_EQ(said.substr(2, 2), c.code) << c.what;
    EXPECT_EQ(end.take(frame(kFin | kBinary, "more")), reason) << c.what << ": final";
    end.send("more");
    EXPECT_TRUE(end.plain.empty() || end.received() == "x") << c.what;
    EXPECT_EQ(end.sent(), "") << c.what << ": nothing behind the Close";
  }
}

TEST(WebSocket, AServersFrameIsNotMasked) {
  End client(WebSocketEnd::client);
  EXPECT_THAT(client.take(frame(kFin | kBinary, "x")), HasSubstr("a server's frame is masked"));
}

TEST(WebSocket, TakesALengthThatWillNeverCome) {
  End end;
  const std::string header("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14);  // 2^63 - 1
  EXPECT_EQ(end.take(header + "abc"), "");
  EXPECT_EQ(end.received(), "abc");
  EXPECT_LT(end.plain.capacity(), 100'000U) << "memory is taken for what came, not for what was said";
}

TEST(WebSocket, CloseIsAnsweredOnceAndEndsBoth) {
  struct Case {
    std::string bytes;
    std::string answer;
    const char* reason;
  };
  const Case cases[] = {
      {frame(kFin | kClose, ""), frame(kFin | kClose, "", kUnmasked), ""},
      {close_frame(1000), frame(kFin | kClose, "\x03\xe8", kUnmasked), "1000"},
      {close_frame(1014, "bye"), frame(kFin | kClose, "\x03\xf6", kUnmasked), "1014 bye"},
      {close_frame(3000), frame(kFin | kClose, "\x0b\xb8", kUnmasked), "3000"},
      {close_frame(4999, std::string(123, 'x')), frame(kFin | kClose, "\x13\x87", kUnmasked), "4999 xxx"},
  };
  for (const auto& c : cases) {
    End end;
    EXPECT_EQ(end.take(c.bytes + "what comes behind it is not read"), "");
    EXPECT_TRUE(end.socket.peer_closed());
    EXPECT_THAT(std::string(end.socket.peer_reason()), testing::StartsWith(c.reason));
    EXPECT_EQ(end.sent(), c.answer) << c.reason;
    end.send("late");
    end.socket.close(1000, {}, end.out);
    EXPECT_EQ(end.sent(), "") << c.reason;
  }
}

TEST(WebSocket, OurCloseNeedsNoAnswerOfOurs) {
  End end;
  end.socket.close(1001, "the gateway is leaving", end.out);
  EXPECT_EQ(end.sent(), frame(kFin | kClose, "\x03\xe9the gateway is leaving", kUnmasked));
  EXPECT_EQ(end.take(frame(kFin | kPing, "?") + close_frame(1001)), "");
  EXPECT_TRUE(end.socket.peer_closed());
  EXPECT_EQ(end.sent(), "");
}

TEST(WebSocket, PingsThatAreNotReadEndIt) {
  End end;
  const auto pings = [] {
    std::string bytes;
    for (int i = 0; i < 1000; ++i) bytes += frame(kFin | kPing, std::string(125, 'p'));
    return bytes;
  }();
  // Who reads the answers may go on for ever.
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(end.take(pings), "");
    ASSERT_EQ(end.sent().size(), 1000 * 127U);
  }
  std::string reason;
  for (int i = 0; i < 20 && reason.empty(); ++i) reason = end.take(pings);
  EXPECT_THAT(reason, HasSubstr("it sends pings and does not read"));
  EXPECT_LT(end.out.size(), 2'000'000U);
}

}  // namespace
}  // namespace adit::link
