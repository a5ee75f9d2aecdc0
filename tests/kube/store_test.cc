#include "kube/store.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kube/objects.h"

namespace adit::kube {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// "KEY BEFORE>AFTER" by resourceVersion; "-" where there is none.
std::string text_of(const Change& change) {
  const auto version = [](const ObjectPtr& object) { return object ? resource_version_of(*object) : "-"; };
  return change.key + " " + version(change.before) + ">" + version(change.after);
}

std::vector<std::string> texts_of(const std::vector<Change>& changes) {
  std::vector<std::string> texts;
  for (const auto& change : changes) texts.push_back(text_of(change));
  return texts;
}

TEST(Store, TellsWhatAnEventChanged) {
  Store store;
  EXPECT_EQ(text_of(*store.set(shared(tunnel("x", "1")))), "a/x ->1");
  EXPECT_EQ(text_of(*store.set(shared(tunnel("x", "2")))), "a/x 1>2");
  EXPECT_FALSE(store.set(shared(tunnel("x", "2"))));
  EXPECT_EQ(text_of(*store.erase("a/x")), "a/x 2>-");
  EXPECT_FALSE(store.erase("a/x"));
  EXPECT_EQ(store.size(), 0U);
}

TEST(Store, ComparesObjectsWithoutVersionWhole) {
  Store store;
  auto object = tunnel("x");
  ASSERT_TRUE(store.set(shared(object)));
  EXPECT_FALSE(store.set(shared(object)));
  object["spec"] = 1;
  EXPECT_TRUE(store.set(shared(object)));
}

TEST(Store, AWholeListChangesOnlyWhatDiffers) {
  Store store;
  for (const auto* name : {"same", "changed", "gone"}) store.set(shared(tunnel(name, "1")));
  const auto same = store.find("a/same");
  const auto changes =
      store.replace({shared(tunnel("same", "1")), shared(tunnel("changed", "2")), shared(tunnel("new", "3"))});
  EXPECT_THAT(texts_of(changes), UnorderedElementsAre("a/gone 1>-", "a/changed 1>2", "a/new ->3"));
  EXPECT_EQ(store.size(), 3U);
  EXPECT_EQ(store.find("a/gone"), nullptr);
  EXPECT_EQ(resource_version_of(*store.find("a/changed")), "2");
  EXPECT_THAT(texts_of(store.replace({})), UnorderedElementsAre("a/same 1>-", "a/changed 2>-", "a/new 3>-"));
}

TEST(Store, IsSyncedByTheFirstListEvenIfItIsEmpty) {
  Store store;
  store.set(shared(tunnel("x", "1")));
  EXPECT_FALSE(store.is_synced());
  store.replace({});
  EXPECT_TRUE(store.is_synced());
}

TEST(Store, WhatWasHandedOutStays) {
  Store store;
  store.set(shared(tunnel("x", "1")));
  const auto held = store.find("a/x");
  store.replace({});
  EXPECT_EQ(resource_version_of(*held), "1");
  EXPECT_THAT(store.all(), IsEmpty());
}

TEST(Store, ClusterScopedObjectsHaveKeysOfTheirOwn) {
  Store store;
  store.set(shared(Json{{"metadata", {{"name", "x"}, {"resourceVersion", "1"}}}}));
  store.set(shared(tunnel("x", "2")));
  EXPECT_EQ(store.size(), 2U);
  EXPECT_EQ(resource_version_of(*store.find("x")), "1");
}

TEST(Store, KeepsTheFailureUntilItIsOver) {
  Store store;
  EXPECT_FALSE(store.failure());
  store.set_failure(ApiError{ApiFailure::refused, 403, "list x", "Forbidden", "no", {}});
  EXPECT_TRUE(store.failure()->forbidden());
  store.set_failure(std::nullopt);
  EXPECT_FALSE(store.failure());
}

}  // namespace
}  // namespace adit::kube
