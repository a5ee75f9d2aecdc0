#include "link/dial_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::link {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DialPlaces, RememberWhatWasMetWhere) {
  DialPlaces places(2);
  EXPECT_TRUE(places.is_unknown(0));
  places.on_up(0, {{"1", "2"}, {"1"}}, "gw-a", true);
  EXPECT_FALSE(places.is_unknown(0));
  EXPECT_TRUE(places.leads_to(0, {"gw-a", "gw-x"}));
  EXPECT_FALSE(places.leads_to(1, {"gw-a"}));
  EXPECT_EQ(places.met(), GatewayIds{"gw-a"});
  EXPECT_THAT(places.unexplored(0), ElementsAre("2"));
  EXPECT_THAT(places.unexplored(1), IsEmpty()) << "nothing is known there at all";
  EXPECT_THAT(places.spots_of(0, {"gw-a"}), ElementsAre("1"));
  places.on_up(0, {{"1", "2"}, {"1", "2"}}, "gw-b", true);
  EXPECT_THAT(places.spots_of(0, {"gw-a"}), ElementsAre("1"));
  places.on_up(0, {{"1", "2"}, {"1"}}, "gw-b", true);
  EXPECT_EQ(places.met(), GatewayIds{"gw-b"}) << "another gateway is there now";
}

TEST(DialPlaces, ForgetAddressesThatANameHasNoMore) {
  DialPlaces places(1);
  places.on_up(0, {{"1", "2"}, {"1"}}, "gw-a", true);
  places.on_failed(0, {{"2", "3"}, {"2"}});
  EXPECT_THAT(places.met(), IsEmpty());
  EXPECT_TRUE(places.is_unknown(0));
  places.on_up(0, {{"2", "3"}, {"3"}}, "gw-b", true);
  places.on_failed(0, {});  // the name was not found
  EXPECT_EQ(places.met(), GatewayIds{"gw-b"});
}

TEST(DialPlaces, GiveUpOnASpotWhereNobodyIs) {
  DialPlaces places(1);
  places.on_up(0, {{"1", "2"}, {"1"}}, "gw-a", true);
  for (unsigned i = 0; i < DialPlaces::kMostTries; ++i) {
    EXPECT_THAT(places.unexplored(0), ElementsAre("2")) << i;
    places.on_failed(0, {{"1", "2"}, {"2"}});
  }
  EXPECT_THAT(places.unexplored(0), IsEmpty());
}

TEST(DialPlaces, LookWhereAGatewayIsLikeliest) {
  enum Address { kFixed, kBalancer, kDead };
  DialPlaces places(3);
  places.on_up(kFixed, {{}, {"1"}}, "gw-a", true);
  places.on_up(kBalancer, {{}, {"2"}}, "gw-a", true);
  places.on_up(kBalancer, {{}, {"2"}}, "gw-b", true);
  places.on_up(kDead, {{}, {"3"}}, "gw-d", true);
  const GatewayIds held{"gw-a", "gw-b"};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(places.best_for("gw-d", held), kDead) << "it was met there";
    EXPECT_EQ(places.best_for("gw-new", held), kDead) << "nothing else is known to be there";
  }
  for (int i = 0; i < 4; ++i) places.on_failed(kDead, {{}, {"3"}});
  EXPECT_EQ(places.best_for("gw-new", held), kBalancer) << "different ones are met there";
  for (int i = 0; i < 4; ++i) places.on_up(kBalancer, {{}, {"2"}}, "gw-a", false);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(places.best_for("gw-new", held), kDead) << "its turn again";
}

TEST(DialPlaces, TakeEqualOnesInTurn) {
  DialPlaces places(3);
  std::vector<std::size_t> chosen;
  for (int i = 0; i < 4; ++i) chosen.push_back(places.best_for("gw", {}));
  EXPECT_THAT(chosen, ElementsAre(0, 1, 2, 0));
  EXPECT_EQ(places.next_turn(1), 0U);
  EXPECT_EQ(places.next_turn(1), 1U);
}

}  // namespace
}  // namespace adit::link
