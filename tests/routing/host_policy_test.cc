#include "routing/host_policy.h"

#include <gtest/gtest.h>

#include "tests/routing/objects.h"

namespace adit::routing {
namespace {

HostPolicy policy(const std::vector<std::string>& items) {
  HostPolicy result;
  for (const auto& item : items) EXPECT_TRUE(result.add(item)) << item;
  return result;
}

TEST(HostPolicy, ASuffixIsTheNameAndWhatIsBelow) {
  const auto bound = policy({"a=apps.example.com", "a=other.test"});
  for (const char* host :
       {"apps.example.com", "x.apps.example.com", "*.apps.example.com", "*.x.apps.example.com", "other.test"}) {
    EXPECT_TRUE(bound.allows("a", host)) << host;
  }
  for (const char* host :
       {"example.com", "xapps.example.com", "apps.example.com.evil.test", "*.example.com", "*", "com"}) {
    EXPECT_FALSE(bound.allows("a", host)) << host;
  }
}

TEST(HostPolicy, OthersAreBoundByTheStarOrNotAtAll) {
  EXPECT_TRUE(policy({"a=apps.example.com"}).allows("b", "anything.test"));
  EXPECT_TRUE(policy({}).allows("b", "*"));
  const auto bound = policy({"a=*", "*=apps.example.com"});
  EXPECT_TRUE(bound.allows("a", "*"));
  EXPECT_FALSE(bound.allows("b", "anything.test"));
  EXPECT_TRUE(bound.allows("b", "b.apps.example.com"));
}

TEST(HostPolicy, RefusesWhatIsNoRule) {
  for (const char* item : {"", "a", "=x.test", "a=", "a=*.x.test", "a=under score!"}) {
    EXPECT_FALSE(HostPolicy().add(item)) << item;
  }
}

TEST(HostPolicy, TakesForbiddenRulesOutAndSaysSo) {
  auto object = tunnel("a/shop", {"x.apps.test", "bank.test", "apps.test/api"});
  const auto problems = policy({"a=apps.test"}).enforce(object);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(
      problems[0].text(),
      "Tunnel a/shop: spec.routes[1].host: bank.test is not for the namespace a, which may claim apps.test and what is "
      "below");
  EXPECT_EQ(problems[0].kind, ProblemKind::host_forbidden);
  ASSERT_EQ(object.routes.size(), 2U);
  EXPECT_EQ(object.routes[1].path, "/api");
}

}  // namespace
}  // namespace adit::routing
