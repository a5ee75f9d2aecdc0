// Tunnels of one namespace that share a host and path by weight.

#include "tests/routing/objects.h"

namespace adit::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// `rules` as of rule(), each with that weight; a negative one is none.
TunnelObject weighted(const std::string& name, int weight, const std::vector<std::string>& rules, std::string created) {
  TunnelObject object = tunnel(name, rules, std::move(created));
  for (auto& route : object.routes) {
    if (weight >= 0) route.weight = static_cast<std::uint32_t>(weight);
  }
  return object;
}

/// "NAME WEIGHT" of all that have a part of the rule; one line where it is one Tunnel's alone.
std::vector<std::string> parts(const Table& table, const char* host, const char* path = "/") {
  std::vector<std::string> all;
  const Route* route = table.find(host, path);
  if (route == nullptr) return all;
  if (route->shares().empty()) return {route->tunnel->name};
  for (const Route& share : route->shares()) {
    EXPECT_EQ(share.host + share.path, route->host + route->path);
    all.push_back(share.tunnel->name + " " + std::to_string(share.weight.value_or(9999)));
  }
  EXPECT_EQ(route->shares().front().tunnel, route->tunnel) << "it is the first";
  return all;
}

constexpr const char* kOld = "2026-01-01T00:00:00Z";
constexpr const char* kNew = "2026-02-01T00:00:00Z";
constexpr const char* kNewest = "2026-03-01T00:00:00Z";

TEST(Sharing, ByWeight) {
  const auto compiled =
      compile_table({{weighted("a/old", 90, {"x.io", "x.io/only"}, kOld),
                      weighted("a/new", 10, {"x.io", "x.io/api"}, kNew), weighted("a/none", 0, {"x.io"}, kNewest)},
                     {}},
                    {});
  EXPECT_THAT(texts(compiled.problems), IsEmpty());
  EXPECT_THAT(parts(*compiled.table, "x.io"), ElementsAre("a/old 90", "a/new 10", "a/none 0"));
  EXPECT_THAT(parts(*compiled.table, "x.io", "/only/x"), ElementsAre("a/old")) << "alone, a weight means nothing";
  EXPECT_THAT(parts(*compiled.table, "x.io", "/api"), ElementsAre("a/new"));
  EXPECT_THAT(compiled.outcomes[0].sharing,
              ElementsAre("x.io/ is shared with Tunnel a/new, a/none by weight (90 of 100 requests come here)"));
  EXPECT_THAT(compiled.outcomes[1].sharing,
              ElementsAre("x.io/ is shared with Tunnel a/old, a/none by weight (10 of 100 requests come here)"));
  EXPECT_EQ(compiled.holders.at("x.io/"), (std::vector<std::string>{"a/old", "a/new", "a/none"}));
  EXPECT_THAT(compiled.outcomes[1].shared, UnorderedElementsAre("x.io/", "x.io/api"));
}

TEST(Sharing, NeedsAWeightOnBothSides) {
  struct Case {
    int first, second;
    bool shared;
  };
  for (const auto& [first, second, shared] :
       {Case{-1, -1, false}, {-1, 5, false}, {5, -1, false}, {5, 5, true}, {0, 0, true}}) {
    const auto compiled =
        compile_table({{weighted("a/one", first, {"x.io"}, kOld), weighted("a/two", second, {"x.io"}, kNew)}, {}}, {});
    EXPECT_EQ(parts(*compiled.table, "x.io").size(), shared ? 2U : 1U) << first << " " << second;
    EXPECT_EQ(compiled.table->find("x.io", "/")->tunnel->name, "a/one");
    EXPECT_EQ(compiled.outcomes[0].sharing.empty(), !shared);
    if (shared) {
      EXPECT_THAT(compiled.problems, IsEmpty());
    } else {
      EXPECT_THAT(
          texts(compiled.problems),
          ElementsAre(HasSubstr("Tunnel a/two: spec.routes[0]: x.io/ has the host and path of a route of Tunnel "
                                "a/one, which came first; it takes over when that one drops it")));
    }
  }
}

TEST(Sharing, OneWithoutAWeightLosesAndTheOthersShare) {
  const auto compiled = compile_table({{weighted("a/one", 1, {"x.io"}, kOld), weighted("a/two", -1, {"x.io"}, kNew),
                                        weighted("a/three", 1, {"x.io"}, kNewest)},
                                       {}},
                                      {});
  EXPECT_THAT(parts(*compiled.table, "x.io"), ElementsAre("a/one 1", "a/three 1"));
  EXPECT_THAT(texts(compiled.problems), ElementsAre(HasSubstr("Tunnel a/two: ")));
}

TEST(Sharing, OnlyOfOneVisibility) {
  const auto compiled =
      compile_table({{weighted("a/one", 1, {"x.io"}, kOld), weighted("a/two", 1, {"x.io!"}, kNew)}, {}}, {});
  EXPECT_THAT(parts(*compiled.table, "x.io"), ElementsAre("a/one"));
  EXPECT_THAT(texts(compiled.problems),
              ElementsAre(HasSubstr("Tunnel a/two: spec.routes[0]: x.io/ has the host and path of a route of Tunnel "
                                    "a/one, and cannot share it by weight, since its visibility is another")));
  EXPECT_EQ(compiled.problems[0].kind, ProblemKind::path_held);
}

TEST(Sharing, OnlyWithinANamespace) {
  const auto compiled =
      compile_table({{weighted("a/one", 1, {"x.io"}, kOld), weighted("b/two", 1, {"x.io"}, kNew)}, {}}, {});
  EXPECT_THAT(parts(*compiled.table, "x.io"), ElementsAre("a/one"));
  EXPECT_THAT(texts(compiled.problems), ElementsAre(HasSubstr("is held by Tunnel a/one of another namespace")));
}

TEST(Sharing, AHolderWithoutAWeightStaysAlone) {
  const Objects first{{weighted("a/young", -1, {"x.io"}, kNew)}, {}};
  const Objects both{{weighted("a/young", -1, {"x.io"}, kNew), weighted("a/old", 5, {"x.io"}, kOld)}, {}};
  const auto before = compile_table(first, {});
  EXPECT_THAT(parts(*compile_table(both, before.holders).table, "x.io"), ElementsAre("a/young"));
}

TEST(Sharing, OutlivesARestart) {
  const Objects objects{{weighted("a/one", 1, {"x.io"}, kOld), weighted("a/two", 2, {"x.io"}, kNew)}, {}};
  const auto before = compile_table(objects, {});
  std::vector<Claim> claims;
  for (const auto& outcome : before.outcomes) claims.push_back({outcome.name, outcome.hosts, outcome.shared});
  const auto holders = holders_of(claims);
  EXPECT_EQ(holders, before.holders);
  EXPECT_THAT(parts(*compile_table(objects, holders).table, "x.io"), ElementsAre("a/one 1", "a/two 2"));
}

TEST(Sharing, TheOthersGoOnWhenOneGoes) {
  const Objects objects{{weighted("a/one", 1, {"x.io"}, kOld), weighted("a/two", 2, {"x.io"}, kNew),
                         weighted("a/three", 3, {"x.io"}, kNewest)},
                        {}};
  auto rest = objects;
  rest.tunnels.erase(rest.tunnels.begin());
  const auto before = compile_table(objects, {});
  EXPECT_THAT(parts(*compile_table(rest, before.holders).table, "x.io"), ElementsAre("a/two 2", "a/three 3"));
}

TEST(Sharing, AWildcardAndAnyHost) {
  const auto compiled = compile_table(
      {{weighted("a/one", 1, {"*.x.io", "*"}, kOld), weighted("a/two", 2, {"*.x.io", "*"}, kNew)}, {}}, {});
  for (const char* host : {"y.x.io", "z.y.x.io", "else"}) {
    EXPECT_THAT(parts(*compiled.table, host), ElementsAre("a/one 1", "a/two 2")) << host;
  }
}

}  // namespace
}  // namespace adit::routing
