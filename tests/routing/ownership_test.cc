// Who gets a host when several want it: a table of take-overs over the pure compiler. Each case is a history of folder
// states; each state says who must answer for which URL afterwards.

#include "routing/ownership.h"

#include "tests/routing/objects.h"

namespace adit::routing {
namespace {

using Created = std::string;
const Created kOld = "2026-01-01T00:00:00Z";
const Created kNew = "2026-02-01T00:00:00Z";

struct State {
  std::vector<TunnelObject> tunnels;
  std::vector<std::pair<std::string, std::string>> answers;  ///< "host/path" → the Tunnel that answers, "" for none
  std::vector<std::string> problems = {};                    ///< a part of each, in order
};

struct Case {
  const char* name;
  std::vector<State> history;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"OlderIsFirst",
       {{{tunnel("b/new", {"x.io"}, kNew), tunnel("z/old", {"x.io"}, kOld)},
         {{"x.io/", "z/old"}},
         {"Tunnel b/new: spec.routes[0].host: x.io is held by Tunnel z/old of another namespace"}}}},
      {"SameAgeSmallerName",
       {{{tunnel("b/t", {"x.io"}, kOld), tunnel("a/t", {"x.io"}, kOld)}, {{"x.io/", "a/t"}}, {"held by Tunnel a/t"}}}},
      {"UnknownAgeIsYoungest",
       {{{tunnel("a/t", {"x.io"}), tunnel("b/t", {"x.io"}, kNew)}, {{"x.io/", "b/t"}}, {"held by Tunnel b/t"}}}},
      {"HolderKeepsAgainstOlder",
       {{{tunnel("b/t", {"x.io"}, kNew)}, {{"x.io/", "b/t"}}},
        {{tunnel("b/t", {"x.io"}, kNew), tunnel("a/t", {"x.io"}, kOld)}, {{"x.io/", "b/t"}}, {"held by Tunnel b/t"}}}},
      {"LoserTakesOverWhenHolderGoes",
       {{{tunnel("a/t", {"x.io"})}, {{"x.io/", "a/t"}}},
        {{tunnel("a/t", {"x.io"}), tunnel("b/t", {"x.io"})}, {{"x.io/", "a/t"}}, {"held by Tunnel a/t"}},
        {{tunnel("b/t", {"x.io"})}, {{"x.io/", "b/t"}}}}},
      {"LoserTakesOverWhenHolderDropsTheHost",
       {{{tunnel("a/t", {"x.io", "y.io"}), tunnel("b/t", {"x.io"})}, {{"x.io/", "a/t"}}, {"held by Tunnel a/t"}},
        {{tunnel("a/t", {"y.io"}), tunnel("b/t", {"x.io"})}, {{"x.io/", "b/t"}, {"y.io/", "a/t"}}}}},
      {"FormerHolderDoesNotComeBack",
       {{{tunnel("a/t", {"x.io"}, kOld)}, {{"x.io/", "a/t"}}},
        {{tunnel("b/t", {"x.io"}, kNew)}, {{"x.io/", "b/t"}}},
        {{tunnel("a/t", {"x.io"}, kOld), tunnel("b/t", {"x.io"}, kNew)}, {{"x.io/", "b/t"}}, {"held by Tunnel b/t"}}}},
      {"ThreeInALine",
       {{{tunnel("a/t", {"x.io"}), tunnel("b/t", {"x.io"}), tunnel("c/t", {"x.io"})},
         {{"x.io/", "a/t"}},
         {"b/t: spec.routes[0].host: x.io is held by Tunnel a/t",
          "c/t: spec.routes[0].host: x.io is held by Tunnel a/t"}},
        {{tunnel("b/t", {"x.io"}), tunnel("c/t", {"x.io"})}, {{"x.io/", "b/t"}}, {"held by Tunnel b/t"}}}},
      {"LoserKeepsItsOtherHosts",
       {{{tunnel("a/t", {"x.io"}), tunnel("b/t", {"x.io", "y.io"})},
         {{"x.io/", "a/t"}, {"y.io/", "b/t"}},
         {"b/t: spec.routes[0].host"}}}},
      {"OneProblemForAllPathsOfAHost",
       {{{tunnel("a/t", {"x.io"}), tunnel("b/t", {"y.io", "x.io/1", "x.io/2"})},
         {{"x.io/1", "a/t"}},
         {"b/t: spec.routes[1].host"}}}},
      {"OtherNamespaceGetsNoPath",
       {{{tunnel("a/t", {"x.io/a"}), tunnel("b/t", {"x.io/b"})},
         {{"x.io/b", ""}, {"x.io/a", "a/t"}},
         {"held by Tunnel a/t"}}}},
      {"NamespaceMergesByPath",
       {{{tunnel("a/one", {"x.io"}), tunnel("a/two", {"x.io/api"})}, {{"x.io/", "a/one"}, {"x.io/api", "a/two"}}}}},
      {"SamePathFirstClaim",
       {{{tunnel("a/one", {"x.io/api"}, kNew), tunnel("a/two", {"x.io/api"}, kOld)},
         {{"x.io/api", "a/two"}},
         {"a/one: spec.routes[0]: x.io/api has the host and path of a route of Tunnel a/two"}}}},
      {"SamePathHolderKeeps",
       {{{tunnel("a/two", {"x.io/api"}, kNew)}, {{"x.io/api", "a/two"}}},
        {{tunnel("a/one", {"x.io/api"}, kOld), tunnel("a/two", {"x.io/api"}, kNew)},
         {{"x.io/api", "a/two"}},
         {"a/one"}}}},
      {"SamePathTakeOver",
       {{{tunnel("a/one", {"x.io/api"}), tunnel("a/two", {"x.io/api"})}, {{"x.io/api", "a/one"}}, {"a/two"}},
        {{tunnel("a/two", {"x.io/api"})}, {{"x.io/api", "a/two"}}}}},
      {"PathOfASharedHostStaysWithItsHolder",
       {{{tunnel("a/one", {"x.io"}), tunnel("a/two", {"x.io/api"})}, {{"x.io/api", "a/two"}}},
        {{tunnel("a/one", {"x.io", "x.io/api"}), tunnel("a/two", {"x.io/api"})},
         {{"x.io/api", "a/two"}},
         {"a/one: spec.routes[1]"}},
        {{tunnel("a/one", {"x.io", "x.io/api"})}, {{"x.io/api", "a/one"}}}}},
      {"SiblingInheritsTheHost",
       {{{tunnel("a/one", {"x.io"}), tunnel("a/two", {"x.io/api"})}, {{"x.io/api", "a/two"}}},
        {{tunnel("0/t", {"x.io"}), tunnel("a/two", {"x.io/api"})}, {{"x.io/api", "a/two"}, {"x.io/", ""}}, {"0/t"}}}},
      {"WhoGotNoPathHoldsNothing",
       {{{tunnel("a/one", {"x.io"}, kOld), tunnel("a/two", {"x.io"}, kOld)}, {{"x.io/", "a/one"}}, {"a/two"}},
        {{tunnel("0/t", {"x.io"}, kOld), tunnel("a/two", {"x.io"}, kOld)}, {{"x.io/", "0/t"}}, {"a/two"}}}},
      {"WildcardProtectsItsNames",
       {{{tunnel("a/t", {"*.x.io"})}, {{"s.x.io/", "a/t"}}},
        {{tunnel("a/t", {"*.x.io"}, kNew), tunnel("b/t", {"s.x.io"}, kOld)},
         {{"s.x.io/", "a/t"}},
         {"s.x.io is held by Tunnel a/t through its wildcard *.x.io of another namespace"}}}},
      {"WildcardProtectsDeepNames",
       {{{tunnel("a/t", {"*.x.io"}), tunnel("b/t", {"d.c.x.io"})}, {{"d.c.x.io/", "a/t"}}, {"wildcard *.x.io"}}}},
      {"WildcardProtectsLongerWildcards",
       {{{tunnel("a/t", {"*.x.io"}), tunnel("b/t", {"*.c.x.io"})}, {{"d.c.x.io/", "a/t"}}, {"wildcard *.x.io"}}}},
      {"WildcardDoesNotCoverItsOwnDomain",
       {{{tunnel("a/t", {"*.x.io"}), tunnel("b/t", {"x.io"})}, {{"x.io/", "b/t"}, {"s.x.io/", "a/t"}}}}},
      {"WildcardGoesAndFreesItsNames",
       {{{tunnel("a/t", {"*.x.io"}), tunnel("b/t", {"s.x.io"})}, {{"s.x.io/", "a/t"}}, {"b/t"}},
        {{tunnel("b/t", {"s.x.io"})}, {{"s.x.io/", "b/t"}}}}},
      {"ExactHolderStaysUnderALaterWildcard",
       {{{tunnel("b/t", {"s.x.io"})}, {{"s.x.io/", "b/t"}}},
        {{tunnel("a/t", {"*.x.io"}), tunnel("b/t", {"s.x.io"})}, {{"s.x.io/", "b/t"}, {"r.x.io/", "a/t"}}}}},
      {"ExactHolderThatLeftCannotReturn",
       {{{tunnel("b/t", {"s.x.io"})}, {{"s.x.io/", "b/t"}}},
        {{tunnel("a/t", {"*.x.io"}), tunnel("b/t", {"y.io"})}, {{"s.x.io/", "a/t"}}},
        {{tunnel("a/t", {"*.x.io"}), tunnel("b/t", {"s.x.io"})}, {{"s.x.io/", "a/t"}}, {"wildcard *.x.io"}}}},
      {"OlderExactBeatsWildcardAtFirstClaim",
       {{{tunnel("a/t", {"*.x.io"}, kNew), tunnel("b/t", {"s.x.io"}, kOld)},
         {{"s.x.io/", "b/t"}, {"r.x.io/", "a/t"}}}}},
      {"SiblingJoinsAnExactHostUnderAForeignWildcard",
       {{{tunnel("b/t", {"s.x.io"})}, {{"s.x.io/", "b/t"}}},
        {{tunnel("a/t", {"*.x.io"}), tunnel("b/t", {"s.x.io"}), tunnel("b/u", {"s.x.io/u"})},
         {{"s.x.io/", "b/t"}, {"s.x.io/u", "b/u"}, {"r.x.io/", "a/t"}}}}},
      {"ExactOfTheWildcardsNamespace",
       {{{tunnel("a/t", {"*.x.io"}), tunnel("a/u", {"s.x.io"})}, {{"s.x.io/", "a/u"}, {"r.x.io/", "a/t"}}}}},
      {"TwoWildcardsOneName",
       {{{tunnel("a/t", {"*.x.io"}), tunnel("b/t", {"*.x.io"})}, {{"s.x.io/", "a/t"}}, {"held by Tunnel a/t"}}}},
      {"AnyHostProtectsNothing",
       {{{tunnel("a/t", {"*"}, kOld), tunnel("b/t", {"x.io", "*.y.io"}, kNew)},
         {{"x.io/", "b/t"}, {"s.y.io/", "b/t"}, {"z.io/", "a/t"}}}}},
      {"AnyHostHasOneNamespace",
       {{{tunnel("a/t", {"*"}), tunnel("b/t", {"*"})}, {{"x.io/", "a/t"}}, {"held by Tunnel a/t"}},
        {{tunnel("b/t", {"*"})}, {{"x.io/", "b/t"}}}}},
      {"PrivateHoldsAsWell",
       {{{tunnel("a/t", {"x.io!"}), tunnel("b/t", {"x.io"})}, {{"x.io/", "a/t"}}, {"held by Tunnel a/t"}}}},
  };
  return all;
}

class TakeOver : public testing::TestWithParam<std::size_t> {};

TEST_P(TakeOver, HistoryEndsWithTheRightHolders) {
  Holders holders;
  std::size_t step = 0;
  for (const State& state : cases()[GetParam()].history) {
    SCOPED_TRACE(step++);
    CompiledTable compiled = compile_table({state.tunnels, {}}, holders);
    for (const auto& [url, expected] : state.answers) {
      const auto slash = url.find('/');
      const Route* route = compiled.table->find(url.substr(0, slash), url.substr(slash));
      EXPECT_EQ(route == nullptr ? "" : route->tunnel->name, expected) << url;
      EXPECT_EQ(route == nullptr ? "" : route->service, expected) << url;
    }
    std::erase_if(compiled.problems, [](const Problem& p) { return p.field == "spec.connectorTokens"; });
    std::vector<testing::Matcher<std::string>> expected;
    for (const auto& part : state.problems) expected.push_back(testing::HasSubstr(part));
    EXPECT_THAT(texts(compiled.problems), testing::ElementsAreArray(expected));
    holders = compiled.holders;
  }
}

INSTANTIATE_TEST_SUITE_P(All, TakeOver, testing::Range(std::size_t{0}, cases().size()),
                         [](const auto& info) { return std::string(cases()[info.param].name); });

TEST(Ownership, Holders) {
  const TunnelObject one = tunnel("a/one", {"x.io", "y.io"});
  const TunnelObject two = tunnel("a/two", {"x.io/api"});
  const Holders expected = {
      {"x.io", {"a/one", "a/two"}}, {"x.io/", {"a/one"}}, {"x.io/api", {"a/two"}}, {"y.io", {"a/one"}}};
  EXPECT_EQ(assign_hosts({&one, &two}, {}).holders, expected);
}

TEST(Ownership, StrangeFormerHolders) {
  const TunnelObject one = tunnel("a/one", {"x.io"});
  const Holders strange = {{"x.io", {}}, {"x.io/", {}}, {"", {"a/one"}}, {"*", {"gone/t"}}};
  EXPECT_EQ(assign_hosts({&one}, strange).holders, (Holders{{"x.io", {"a/one"}}}));
}

TEST(Ownership, RepeatedRouteInOneObject) {  // a manifest's reader refuses it; the API server's objects come unread
  const TunnelObject one = tunnel("a/one", {"x.io", "x.io"});
  const Ownership result = assign_hosts({&one}, {});
  ASSERT_EQ(result.losses.size(), 1U);
  EXPECT_THAT(
      texts({result.losses[0].problem}),
      testing::ElementsAre(testing::HasSubstr("spec.routes[1]: x.io/ has the host and path of spec.routes[0]")));
}

}  // namespace
}  // namespace adit::routing
