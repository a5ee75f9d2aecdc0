// What peers hear of a gateway's own links, and when.

#include "gateway/own_presence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::gateway::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

LinkDirectory::Entry entry(std::uint64_t id, const char* tunnel, std::vector<std::string> services,
                           LinkState state = LinkState::live) {
  auto link = std::make_shared<LinkInfo>();
  link->id = id;
  link->tunnel_id = tunnel;
  link->state = state;
  return {link, std::move(services)};
}

TEST(OwnPresence, TellsWhatChanged) {
  OwnPresence presence;
  const auto one = entry(1, "a", {"web"});
  EXPECT_THAT(presence.update({one}), ElementsAre("a"));
  EXPECT_THAT(presence.update({one}), IsEmpty());
  EXPECT_THAT(presence.update({one, entry(2, "a", {"web"})}), IsEmpty()) << "one link more offers nothing new";
  EXPECT_THAT(presence.update({one}), ElementsAre("a")) << "streams that are idle on the lost one shall go";
  EXPECT_THAT(presence.update({one, entry(3, "a", {"api"}), entry(4, "b", {"web"})}), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(presence.lines("a"), ElementsAre(link::Presence{"a", {"api", "web"}, false, false}));
  EXPECT_THAT(presence.tunnels(), ElementsAre("a", "b"));
  EXPECT_THAT(presence.update({}), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(presence.lines("a"), ElementsAre(link::Presence{"a", {}, false, false}));
}

TEST(OwnPresence, CountsOnlyLinksThatTakeStreams) {
  OwnPresence presence;
  presence.update({entry(1, "a", {"web"}, LinkState::starting), entry(2, "b", {"web"}, LinkState::over),
                   entry(3, "c", {"web"}, LinkState::suspect), entry(4, "d", {"web"}, LinkState::suspect),
                   entry(5, "d", {"web"})});
  EXPECT_THAT(presence.tunnels(), ElementsAre("c", "d"));
  EXPECT_TRUE(presence.lines("c")[0].suspect);
  EXPECT_FALSE(presence.lines("d")[0].suspect) << "one of two is live";
}

TEST(OwnPresence, TellsOfDoubtAndItsEnd) {
  OwnPresence presence;
  const auto link = entry(1, "a", {"web"});
  presence.update({link});
  link.link->state = LinkState::suspect;
  EXPECT_THAT(presence.update({link}), ElementsAre("a"));
  link.link->state = LinkState::live;
  EXPECT_THAT(presence.update({link}), ElementsAre("a"));
}

TEST(OwnPresence, SplitsWhatHasNoRoomInALine) {
  std::vector<std::string> services;
  for (int i = 0; i < 1050; ++i) services.push_back(std::string(240, 'x') + std::to_string(i));
  OwnPresence presence;
  presence.update({entry(1, "a", services)});
  const auto lines = presence.lines("a");
  EXPECT_GT(lines.size(), 2U);
  std::size_t count = 0;
  for (const auto& line : lines) {
    EXPECT_EQ(line.adds, &line != &lines.front());
    const auto text = link::encode_control(line);
    EXPECT_LE(text.size(), link::kMostControlLine);
    EXPECT_TRUE(link::decode_control(std::string_view(text).substr(0, text.size() - 1)));
    count += line.services.size();
  }
  EXPECT_EQ(count, services.size());
}

// Else one tenant's connectors could end the links between gateways for all.
TEST(OwnPresence, LeavesOutWhatIsTooMuchForOneTunnel) {
  std::vector<std::string> services;
  for (int i = 0; i < 10'000; ++i) services.push_back(std::string(240, 'x') + std::to_string(i));
  OwnPresence presence;
  presence.update({entry(1, "a", services)});
  std::size_t text = 0;
  for (const auto& line : presence.lines("a")) text += link::encode_control(line).size();
  EXPECT_LT(text, 300'000U);
  EXPECT_GT(text, 200'000U);
}

}  // namespace
}  // namespace adit::gateway::test
