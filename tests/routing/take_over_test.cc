// Who gets a host when several want it: a table of take-overs over the pure compiler. Each case is a history of states
// of the cluster; each state says who must answer for which URL afterwards. Every history is played twice: with one
// operator that lives through it, and with a new one at each step, which knows no more than what was recorded with the
// objects.

#include <algorithm>

#include "tests/routing/objects.h"
#include "tests/routing/test_certificate.h"

namespace adit::routing {
namespace {

using Created = std::string;
const Created kOld = "2026-01-01T00:00:00Z";
const Created kNew = "2026-02-01T00:00:00Z";
const Created kNewer = "2026-03-01T00:00:00Z";

struct State {
  std::vector<TunnelObject> tunnels;
  std::vector<std::pair<std::string, std::string>> answers;  ///< "host/path" → the Tunnel that answers, "" for none
  std::vector<std::string> problems = {};                    ///< a part of each, in order
  std::vector<std::pair<std::string, std::string>> certificates = {};  ///< server name → the Tunnel whose is shown
};

struct Case {
  const char* name;
  std::vector<State> history;
};

TunnelObject with_id(TunnelObject object, const std::string& of) {
  object.id = default_tunnel_id(of);
  return object;
}

/// With the certificate of its namespace, which is for x.io and all below.
TunnelObject with_tls(TunnelObject object) {
  object.tls_secrets = {"tls"};
  return object;
}

const std::vector<SecretObject>& secrets() {
  static const std::vector<SecretObject> all = [] {
    const auto data = tls_data("DNS:x.io,DNS:*.x.io");
    return std::vector{secret("a/tls", "kubernetes.io/tls", data), secret("b/tls", "kubernetes.io/tls", data)};
  }();
  return all;
}

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
      // Longer histories
      {"HolderDropsAndRegains",
       {{{tunnel("a/t", {"x.io"}, kOld), tunnel("b/t", {"x.io"}, kNew)}, {{"x.io/", "a/t"}}, {"b/t"}},
        {{tunnel("a/t", {"y.io"}, kOld), tunnel("b/t", {"x.io"}, kNew)}, {{"x.io/", "b/t"}}},
        {{tunnel("a/t", {"x.io"}, kOld), tunnel("b/t", {"x.io"}, kNew)}, {{"x.io/", "b/t"}}, {"a/t"}},
        {{tunnel("a/t", {"x.io"}, kOld)}, {{"x.io/", "a/t"}}}}},
      {"HolderIsDeletedAndMadeAnewBetweenTwoLooks",
       {{{tunnel("a/t", {"x.io"}, kOld), tunnel("b/t", {"x.io"}, kOld)}, {{"x.io/", "a/t"}}, {"b/t"}},
        {{tunnel("b/t", {"x.io"}, kOld)}, {{"x.io/", "b/t"}}},
        {{tunnel("a/t", {"x.io"}, kNew), tunnel("b/t", {"x.io"}, kOld)}, {{"x.io/", "b/t"}}, {"a/t"}}}},
      {"DeletedInTheOrderOfCreation",
       {{{tunnel("a/t", {"x.io"}, kOld), tunnel("b/t", {"x.io"}, kNew), tunnel("c/t", {"x.io"}, kNewer)},
         {{"x.io/", "a/t"}},
         {"b/t", "c/t"}},
        {{tunnel("b/t", {"x.io"}, kNew), tunnel("c/t", {"x.io"}, kNewer)}, {{"x.io/", "b/t"}}, {"c/t"}},
        {{tunnel("c/t", {"x.io"}, kNewer)}, {{"x.io/", "c/t"}}},
        {{}, {{"x.io/", ""}}}}},
      {"DeletedAgainstTheOrderOfCreation",
       {{{tunnel("a/t", {"x.io"}, kOld), tunnel("b/t", {"x.io"}, kNew), tunnel("c/t", {"x.io"}, kNewer)},
         {{"x.io/", "a/t"}},
         {"b/t", "c/t"}},
        {{tunnel("a/t", {"x.io"}, kOld), tunnel("b/t", {"x.io"}, kNew)}, {{"x.io/", "a/t"}}, {"b/t"}},
        {{tunnel("a/t", {"x.io"}, kOld)}, {{"x.io/", "a/t"}}}}},
      {"TwoHostsHeldCrosswise",
       {{{tunnel("a/t", {"x.io"}), tunnel("b/t", {"y.io"})}, {{"x.io/", "a/t"}, {"y.io/", "b/t"}}},
        {{tunnel("a/t", {"x.io", "y.io"}), tunnel("b/t", {"x.io", "y.io"})},
         {{"x.io/", "a/t"}, {"y.io/", "b/t"}},
         {"a/t: spec.routes[1].host", "b/t: spec.routes[0].host"}},
        {{tunnel("a/t", {"y.io"}), tunnel("b/t", {"x.io"})}, {{"x.io/", "b/t"}, {"y.io/", "a/t"}}}}},
      {"ExactFreedUnderAWildcardGoesToTheWildcard",
       {{{tunnel("b/t", {"s.x.io"}, kOld), tunnel("a/t", {"*.x.io"}, kNew), tunnel("c/t", {"s.x.io"}, kNewer)},
         {{"s.x.io/", "b/t"}},
         {"c/t: spec.routes[0].host: s.x.io is held by Tunnel b/t"}},
        {{tunnel("a/t", {"*.x.io"}, kNew), tunnel("c/t", {"s.x.io"}, kNewer)},
         {{"s.x.io/", "a/t"}},
         {"s.x.io is held by Tunnel a/t through its wildcard"}},
        {{tunnel("c/t", {"s.x.io"}, kNewer)}, {{"s.x.io/", "c/t"}}}}},
      {"LongerWildcardThatWasThereFirstStays",
       {{{tunnel("b/t", {"*.s.x.io"}, kOld)}, {{"d.s.x.io/", "b/t"}}},
        {{tunnel("b/t", {"*.s.x.io"}, kOld), tunnel("a/t", {"*.x.io"}, kNew)},
         {{"d.s.x.io/", "b/t"}, {"s.x.io/", "a/t"}}},
        {{tunnel("a/t", {"*.x.io"}, kNew), tunnel("b/t", {"*.s.x.io", "e.s.x.io"}, kOld)},
         {{"d.s.x.io/", "b/t"}, {"e.s.x.io/", "b/t"}}}}},
      {"SharedPathMovesToTheSibling",
       {{{tunnel("a/one", {"x.io", "x.io/api"}), tunnel("a/two", {"x.io/web"})},
         {{"x.io/api", "a/one"}, {"x.io/web", "a/two"}}},
        {{tunnel("a/one", {"x.io"}), tunnel("a/two", {"x.io/web", "x.io/api"})},
         {{"x.io/api", "a/two"}, {"x.io/", "a/one"}}},
        {{tunnel("a/one", {"x.io", "x.io/api"}), tunnel("a/two", {"x.io/web", "x.io/api"})},
         {{"x.io/api", "a/two"}},
         {"a/one: spec.routes[1]: x.io/api has the host and path of a route of Tunnel a/two"}}}},
      {"HostThatIsNoLongerSharedStays",
       {{{tunnel("a/one", {"x.io"}, kOld), tunnel("a/two", {"x.io/api"}, kNew)}, {{"x.io/api", "a/two"}}},
        {{tunnel("a/two", {"x.io/api"}, kNew)}, {{"x.io/api", "a/two"}, {"x.io/", ""}}},
        {{tunnel("a/one", {"x.io/api"}, kOld), tunnel("a/two", {"x.io/api"}, kNew)},
         {{"x.io/api", "a/two"}},
         {"a/one: spec.routes[0]"}}}},
      {"StrangerGetsAHostOnceTheLastSiblingHasGone",
       {{{tunnel("a/one", {"x.io"}), tunnel("a/two", {"x.io/api"}), tunnel("b/t", {"x.io"})},
         {{"x.io/", "a/one"}},
         {"b/t"}},
        {{tunnel("a/two", {"x.io/api"}), tunnel("b/t", {"x.io"})}, {{"x.io/api", "a/two"}, {"x.io/", ""}}, {"b/t"}},
        {{tunnel("b/t", {"x.io"})}, {{"x.io/", "b/t"}}}}},
      // Ids
      {"DuplicateIdOlderIsFirst",
       {{{tunnel("b/t", {"x.io"}, kOld), with_id(tunnel("a/t", {"y.io"}, kNew), "b/t")},
         {{"x.io/", "b/t"}, {"y.io/", ""}},
         {"Tunnel a/t: spec.id:"}}}},
      {"DuplicateIdHolderKeeps",
       {{{tunnel("b/t", {"x.io"}, kNew)}, {{"x.io/", "b/t"}}},
        {{tunnel("b/t", {"x.io"}, kNew), with_id(tunnel("a/t", {"y.io"}, kOld), "b/t")},
         {{"x.io/", "b/t"}, {"y.io/", ""}},
         {"Tunnel a/t: spec.id:"}}}},
      {"DuplicateIdTakesOverWhenTheHolderGoes",
       {{{tunnel("b/t", {"x.io"}), with_id(tunnel("c/t", {"y.io"}), "b/t")}, {{"y.io/", ""}}, {"c/t: spec.id"}},
        {{with_id(tunnel("c/t", {"y.io"}), "b/t")}, {{"y.io/", "c/t"}, {"x.io/", ""}}},
        {{tunnel("b/t", {"x.io"}), with_id(tunnel("c/t", {"y.io"}), "b/t")}, {{"y.io/", "c/t"}}, {"b/t: spec.id"}}}},
      {"DuplicateIdHoldsNoHost",
       {{{tunnel("a/t", {"x.io"}), with_id(tunnel("b/t", {"y.io"}), "a/t"), tunnel("c/t", {"y.io"})},
         {{"y.io/", "c/t"}},
         {"Tunnel b/t: spec.id"}}}},
      {"DuplicateIdOfAHolderOfNothing",
       {{{tunnel("a/t", {"x.io"}, kOld), tunnel("b/t", {"x.io"}, kNew)}, {{"x.io/", "a/t"}}, {"b/t"}},
        {{tunnel("a/t", {"x.io"}, kOld), tunnel("b/t", {"x.io"}, kNew),
          with_id(tunnel("c/t", {"y.io"}, kNewer), "b/t")},
         {{"y.io/", ""}},
         {"b/t: spec.routes[0].host", "c/t: spec.id"}}}},
      // Certificates
      {"CertificateForAForeignHost",
       {{{tunnel("a/t", {"x.io"}), with_tls(tunnel("b/t", {"x.io", "s.x.io"}))},
         {{"x.io/", "a/t"}},
         {"b/t: spec.routes[0].host"},
         {{"x.io", ""}, {"s.x.io", "b/t"}}}}},
      {"CertificateFollowsTheHost",
       {{{with_tls(tunnel("a/t", {"x.io"})), with_tls(tunnel("b/t", {"x.io"}))},
         {{"x.io/", "a/t"}},
         {"b/t"},
         {{"x.io", "a/t"}}},
        {{with_tls(tunnel("a/t", {"s.x.io"})), with_tls(tunnel("b/t", {"x.io"}))},
         {{"x.io/", "b/t"}},
         {},
         {{"x.io", "b/t"}, {"s.x.io", "a/t"}}}}},
      {"CertificateOfAWildcardNotForAForeignExactHost",
       {{{tunnel("b/t", {"s.x.io"}, kOld), with_tls(tunnel("a/t", {"*.x.io"}, kNew))},
         {{"s.x.io/", "b/t"}},
         {},
         {{"s.x.io", ""}, {"r.x.io", "a/t"}}}}},
      {"CertificateOfASharedHostIsTheOldestSiblings",
       {{{with_tls(tunnel("a/two", {"x.io/api"}, kNew)), tunnel("a/one", {"x.io"}, kNewer)},
         {{"x.io/api", "a/two"}},
         {},
         {{"x.io", "a/two"}}},
        {{with_tls(tunnel("a/two", {"x.io/api"}, kNew)), with_tls(tunnel("a/one", {"x.io"}, kNewer))},
         {{"x.io/", "a/one"}},
         {},
         {{"x.io", "a/two"}}},
        {{tunnel("a/two", {"x.io/api"}, kNew), with_tls(tunnel("a/one", {"x.io"}, kNewer))},
         {{"x.io/api", "a/two"}},
         {},
         {{"x.io", "a/one"}}}}},
      {"CertificateOfASiblingThatLostItsPath",
       {{{tunnel("a/one", {"x.io"}, kOld), with_tls(tunnel("a/two", {"x.io"}, kNew))},
         {{"x.io/", "a/one"}},
         {"a/two: spec.routes[0]"},
         {{"x.io", ""}}}}},
      {"PrivateHoldsAsWell",
       {{{tunnel("a/t", {"x.io!"}), tunnel("b/t", {"x.io"})}, {{"x.io/", "a/t"}}, {"held by Tunnel a/t"}}}},
  };
  return all;
}

/// What a new leader reads from the status of each object; in another order than it was made.
Holders recorded(const Compiled& compiled) {
  std::vector<Claim> claims;
  for (const Outcome& outcome : compiled.outcomes) claims.push_back({outcome.name, outcome.hosts, outcome.shared});
  std::reverse(claims.begin(), claims.end());
  return holders_of(claims);
}

void expect_answers(const Table& table, const State& state) {
  for (const auto& [url, expected] : state.answers) {
    const auto slash = url.find('/');
    const Route* route = table.find(url.substr(0, slash), url.substr(slash));
    EXPECT_EQ(route == nullptr ? "" : route->tunnel->name, expected) << url;
    EXPECT_EQ(route == nullptr ? "" : route->service, expected) << url;
  }
  for (const auto& [name, expected] : state.certificates) {
    const ServerName found = table.server_name(name);
    EXPECT_EQ(found.first() == nullptr ? "" : found.tunnel->name, expected) << name;
  }
}

void expect_problems(const std::vector<Problem>& problems, const State& state) {
  std::vector<testing::Matcher<std::string>> expected;
  for (const auto& part : state.problems) expected.push_back(testing::HasSubstr(part));
  EXPECT_THAT(texts(problems), testing::ElementsAreArray(expected));
}

struct Run {
  std::size_t index;
  bool restarts;  ///< at each step there is a new operator
};

std::vector<Run> runs() {
  std::vector<Run> all;
  for (std::size_t i = 0; i < cases().size(); ++i) {
    for (const bool restarts : {false, true}) all.push_back({i, restarts});
  }
  return all;
}

class TakeOver : public testing::TestWithParam<Run> {};

TEST_P(TakeOver, HistoryEndsWithTheRightHolders) {
  Holders holders;
  KeyPairs memo;
  std::size_t step = 0;
  for (const State& state : cases()[GetParam().index].history) {
    SCOPED_TRACE(step++);
    const Objects objects{state.tunnels, secrets()};
    const Compiled compiled = compile(objects, holders, memo);
    expect_answers(*build_table(configurations(compiled)), state);
    expect_problems(compiled.problems, state);
    EXPECT_EQ(recorded(compiled), compiled.holders) << "nothing is known that is not recorded";
    holders = GetParam().restarts ? recorded(compiled) : compiled.holders;
    if (GetParam().restarts) memo = KeyPairs{};

    const Compiled again = compile(objects, holders, memo);
    EXPECT_EQ(again.problems, compiled.problems) << "nothing changes by itself";
    EXPECT_EQ(again.holders, compiled.holders);
    for (std::size_t i = 0; i < again.outcomes.size(); ++i) {
      const auto& now = again.outcomes[i].configuration;
      const auto& before = compiled.outcomes[i].configuration;
      EXPECT_TRUE(now == before || (now && before && *now == *before)) << again.outcomes[i].name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, TakeOver, testing::ValuesIn(runs()), [](const auto& info) {
  return std::string(cases()[info.param.index].name) + (info.param.restarts ? "AfterRestarts" : "");
});

}  // namespace
}  // namespace adit::routing
