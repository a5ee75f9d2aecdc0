#include "connector/transport_choice.h"

#include <string>

#include <gtest/gtest.h>

namespace adit::connector::test {
namespace {

/// Plays dials: "+" comes up, "-" fails so that another transport may work, "x" fails for good, " " begins a dial.
/// Answers the transports that were tried, "u" or "w", with the same blanks.
std::string tried(TransportMode mode, std::string_view play) {
  TransportMemory memory;
  TransportChoice choice(mode, memory);
  const auto letter = [&] { return choice.current() == link::Transport::upgrade ? 'u' : 'w'; };
  std::string all;
  std::size_t at = 0;
  while (at < play.size()) {
    choice.begin();
    while (at < play.size() && play[at] != ' ') {
      all += letter();
      const char what = play[at++];
      if (what == '+') choice.on_up();
      if (what == '+' || !choice.on_failed(what == '-')) break;
    }
    if (at < play.size() && play[at] == ' ') all += play[at++];
  }
  return all;
}

TEST(TransportChoice, TriesInOrder) {
  const struct {
    const char* play;
    const char* tried;
  } cases[] = {
      {"+ + +", "u u u"},          // the upgrade works
      {"-+", "uw"},                // falls back at once
      {"-+ + +", "uw w w"},        // and remembers
      {"x x", "u u"},              // a refused token has nothing to do with it
      {"-x", "uw"},                //
      {"-- --", "uw uw"},          // neither works
      {"-+ x +", "uw w w"},        // a refused token does not make it forget
      {"-+ - +", "uw w u"},        // the WebSocket does not get through any more
      {"-+ - -+ +", "uw w uw w"},  //
      {"+ -+ +", "u uw w"},        // the upgrade worked once
      {"+ x +", "u u u"},
  };
  for (const auto& one : cases) EXPECT_EQ(tried(TransportMode::automatic, one.play), one.tried) << one.play;
}

TEST(TransportChoice, AFixedOneHasNoOther) {
  EXPECT_EQ(tried(TransportMode::upgrade, "- x +"), "u u u");
  EXPECT_EQ(tried(TransportMode::websocket, "- x +"), "w w w");
}

TEST(TransportChoice, SlotsShareWhatIsKnown) {
  TransportMemory memory;
  TransportChoice one(TransportMode::automatic, memory);
  TransportChoice other(TransportMode::automatic, memory);
  one.begin();
  EXPECT_EQ(other.begin(), link::Transport::upgrade);
  ASSERT_TRUE(one.on_failed(true));
  one.on_up();
  EXPECT_EQ(other.begin(), link::Transport::websocket);
}

}  // namespace
}  // namespace adit::connector::test
