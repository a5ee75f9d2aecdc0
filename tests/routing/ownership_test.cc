// What the assignment of hosts gives besides answers; who gets a host is in take_over_test.cc.

#include "routing/ownership.h"

#include "tests/routing/objects.h"

namespace adit::routing {
namespace {

TEST(Ownership, Holders) {
  const TunnelObject one = tunnel("a/one", {"x.io", "y.io"});
  const TunnelObject two = tunnel("a/two", {"x.io/api"});
  const Holders expected = {
      {"x.io", {"a/one", "a/two"}}, {"x.io/", {"a/one"}}, {"x.io/api", {"a/two"}}, {"y.io", {"a/one"}}};
  EXPECT_EQ(assign_hosts({Claimant::of(one), Claimant::of(two)}, {}).holders, expected);
}

TEST(Ownership, HoldersOfRecordedClaims) {
  const std::vector<Claim> claims = {{"b/t", {"y.io"}, {}},
                                     {"a/two", {"x.io"}, {"x.io/api"}},
                                     {"a/one", {"x.io", "z.io", "z.io"}, {"x.io/"}},
                                     {"c/new", {}, {}}};
  const Holders expected = {{"x.io", {"a/one", "a/two"}},
                            {"x.io/", {"a/one"}},
                            {"x.io/api", {"a/two"}},
                            {"y.io", {"b/t"}},
                            {"z.io", {"a/one"}}};
  EXPECT_EQ(holders_of(claims), expected);
}

TEST(Ownership, RecordsThatContradictEachOtherAreAFirstClaim) {
  const TunnelObject one = tunnel("a/one", {"x.io", "y.io/p"}, "2026-02-01T00:00:00Z");
  const TunnelObject two = tunnel("b/two", {"x.io"}, "2026-01-01T00:00:00Z");
  const std::vector<Claim> claims = {{"a/one", {"x.io"}, {}}, {"b/two", {"x.io"}, {}}};
  EXPECT_EQ(assign_hosts({Claimant::of(two), Claimant::of(one)}, holders_of(claims)).holders,
            (Holders{{"x.io", {"b/two"}}, {"y.io", {"a/one"}}}));
}

TEST(Ownership, StrangeFormerHolders) {
  const TunnelObject one = tunnel("a/one", {"x.io"});
  const Holders strange = {{"x.io", {}}, {"x.io/", {}}, {"", {"a/one"}}, {"*", {"gone/t"}}};
  EXPECT_EQ(assign_hosts({Claimant::of(one)}, strange).holders, (Holders{{"x.io", {"a/one"}}}));
}

TEST(Ownership, RepeatedRouteInOneObject) {  // a manifest's reader refuses it; the API server's objects come unread
  const TunnelObject one = tunnel("a/one", {"x.io", "x.io"});
  const Ownership result = assign_hosts({Claimant::of(one)}, {});
  ASSERT_EQ(result.losses.size(), 1U);
  EXPECT_THAT(
      texts({result.losses[0].problem}),
      testing::ElementsAre(testing::HasSubstr("spec.routes[1]: x.io/ has the host and path of spec.routes[0]")));
}

}  // namespace
}  // namespace adit::routing
