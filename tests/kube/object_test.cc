#include "kube/object.h"

#include <limits>

#include <gtest/gtest.h>

#include "kube/api.h"
#include "kube/timestamp.h"
#include "tests/kube/objects.h"

namespace adit::kube {
namespace {

TEST(Object, TellsItsMetadata) {
  const auto object = Json::parse(R"({"metadata": {"namespace": "a", "name": "shop", "uid": "u", "resourceVersion": "7",
      "generation": 3, "annotations": {"adit.dev/x": "1"}, "labels": {"app": "b"}}})");
  EXPECT_EQ(name_of(object), (Name{"a", "shop"}));
  EXPECT_EQ(name_of(object).key(), "a/shop");
  EXPECT_EQ(uid_of(object), "u");
  EXPECT_EQ(resource_version_of(object), "7");
  EXPECT_EQ(generation_of(object), 3);
  EXPECT_EQ(annotation_of(object, "adit.dev/x"), "1");
  EXPECT_EQ(label_of(object, "app"), "b");
  EXPECT_EQ(label_of(object, "adit.dev/x"), "");
}

TEST(Object, OfAnyShapeTellsNothing) {
  const char* const shapes[] = {"null",
                                "7",
                                "\"metadata\"",
                                "[]",
                                "[{\"metadata\": {}}]",
                                "{}",
                                R"({"metadata": null})",
                                R"({"metadata": []})",
                                R"({"metadata": "name"})",
                                R"({"metadata": {"name": 1, "namespace": {}, "uid": [], "resourceVersion": 7}})",
                                R"({"metadata": {"generation": "3", "annotations": [], "labels": "x"}})",
                                R"({"metadata": {"generation": 1.5, "annotations": {"a": 1}, "labels": {"a": null}}})",
                                R"({"metadata": {"generation": 18446744073709551615}})"};
  for (const auto* shape : shapes) {
    const auto object = Json::parse(shape);
    EXPECT_EQ(name_of(object).key(), "") << shape;
    EXPECT_EQ(uid_of(object), "") << shape;
    EXPECT_EQ(resource_version_of(object), "") << shape;
    EXPECT_EQ(generation_of(object), 0) << shape;
    EXPECT_EQ(annotation_of(object, "a"), "") << shape;
    EXPECT_EQ(label_of(object, "a"), "") << shape;
  }
}

TEST(Object, FindsValuesByPath) {
  const auto object = Json::parse(R"({"a": {"b": {"c": 1, "d": "text"}}})");
  EXPECT_EQ(*find(object, {"a", "b", "c"}), 1);
  EXPECT_EQ(find(object, {}), &object);
  EXPECT_EQ(find(object, {"a", "x", "c"}), nullptr);
  EXPECT_EQ(find(object, {"a", "b", "c", "d"}), nullptr);
  EXPECT_EQ(text_at(object, {"a", "b", "d"}), "text");
  EXPECT_EQ(text_at(object, {"a", "b", "c"}), "");
}

TEST(Object, KeysOfClusterScopedObjectsHaveNoSlash) {
  EXPECT_EQ((Name{"", "adit"}).key(), "adit");
  EXPECT_EQ((Resource{"", "v1", "secrets", "Secret"}).api_version(), "v1");
  EXPECT_EQ(tunnels().api_version(), "adit.dev/v1alpha1");
}

TEST(Object, MessagesAreCutBetweenCharacters) {
  EXPECT_EQ(message_text("short", 5), "short");
  EXPECT_EQ(message_text("too long", 3), "too");
  EXPECT_EQ(message_text("a\xC3\xA9z", 2), "a");
  EXPECT_EQ(message_text("a\xC3\xA9z", 3), "a\xC3\xA9");
  EXPECT_EQ(message_text("\xF0\x9F\x98\x80", 3), "");
  EXPECT_EQ(message_text("bad \xFF byte", 100), "bad \xEF\xBF\xBD byte");
  EXPECT_EQ(message_text("", 0), "");
}

TEST(ApiError, SaysWhatFailedAndWhy) {
  using F = ApiFailure;
  const struct {
    ApiError error;
    const char* text;
  } cases[] = {
      {{F::refused, 403, "list tunnels.adit.dev", "Forbidden", "no", {}}, "list tunnels.adit.dev: 403 Forbidden: no"},
      {{F::refused, 500, "get leases", "", "", {}}, "get leases: 500"},
      {{F::unreachable, 0, "get leases", "", "connection refused", {}}, "get leases: unreachable: connection refused"},
      {{F::timed_out, 0, "get leases", "", "", {}}, "get leases: timed out"},
      {{F::malformed, 200, "list x", "", "no JSON", {}}, "list x: malformed answer (200): no JSON"},
      {{F::refused, 0, "", "", "", {}}, "refused"},
  };
  for (const auto& c : cases) EXPECT_EQ(c.error.text(), c.text);
}

TEST(Timestamp, IsUtcWithAFixedNumberOfDigits) {
  const std::chrono::system_clock::time_point time{std::chrono::microseconds(1'795'237'629'000'123)};
  EXPECT_EQ(timestamp(time), "2026-11-21T05:07:09Z");
  EXPECT_EQ(micro_timestamp(time), "2026-11-21T05:07:09.000123Z");
  EXPECT_EQ(micro_timestamp(std::chrono::system_clock::time_point(std::chrono::microseconds(-1))),
            "1969-12-31T23:59:59.999999Z");
}

}  // namespace
}  // namespace adit::kube
