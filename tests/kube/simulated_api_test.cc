// That the simulation behaves as a real API server does where other tests rely on it.

#include "tests/kube/simulated_api.h"

#include <gtest/gtest.h>

#include "tests/kube/objects.h"

namespace adit::kube {
namespace {

class SimulatedApiTest : public testing::Test {
 protected:
  SimulatedApi api_;
  Selection selection_{tunnels(), "", "", "", false};
};

TEST_F(SimulatedApiTest, CreatesOnce) {
  const auto created = api_.create(tunnels(), tunnel("x"));
  ASSERT_TRUE(created);
  EXPECT_FALSE(uid_of(*created).empty());
  EXPECT_EQ(generation_of(*created), 1);
  const auto again = api_.create(tunnels(), tunnel("x"));
  ASSERT_FALSE(again);
  EXPECT_TRUE(again.error().conflict());
  EXPECT_EQ(again.error().reason, "AlreadyExists");
}

TEST_F(SimulatedApiTest, ApplyOwnsFieldsAndChecksTheVersion) {
  auto object = tunnel("x");
  object["spec"] = {{"a", 1}, {"b", 2}};
  const auto first = api_.apply(tunnels(), object);
  ASSERT_TRUE(first);
  EXPECT_EQ(resource_version_of(*api_.apply(tunnels(), object)), resource_version_of(*first)) << "nothing changed";
  object["spec"] = {{"a", 3}};
  const auto second = api_.apply(tunnels(), object);
  EXPECT_EQ((*second)["spec"], (Json{{"a", 3}}));
  EXPECT_EQ(generation_of(*second), 2);
  object["metadata"]["resourceVersion"] = resource_version_of(*first);
  EXPECT_TRUE(api_.apply(tunnels(), object).error().conflict());
  object["metadata"]["resourceVersion"] = resource_version_of(*second);
  EXPECT_TRUE(api_.apply(tunnels(), object));
}

TEST_F(SimulatedApiTest, StatusAndSpecAreApart) {
  auto object = tunnel("x");
  object["status"] = {{"id", "1"}};
  EXPECT_TRUE(api_.apply_status(tunnels(), object).error().not_found());
  EXPECT_FALSE(api_.apply(tunnels(), object)->contains("status"));
  object["spec"] = {{"a", 1}};
  const auto with_status = api_.apply_status(tunnels(), object);
  EXPECT_EQ((*with_status)["status"]["id"], "1");
  EXPECT_FALSE(with_status->contains("spec"));
  EXPECT_EQ(generation_of(*with_status), 1);
}

TEST_F(SimulatedApiTest, PagesAreOneSnapshot) {
  for (const auto* name : {"a", "b", "c"}) api_.put(tunnels(), tunnel(name));
  const auto first = api_.list(selection_, {2, "", ""});
  api_.put(tunnels(), tunnel("d"));
  const auto second = api_.list(selection_, {2, first->more, ""});
  EXPECT_EQ(first->items.size() + second->items.size(), 3U);
  EXPECT_EQ(first->resource_version, second->resource_version);
  EXPECT_EQ(second->more, "");
}

TEST_F(SimulatedApiTest, CompactionMakesOldVersionsGone) {
  for (const auto* name : {"a", "b", "c"}) api_.put(tunnels(), tunnel(name));
  const auto first = api_.list(selection_, {2, "", ""});
  EXPECT_TRUE(api_.open_watch(selection_, first->resource_version));
  api_.put(tunnels(), tunnel("d"));
  api_.compact();
  EXPECT_TRUE(api_.open_watch(selection_, first->resource_version).error().gone());
  EXPECT_TRUE(api_.list(selection_, {2, first->more, ""}).error().gone());
}

TEST_F(SimulatedApiTest, WatchesTellWhatEntersAndLeavesTheSelection) {
  selection_.label_selector = "app=x";
  auto cursor = api_.open_watch(selection_, std::to_string(api_.version()));
  auto object = tunnel("x");
  const auto types = [&] {
    std::string types;
    std::string lines = api_.read(*cursor);
    for (auto end = lines.find('\n'); end != std::string::npos; end = lines.find('\n')) {
      types += text_at(Json::parse(lines.substr(0, end)), {"type"}) + " ";
      lines.erase(0, end + 1);
    }
    return types;
  };
  api_.put(tunnels(), object);
  EXPECT_EQ(types(), "");
  object["metadata"]["labels"] = {{"app", "x"}};
  api_.put(tunnels(), object);
  object["spec"] = 1;
  api_.put(tunnels(), object);
  EXPECT_EQ(types(), "ADDED MODIFIED ");
  object["metadata"].erase("labels");
  api_.put(tunnels(), object);
  EXPECT_EQ(types(), "DELETED ");
}

TEST_F(SimulatedApiTest, RemovesOnlyTheUidMeant) {
  const auto stored = api_.put(tunnels(), tunnel("x"));
  EXPECT_TRUE(api_.remove(tunnels(), {"a", "x"}, "other").error().conflict());
  EXPECT_TRUE(api_.remove(tunnels(), {"a", "x"}, uid_of(stored)));
  EXPECT_TRUE(api_.remove(tunnels(), {"a", "x"}, "").error().not_found());
}

TEST_F(SimulatedApiTest, ReviewsTokensForTheirAudiences) {
  api_.add_token("t", {true, "system:serviceaccount:a:b", {"adit"}, ""});
  EXPECT_TRUE(api_.review_token("t", {"adit"})->authenticated);
  EXPECT_FALSE(api_.review_token("t", {"other"})->authenticated);
  EXPECT_FALSE(api_.review_token("u", {"adit"})->authenticated);
}

}  // namespace
}  // namespace adit::kube
