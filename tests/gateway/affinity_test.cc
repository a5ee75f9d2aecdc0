// Which instance a visitor belongs to, and the cookie that says so. No sockets.

#include "gateway/affinity.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace adit::gateway::test {
namespace {

using base::IpAddress;
using link::InstanceKey;
using Instances = std::vector<InstanceStanding>;

const base::TimePoint kNow{std::chrono::hours(1)};
const Ejections kNone;
constexpr const char* kTunnel = "4d21094e-b74c-4916-86c1-d9fa36ea677b";

AffinityCookie cookie_of(std::vector<AffinityEntry> entries) {
  AffinityCookie cookie;
  std::reverse(entries.begin(), entries.end());
  for (const auto& entry : entries) cookie.put(entry);
  return cookie;
}

AffinityEntry entry(InstanceKey instance, const char* service = "web", const char* tunnel = kTunnel) {
  return {affinity_digest(tunnel), affinity_digest(service), instance};
}

AffinityWish wish_of(std::vector<AffinityEntry> entries) { return {cookie_of(std::move(entries)), kTunnel, "web"}; }

std::string text_of(const AffinityCookie& cookie) {
  AffinityCookie::Room room;
  return std::string(cookie.text(room));
}

TEST(AffinityCookie, HasOneForm) {
  EXPECT_EQ(text_of(cookie_of({{1, 2, 3}})), "00000001000000020000000000000003");
  EXPECT_EQ(text_of(cookie_of({{0xabcdef01, 0, ~0ULL}, {1, 2, 3}})),
            "abcdef0100000000ffffffffffffffff.00000001000000020000000000000003");
  for (std::size_t count = 1; count <= AffinityCookie::kMostEntries; ++count) {
    std::vector<AffinityEntry> entries;
    for (std::uint32_t i = 0; i < count; ++i) entries.push_back({i, 7, i + 1});
    const auto read = AffinityCookie::parse(text_of(cookie_of(entries)));
    ASSERT_TRUE(read);
    EXPECT_TRUE(std::equal(read->entries().begin(), read->entries().end(), entries.begin(), entries.end())) << count;
  }
}

TEST(AffinityCookie, AndNoOther) {
  const std::string one = "00000001000000020000000000000003";
  const std::vector<std::string> texts = {"",
                                          "0",
                                          one + ".",
                                          "." + one,
                                          one + one,
                                          one + "," + one,
                                          one.substr(1),
                                          one + "0",
                                          "0000000100000002000000000000000g",
                                          "0000000100000002000000000000000A",
                                          "00000001000000020000000000000000",
                                          one + "." + one + "." + one + "." + one + "." + one,
                                          std::string(32, ' '),
                                          std::string(32, '\0'),
                                          one + ".x" + one.substr(1),
                                          std::string(100'000, 'a')};
  for (const auto& text : texts) EXPECT_FALSE(AffinityCookie::parse(text)) << text.substr(0, 80);
}

TEST(AffinityCookie, KeepsTheLastOfEachService) {
  auto cookie = cookie_of({{1, 1, 11}, {2, 1, 21}, {3, 1, 31}, {4, 1, 41}});
  const auto instances = [&] {
    std::vector<InstanceKey> found;
    for (const auto& held : cookie.entries()) found.push_back(held.instance);
    return found;
  };
  using Keys = std::vector<InstanceKey>;
  cookie.put({3, 1, 32});
  EXPECT_EQ(instances(), (Keys{32, 11, 21, 41}));
  cookie.put({3, 2, 33});
  EXPECT_EQ(instances(), (Keys{33, 32, 11, 21})) << "a service that was not asked for lately makes room";
  cookie.put({3, 2, 33});
  EXPECT_EQ(instances(), (Keys{33, 32, 11, 21}));
}

TEST(AffinityWish, OfACookie) {
  const auto wish = wish_of({entry(5, "api"), entry(6), entry(7, "web", "another"), entry(8, "old")});
  EXPECT_EQ(wish.distance(6), 0U) << "that of this service";
  EXPECT_LT(wish.distance(5), wish.distance(8)) << "then those of others of the tunnel";
  EXPECT_LT(wish.distance(8), AffinityWish::kFarthest);
  for (const InstanceKey other : {7U, 9U, 0U}) EXPECT_EQ(wish.distance(other), AffinityWish::kFarthest) << other;
  EXPECT_EQ(AffinityWish().distance(6), AffinityWish::kFarthest);
}

TEST(AffinityWish, ACookieIsGivenWhereItIsNotRight) {
  AffinityCookie cookie;
  const auto known = wish_of({entry(5, "api"), entry(6)});
  EXPECT_TRUE(known.is_known());
  EXPECT_FALSE(known.cookie_for(6, cookie));
  EXPECT_FALSE(known.cookie_for(0, cookie)) << "who answers is not known";
  ASSERT_TRUE(known.cookie_for(5, cookie)) << "right for another service only";
  EXPECT_EQ(text_of(cookie), text_of(cookie_of({entry(5), entry(5, "api")})));
  EXPECT_TRUE(wish_of({}).cookie_for(6, cookie));
  EXPECT_EQ(text_of(cookie), text_of(cookie_of({entry(6)})));
  EXPECT_FALSE(AffinityWish(*IpAddress::parse("192.0.2.1")).cookie_for(6, cookie));
  EXPECT_FALSE(AffinityWish().cookie_for(6, cookie));
}

struct Choice {
  const char* what;
  std::vector<AffinityEntry> cookie;
  Instances instances;  ///< instance, trouble, own
  InstanceKey chosen;
};
const Choice kChoices[] = {
    {"nobody there", {entry(1)}, {}, 0},
    {"a newcomer", {}, {{1}, {2}}, 0},
    {"its own", {entry(2)}, {{1}, {2}}, 2},
    {"its own at a peer", {entry(2)}, {{1, kNoTrouble, true}, {2, kNoTrouble, false}}, 2},
    {"one that is gone", {entry(3)}, {{1}, {2}}, 0},
    {"one that is down", {entry(2)}, {{1}, {2, kDown}}, 0},
    {"the one of another service instead", {entry(2), entry(1, "api")}, {{1}, {2, kDown}, {3}}, 1},
    {"all down", {entry(2)}, {{1, kDown}, {2, kDown}}, 2},
    {"down before dead", {entry(2)}, {{1, kDown}, {2, kMayBeDead}}, 0},
};

TEST(ChooseInstance, ByCookie) {
  for (const auto& test : kChoices) {
    EXPECT_EQ(choose_instance(wish_of(test.cookie), test.instances, kNone, kNow), test.chosen) << test.what;
  }
  Ejections ejections;
  ejections.failed(2, kNow);
  EXPECT_EQ(choose_instance(wish_of({entry(2)}), Instances{{1}, {2}}, ejections, kNow), 0U);
  EXPECT_EQ(choose_instance(wish_of({entry(2)}), Instances{{1}, {2}}, ejections, kNow + std::chrono::seconds(1)), 2U);
  EXPECT_EQ(choose_instance(wish_of({entry(2)}), Instances{{2}}, ejections, kNow), 2U) << "where there is no other";
}

AffinityWish visitor(int number) {
  return AffinityWish(*IpAddress::parse("10.1." + std::to_string(number / 200) + "." + std::to_string(number % 200)));
}

Instances instances(int count) {
  Instances list;
  for (int i = 0; i < count; ++i) list.push_back({link::instance_key(kTunnel, "instance-" + std::to_string(i))});
  return list;
}

TEST(ChooseInstance, ByAddress) {
  constexpr int kVisitors = 10'000;
  auto list = instances(10);
  std::vector<InstanceKey> homes;
  std::map<InstanceKey, int> visitors;
  for (int i = 0; i < kVisitors; ++i) {
    homes.push_back(choose_instance(visitor(i), list, kNone, kNow));
    ++visitors[homes.back()];
  }
  ASSERT_EQ(visitors.size(), 10U);
  for (const auto& [instance, count] : visitors)
    EXPECT_NEAR(count, 1000, 150) << "the addresses are fixed, and so is this";
  std::reverse(list.begin(), list.end());
  const auto gone = list[3].instance;
  list.erase(list.begin() + 3);
  for (int i = 0; i < kVisitors; ++i) {
    const auto home = choose_instance(visitor(i), list, kNone, kNow);
    EXPECT_EQ(home == homes[i], homes[i] != gone) << "only those of the one that is gone move";
  }
}

TEST(ChooseInstance, BothFormsOfAnAddressAreOne) {
  const auto list = instances(50);
  for (const char* v4 : {"192.0.2.1", "198.51.100.77"}) {
    const AffinityWish short_form(*IpAddress::parse(v4));
    const AffinityWish long_form(*IpAddress::parse(std::string("::ffff:") + v4));
    EXPECT_EQ(choose_instance(short_form, list, kNone, kNow), choose_instance(long_form, list, kNone, kNow));
  }
}

TEST(InstanceKey, IsOfTunnelAndInstance) {
  // What every gateway and every later version must make of it: the start of sha256("t/i").
  EXPECT_EQ(std::string(link::InstanceText(link::instance_key("t", "i")).view()), "053b4291a5b3be00");
  EXPECT_NE(link::instance_key("t", "i"), link::instance_key("u", "i"));
  EXPECT_EQ(link::instance_key("t", ""), 0U);
  EXPECT_EQ(link::parse_instance_key("00000000000000ff"), 255U);
  for (const char* text :
       {"", "0000000000000000", "00000000000000fF", "00000000000000f", "00000000000000ff0", "0x000000000000ff"}) {
    EXPECT_FALSE(link::parse_instance_key(text)) << text;
  }
}

TEST(AddInstance, KeepsWhatIsBest) {
  Instances list;
  add_instance(list, {1, kMayBeDead, true});
  add_instance(list, {2, kDown, false});
  add_instance(list, {1, kNoTrouble, false});
  add_instance(list, {2, kMayBeDead, true});
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].trouble, kNoTrouble);
  EXPECT_TRUE(list[0].own);
  EXPECT_EQ(list[1].trouble, kDown);
  EXPECT_TRUE(list[1].own);
}

}  // namespace
}  // namespace adit::gateway::test
