// Watches of the real server.

#include <algorithm>
#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "tests/kube_api/cluster.h"

namespace adit::kube::test {
namespace {

using testing::ElementsAre;

class RestApiWatchTest : public RealServer {
 protected:
  RestApiWatchTest() : selection_{kConfigMaps, space_, "", "test=yes"} {}

  /// Where a watch may begin.
  std::string version_now() {
    const auto page = api_->list(selection_, {});
    return page ? page->resource_version : page.error().text();
  }
  /// Watches until `done(event)` is true for one; the events' types and names, and what the watch returned.
  struct Seen {
    std::vector<std::string> events;
    ApiResult<void> result;
  };
  Seen watch(const WatchOptions& options, const std::function<bool(const Json& event)>& done) {
    Seen seen;
    std::string text;
    const auto on_bytes = [&](std::string_view bytes) {
      text += bytes;
      for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
        const auto event = Json::parse(text.substr(0, end), nullptr, false);
        text.erase(0, end + 1);
        seen.events.push_back(text_at(event, {"type"}) + " " + text_at(event, {"object", "metadata", "name"}));
        if (done(event)) return false;
      }
      return true;
    };
    seen.result = api_->watch(
        selection_, options, on_bytes, [] { return true; }, stop_.get_token());
    return seen;
  }

  Selection selection_;
  std::stop_source stop_;
};

bool never(const Json&) { return false; }

TEST_F(RestApiWatchTest, EventsComeInOrder) {
  const auto version = version_now();
  created("one");
  created("two");
  (void)api_->apply(kConfigMaps, config_map("one", {{"a", "b"}}));
  (void)api_->remove(kConfigMaps, {space_, "two"}, "");
  const auto seen = watch({version}, [](const Json& event) { return text_at(event, {"type"}) == "DELETED"; });
  EXPECT_TRUE(seen.result) << seen.result.error().text();
  EXPECT_THAT(seen.events, ElementsAre("ADDED one", "ADDED two", "MODIFIED one", "DELETED two"));
}

TEST_F(RestApiWatchTest, EventsComeWhileItRuns) {
  const auto version = version_now();
  created("one");
  const auto seen = watch({version}, [&](const Json& event) {
    if (name_of(event["object"]).name == "two") return true;
    created("two");  // a call from inside of a watch
    return false;
  });
  EXPECT_TRUE(seen.result) << seen.result.error().text();
  EXPECT_THAT(seen.events, ElementsAre("ADDED one", "ADDED two"));
}

TEST_F(RestApiWatchTest, TheServerEndsItInOrderAfterABookmark) {
  const auto version = version_now();
  created("one");
  // Bookmarks come about two seconds before the end, and are not promised.
  const auto bookmarked = [](const Seen& seen) {
    return std::find(seen.events.begin(), seen.events.end(), "BOOKMARK ") != seen.events.end();
  };
  Seen seen;
  for (int attempt = 0; attempt < 6 && !bookmarked(seen); ++attempt) {
    seen = watch({version, std::chrono::seconds(5)}, never);
    ASSERT_TRUE(seen.result) << seen.result.error().text();
    EXPECT_EQ(seen.events.front(), "ADDED one");
  }
  EXPECT_TRUE(bookmarked(seen));
}

TEST_F(RestApiWatchTest, MetadataOnly) {
  const auto version = version_now();
  created("large", {{"key", std::string(100'000, 'x')}});
  selection_.metadata_only = true;
  Json object;
  const auto seen = watch({version}, [&](const Json& event) {
    object = event["object"];
    return true;
  });
  EXPECT_EQ(name_of(object).name, "large");
  EXPECT_EQ(text_at(object, {"kind"}), "PartialObjectMetadata");
  EXPECT_FALSE(object.contains("data"));
}

TEST_F(RestApiWatchTest, AnEventMayBeLarge) {
  const auto version = version_now();
  created("large", {{"key", std::string(900'000, 'x')}});
  std::size_t size = 0;
  const auto seen = watch({version}, [&](const Json& event) {
    size = text_at(event, {"object", "data", "key"}).size();
    return true;
  });
  EXPECT_EQ(size, 900'000U);
}

TEST_F(RestApiWatchTest, StopEndsIt) {
  const auto version = version_now();
  created("one");
  // Requested from inside, once the watch is known to run and then has nothing more to say.
  const auto seen = watch({version}, [&](const Json&) {
    stop_.request_stop();
    return false;
  });
  ASSERT_FALSE(seen.result);
  EXPECT_EQ(seen.result.error().failure, ApiFailure::cancelled);
}

TEST_F(RestApiWatchTest, ManyWatchesAndCallsShareTwoThreads) {
  const auto version = version_now();
  constexpr int kWatches = 20;
  std::atomic<int> saw = 0;
  {
    std::vector<std::jthread> watches;
    for (int i = 0; i < kWatches; ++i) {
      watches.emplace_back([&] {
        const auto on_bytes = [](std::string_view bytes) { return bytes.empty(); };
        if (api_->watch(selection_, {version}, on_bytes, [] { return true; }, {})) ++saw;
      });
    }
    created("one");
  }
  EXPECT_EQ(saw, kWatches);
}

TEST_F(RestApiWatchTest, AMissingRightIsNamed) {
  const auto nobody = client(with_token(token_of("nobody")));
  const auto result = nobody->watch(
      {kSecrets, space_}, {"0"}, [](std::string_view) { return true; }, [] { return true; }, {});
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().forbidden());
  EXPECT_THAT(result.error().text(), testing::HasSubstr("watch secrets: 403 Forbidden:"));
}

}  // namespace
}  // namespace adit::kube::test
