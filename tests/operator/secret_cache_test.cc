#include "operator/secret_cache.h"

#include <atomic>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kube/simulated_api.h"
#include "tests/operator/objects.h"
#include "tests/operator/wait_until.h"

namespace adit::controller {
namespace {

using namespace std::chrono_literals;
using kube::ApiError;
using kube::Json;
using testing::ElementsAre;
using Kind = SecretState::Kind;

const std::string kGet = "get secrets";

Json secret(const std::string& name, const std::string& value) {
  return secret_object(name, "Opaque", {{"token", value}});
}

ApiError forbidden(const std::string& call) {
  ApiError error;
  error.call = call;
  error.code = 403;
  error.message = "not allowed";
  return error;
}

/// What a state holds, as one word.
std::string word(const SecretState& state) {
  switch (state.kind) {
    case Kind::unknown:
      return "unknown";
    case Kind::absent:
      return "absent";
    case Kind::unreadable:
      return "unreadable: " + state.reason;
    case Kind::present:
      break;
  }
  return kube::text_at(*state.object, {"data", "token"});
}

/// A cache of everything in an API server that has the Secrets a, b and c of "team-a".
class SecretCacheTest : public testing::Test {
 protected:
  SecretCacheTest() {
    for (const char* name : {"a", "b", "c"}) api_.put(secrets(), secret(name, "1"));
  }

  void start(SecretCacheSettings settings = {}) {
    cache_ = std::make_unique<SecretCache>(
        api_, std::vector<std::string>{""},
        [this](const std::string& key, const SecretState& state) {
          const std::lock_guard lock(mutex_);
          told_.push_back(key + " " + word(state));
        },
        settings);
    cache_->start();
  }
  bool comes_to(const std::string& key, const std::string& wanted) {
    return wait_until([&] { return word(cache_->state(key)) == wanted; });
  }
  std::vector<std::string> told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  /// The metadata watch is open: what changes from now on is told by it.
  bool is_followed() {
    return wait_until([&] { return api_.count("watch secrets") == 1; });
  }
  void refuse(const std::string& call) {
    api_.before_calls(
        [call](const std::string& made) { return made == call ? std::optional(forbidden(made)) : std::nullopt; });
  }

  kube::SimulatedApi api_;
  std::mutex mutex_;
  std::vector<std::string> told_;
  std::unique_ptr<SecretCache> cache_;  // last: it uses the rest
};

TEST_F(SecretCacheTest, ReadsTheNamedOnesOnceAndNoOther) {
  start();
  ASSERT_TRUE(is_followed());
  cache_->set_named({"team-a/a"});
  ASSERT_TRUE(comes_to("team-a/a", "1"));
  api_.put(secrets(), secret("b", "2"));
  api_.put(secrets(), secret("a", "2"));  // told after that of b
  ASSERT_TRUE(comes_to("team-a/a", "2"));
  cache_->stop();
  EXPECT_EQ(word(cache_->state("team-a/b")), "unknown");
  EXPECT_EQ(api_.count(kGet), 2U);
  EXPECT_THAT(told(), ElementsAre("team-a/a 1", "team-a/a 2"));
}

TEST_F(SecretCacheTest, SeesWhatIsMissingComeAndGo) {
  start();
  cache_->set_named({"team-a/new"});
  ASSERT_TRUE(comes_to("team-a/new", "absent"));
  ASSERT_TRUE(is_followed());
  api_.put(secrets(), secret("new", "1"));
  ASSERT_TRUE(comes_to("team-a/new", "1"));
  api_.erase(secrets(), {"team-a", "new"});
  ASSERT_TRUE(comes_to("team-a/new", "absent"));
  EXPECT_EQ(api_.count(kGet), 3U);
}

TEST_F(SecretCacheTest, ForgetsWhatIsNamedNoMore) {
  start();
  ASSERT_TRUE(is_followed());
  cache_->set_named({"team-a/a", "team-a/b"});
  ASSERT_TRUE(comes_to("team-a/a", "1"));
  ASSERT_TRUE(comes_to("team-a/b", "1"));
  cache_->set_named({"team-a/b"});
  EXPECT_EQ(word(cache_->state("team-a/a")), "unknown");
  cache_->put(secret("a", "mine"));
  EXPECT_EQ(word(cache_->state("team-a/a")), "unknown");
  cache_->set_named({"team-a/a", "team-a/b"});
  ASSERT_TRUE(comes_to("team-a/a", "1"));
  cache_->stop();
  EXPECT_EQ(api_.count(kGet), 3U);  // b has stayed
}

TEST_F(SecretCacheTest, WhatWasJustWrittenIsNotReadAgain) {
  start();
  ASSERT_TRUE(is_followed());
  cache_->set_named({"team-a/new", "team-a/b"});
  ASSERT_TRUE(comes_to("team-a/new", "absent"));
  ASSERT_TRUE(comes_to("team-a/b", "1"));
  // The put comes before the watch tells: so the change says nothing new.
  auto written = secret("new", "mine");
  written["metadata"]["uid"] = "00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + api_.version());
  written["metadata"]["resourceVersion"] = std::to_string(api_.version() + 1);
  cache_->put(written);
  EXPECT_EQ(word(cache_->state("team-a/new")), "mine");
  const auto stored = api_.put(secrets(), written);
  ASSERT_EQ(kube::uid_of(stored), kube::uid_of(written));
  ASSERT_EQ(kube::resource_version_of(stored), kube::resource_version_of(written));
  api_.put(secrets(), secret("b", "2"));
  ASSERT_TRUE(comes_to("team-a/b", "2"));
  cache_->stop();
  EXPECT_EQ(api_.count(kGet), 3U);
}

TEST_F(SecretCacheTest, AReadThatAWriteOvertookTellsNothing) {
  start();
  ASSERT_TRUE(is_followed());
  // The reader has the old form in its hands when this process writes the new one.
  auto mine = secret("a", "mine");
  mine["metadata"]["resourceVersion"] = "1000";
  api_.after_calls([&](const std::string& call) -> std::optional<ApiError> {
    if (call == kGet) cache_->put(mine);
    return std::nullopt;
  });
  cache_->set_named({"team-a/a"});
  ASSERT_TRUE(comes_to("team-a/a", "mine"));
  cache_->stop();
  EXPECT_THAT(told(), ElementsAre("team-a/a mine"));
}

TEST_F(SecretCacheTest, LooksWhenItIsTold) {
  refuse("list secrets");
  start({.look_again = 1h});
  cache_->set_named({"team-a/a"});
  ASSERT_TRUE(comes_to("team-a/a", "1"));
  api_.put(secrets(), secret("a", "2"));
  cache_->look("team-a/a");
  ASSERT_TRUE(comes_to("team-a/a", "2"));
  cache_->look("team-a/b");  // not named
  cache_->stop();
  EXPECT_EQ(api_.count(kGet), 2U);
}

TEST_F(SecretCacheTest, ForbiddenKeepsWhatWasRead) {
  start({.look_again = 10ms});
  ASSERT_TRUE(is_followed());
  cache_->set_named({"team-a/a"});
  ASSERT_TRUE(comes_to("team-a/a", "1"));
  refuse(kGet);
  api_.put(secrets(), secret("a", "2"));
  ASSERT_TRUE(wait_until([&] { return api_.count(kGet) >= 4; }));  // it does not give up
  EXPECT_EQ(word(cache_->state("team-a/a")), "1");
  cache_->set_named({"team-a/a", "team-a/b"});
  ASSERT_TRUE(comes_to("team-a/b", "unreadable: not allowed"));
  api_.before_calls({});
  ASSERT_TRUE(comes_to("team-a/a", "2"));
  ASSERT_TRUE(comes_to("team-a/b", "1"));
}

TEST_F(SecretCacheTest, AskedInVainItAsksAgain) {
  std::atomic<int> failures = 3;
  api_.before_calls([&](const std::string& call) -> std::optional<ApiError> {
    if (call != kGet || --failures < 0) return std::nullopt;
    ApiError error;
    error.failure = kube::ApiFailure::unreachable;
    return error;
  });
  start({.look_again = 10ms});
  ASSERT_TRUE(is_followed());
  cache_->set_named({"team-a/a"});
  ASSERT_TRUE(comes_to("team-a/a", "1"));
  cache_->stop();
  EXPECT_THAT(told(), ElementsAre("team-a/a 1"));
  EXPECT_EQ(api_.count(kGet), 4U);
}

TEST_F(SecretCacheTest, WithoutAWatchItLooksFromTimeToTime) {
  refuse("list secrets");
  start({.look_again = 10ms});
  cache_->set_named({"team-a/a"});
  ASSERT_TRUE(comes_to("team-a/a", "1"));
  ASSERT_TRUE(wait_until([&] { return cache_->failure().has_value(); }));
  EXPECT_TRUE(cache_->failure()->forbidden());
  api_.put(secrets(), secret("a", "2"));
  ASSERT_TRUE(comes_to("team-a/a", "2"));
  api_.before_calls({});
  ASSERT_TRUE(wait_until([&] { return !cache_->failure(); }));
  ASSERT_TRUE(is_followed());
  api_.put(secrets(), secret("a", "3"));
  ASSERT_TRUE(comes_to("team-a/a", "3"));
}

TEST_F(SecretCacheTest, AWatchThatFailsAfterwardsIsMadeUpFor) {
  start({.look_again = 10ms});
  cache_->set_named({"team-a/a"});
  ASSERT_TRUE(comes_to("team-a/a", "1"));
  ASSERT_TRUE(is_followed());
  api_.before_calls([](const std::string& made) {
    return made == "list secrets" || made == "watch secrets" ? std::optional(forbidden(made)) : std::nullopt;
  });
  api_.break_watches(kube::SimulatedApi::Break::gone);
  ASSERT_TRUE(wait_until([&] { return cache_->failure().has_value(); }));
  api_.put(secrets(), secret("a", "2"));
  EXPECT_TRUE(comes_to("team-a/a", "2"));
}

TEST_F(SecretCacheTest, StateAndTaleAgreeWhateverOvertakesWhat) {
  start();
  cache_->set_named({"team-a/a"});
  for (int i = 2; i < 200; ++i) {
    api_.put(secrets(), secret("a", std::to_string(i)));
    auto mine = secret("a", "mine " + std::to_string(i));
    mine["metadata"]["resourceVersion"] = "x" + std::to_string(i);
    cache_->put(mine);
  }
  cache_->stop();
  const auto tale = told();
  ASSERT_FALSE(tale.empty());
  EXPECT_EQ(tale.back(), "team-a/a " + word(cache_->state("team-a/a")));
}

}  // namespace
}  // namespace adit::controller
