// Frames of a WebSocket, and how one is ended from the middle.

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/web_socket_ending.h"
#include "http/web_socket_frames.h"

namespace adit::http {
namespace {

std::span<const char> span_of(std::string_view text) { return {text.data(), text.size()}; }

std::string hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

struct FramesCase {
  const char* name;
  std::string bytes;
  bool at_boundary;
  bool closed;
  bool lost = false;
};

const FramesCase kFrames[] = {
    {"nothing", "", true, false},
    {"half a head", hex("81"), false, false},
    {"an empty frame", hex("8100"), true, false},
    {"an empty masked frame", hex("8180") + "mask", true, false},
    {"its mask is not whole", hex("8180") + "mas", false, false},
    {"125 bytes", hex("817d") + std::string(125, 'x'), true, false},
    {"125 bytes but one", hex("817d") + std::string(124, 'x'), false, false},
    {"126 bytes", hex("827e007e") + std::string(126, 'x'), true, false},
    {"a length of 16 bits, cut", hex("827e00"), false, false},
    {"a short length in 16 bits", hex("827e0001") + "x", true, false},
    {"65535 masked bytes", hex("82feffff") + "mask" + std::string(65535, 'x'), true, false},
    {"65536 bytes", hex("827f0000000000010000") + std::string(65536, 'x'), true, false},
    {"a length of 64 bits, cut", hex("827f000000000001"), false, false},
    {"a long frame, its beginning", hex("827f0000ffffffffffff") + std::string(100'000, 'x'), false, false},
    {"the longest frame, its beginning", hex("827f7fffffffffffffff") + "x", false, false},
    {"a length that cannot be", hex("827f8000000000000000") + "x", false, false, true},
    {"after it nothing is known", hex("827f8000000000000000") + hex("8100"), false, false, true},
    {"a compressed message", hex("c103") + "abc", true, false},
    {"within a fragmented message", hex("0103") + "abc" + hex("0001") + "d", true, false},
    {"a ping within a message", hex("0103") + "abc" + hex("8900"), true, false},
    {"payload that looks like Close", hex("82048800") + hex("8800"), true, false},
    {"a Close without a code", hex("8800"), true, true},
    {"a Close with a code", hex("880203e9"), true, true},
    {"a Close, cut", hex("880203"), false, false},
    {"a masked Close", hex("8882") + "mask" + "xx", true, true},
    {"a masked Close without a code", hex("8880") + "mask", true, true},
    {"a Close and more", hex("88008100"), true, true},
};

TEST(WebSocketFrames, HoweverTheyAreCut) {
  for (const auto& test : kFrames) {
    SCOPED_TRACE(test.name);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1} << 20U}) {
      if (piece < 7 && test.bytes.size() > 10'000) continue;
      WebSocketFrames frames;
      for (std::size_t at = 0; at < test.bytes.size(); at += piece) {
        const auto bytes = span_of(std::string_view(test.bytes).substr(at, piece));
        EXPECT_EQ(frames.pass(bytes), bytes.size());
      }
      EXPECT_EQ(frames.at_boundary(), test.at_boundary) << "pieces of " << piece;
      EXPECT_EQ(frames.closed(), test.closed) << "pieces of " << piece;
      EXPECT_EQ(frames.lost(), test.lost) << "pieces of " << piece;
    }
  }
}

TEST(WebSocketFrames, StopAtTheNextBoundary) {
  WebSocketFrames frames;
  EXPECT_EQ(frames.pass(span_of(hex("8103")), true), 0U) << "none is under way";
  frames.pass(span_of(hex("8103")));
  EXPECT_EQ(frames.pass(span_of("a"), true), 1U);
  EXPECT_EQ(frames.pass(span_of("bc" + hex("8100")), true), 2U);
  EXPECT_TRUE(frames.at_boundary());
  frames.pass(span_of(hex("81")));
  EXPECT_EQ(frames.pass(span_of(hex("008100")), true), 1U) << "a frame whose head was cut";
}

TEST(WebSocketFrames, GoingAway) {
  const auto text = [](const CloseFrame& frame) { return std::string(frame.bytes.data(), frame.size); };
  EXPECT_EQ(text(going_away()), hex("880203e9"));
  EXPECT_EQ(text(going_away(0x01020304)), hex("88820102030402eb"));
}

using End = WebSocketEnding::End;

/// A relay of which we read what each end got.
struct Relay {
  WebSocketEnding ending;
  std::string to_visitor;
  std::string to_service;

  std::string& sent_to(End end) { return end == End::visitor ? to_visitor : to_service; }
  void say(End from, std::string_view bytes) {
    const End to = from == End::visitor ? End::service : End::visitor;
    const auto step = ending.take(from, span_of(bytes));
    sent_to(to) += bytes.substr(0, step.passes);
    if (step.then_close) sent_to(to) += "<close>";
  }
  void end() {
    for (const End to : {End::visitor, End::service}) {
      if (ending.begin(to)) sent_to(to) += "<close>";
    }
  }
};

TEST(WebSocketEnding, UntilItBeginsAllPasses) {
  Relay relay;
  relay.say(End::visitor, "no frames at all, it is not ours to judge");
  relay.say(End::service, hex("8101") + "x" + hex("8800") + "behind its Close");
  EXPECT_EQ(relay.to_service, "no frames at all, it is not ours to judge");
  EXPECT_EQ(relay.to_visitor, hex("8101") + "x" + hex("8800") + "behind its Close");
}

TEST(WebSocketEnding, QuietEndsAreToldAtOnceAndAnswer) {
  Relay relay;
  relay.end();
  EXPECT_EQ(relay.to_visitor, "<close>");
  EXPECT_EQ(relay.to_service, "<close>");
  EXPECT_FALSE(relay.ending.done());
  relay.say(End::visitor, hex("8182") + "maskhi" + hex("8882") + "maskxx");
  EXPECT_FALSE(relay.ending.done()) << "the service has not answered";
  relay.say(End::service, hex("880203e9"));
  EXPECT_TRUE(relay.ending.done());
  relay.say(End::service, hex("8100"));
  EXPECT_EQ(relay.to_visitor, "<close>") << "nothing behind a Close";
  EXPECT_EQ(relay.to_service, "<close>");
}

TEST(WebSocketEnding, AFrameUnderWayIsFinishedFirst) {
  Relay relay;
  relay.say(End::service, hex("8105") + "he");
  relay.end();
  EXPECT_EQ(relay.to_visitor, hex("8105") + "he");
  EXPECT_FALSE(relay.ending.told(End::visitor));
  relay.say(End::service, "ll");
  relay.say(End::service, "o" + hex("8101") + "x");
  EXPECT_EQ(relay.to_visitor, hex("8105") + "hello<close>");
  EXPECT_TRUE(relay.ending.told(End::visitor));
  relay.say(End::service, hex("8800"));
  relay.say(End::visitor, hex("8880") + "mask");
  EXPECT_TRUE(relay.ending.done());
}

TEST(WebSocketEnding, AFragmentedMessageIsCutBetweenItsFrames) {
  Relay relay;
  relay.say(End::service, hex("0101") + "a" + hex("0001") + "b");
  relay.end();
  EXPECT_TRUE(relay.to_visitor.ends_with("b<close>"));
}

TEST(WebSocketEnding, WhoHasClosedByItselfIsNotToldTwice) {
  Relay relay;
  relay.say(End::visitor, hex("8880") + "mask");  // the service has yet to answer
  relay.end();
  EXPECT_EQ(relay.to_service, hex("8880") + "mask") << "it holds the visitor's Close";
  EXPECT_EQ(relay.to_visitor, "<close>");
  relay.say(End::service, hex("8800"));
  EXPECT_TRUE(relay.ending.done());
  EXPECT_EQ(relay.to_visitor, "<close>");
}

TEST(WebSocketEnding, ACloseThatEndsTheFrameUnderWayIsEnough) {
  Relay relay;
  relay.say(End::service, hex("8802"));
  relay.end();
  relay.say(End::service, hex("03e8") + "junk");
  EXPECT_EQ(relay.to_visitor, hex("880203e8"));
  EXPECT_TRUE(relay.ending.told(End::visitor));
}

TEST(WebSocketEnding, WhatIsNoWebSocketIsNeverTold) {
  Relay relay;
  relay.say(End::service, hex("827f8000000000000000"));
  relay.end();
  relay.say(End::service, std::string(100, '\0'));
  EXPECT_FALSE(relay.ending.told(End::visitor));
  EXPECT_FALSE(relay.ending.done());
}

}  // namespace
}  // namespace adit::http
