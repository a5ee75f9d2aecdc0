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

LinkDirectory::Entry entry_of(std::uint64_t id, link::InstanceKey instance, std::vector<std::string> services,
                              std::vector<ServiceDown> down = {}) {
  auto made = entry(id, "a", std::move(services));
  made.link->instance_key = instance;
  made.down = std::move(down);
  return made;
}

TEST(OwnPresence, NamesInstances) {
  OwnPresence presence;
  const auto two_links = {entry_of(1, 11, {"web"}), entry_of(2, 11, {"web"})};
  EXPECT_THAT(presence.update(two_links), ElementsAre("a"));
  EXPECT_THAT(presence.lines("a"), ElementsAre(link::Presence{"a", {"web"}, false, false, {11}}));
  EXPECT_THAT(presence.update({entry_of(1, 11, {"web"}), entry_of(2, 11, {"web"}), entry_of(3, 12, {"web"})}),
              ElementsAre("a"))
      << "another instance";
  EXPECT_THAT(presence.lines("a"), ElementsAre(link::Presence{"a", {"web"}, false, false, {11, 12}}))
      << "in one line where all offer the same";
  presence.update({entry_of(1, 11, {"web", "api"}), entry_of(2, 12, {"web"})});
  EXPECT_THAT(presence.lines("a"), ElementsAre(link::Presence{"a", {"api", "web"}, false, false},
                                               link::Presence{"a", {"api", "web"}, false, true, {11}},
                                               link::Presence{"a", {"web"}, false, true, {12}}));
}

TEST(OwnPresence, NamesNoInstanceThatIsInTrouble) {
  OwnPresence presence;
  auto suspect = entry_of(1, 11, {"web"});
  suspect.link->state = LinkState::suspect;
  presence.update({suspect, entry_of(2, 12, {"web"}, {{"web", false, "refused"}}), entry_of(3, 13, {"web"})});
  EXPECT_THAT(presence.lines("a"), ElementsAre(link::Presence{"a", {"web"}, false, false, {13}}));
  presence.update({suspect, entry_of(2, 12, {"web"}, {{"web", false, "refused"}})});
  EXPECT_THAT(presence.lines("a"), ElementsAre(link::Presence{"a", {"web"}, false, false}))
      << "it is offered all the same";
}

TEST(OwnPresence, OfManyInstancesSome) {
  OwnPresence presence;
  std::vector<LinkDirectory::Entry> entries;
  for (std::uint64_t i = 1; i <= 1500; ++i) entries.push_back(entry_of(i, i, {"web"}));
  presence.update(entries);
  std::size_t named = 0;
  for (const auto& line : presence.lines("a")) {
    named += line.instances.size();
    EXPECT_LT(link::encode_control(line).size(), link::kMostControlLine);
  }
  EXPECT_EQ(named, 1000U);
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
