#include "kube/reflector.h"

#include <atomic>

#include <gtest/gtest.h>

#include "tests/kube/objects.h"
#include "tests/kube/simulated_api.h"

namespace adit::kube {
namespace {

class ReflectorTest : public testing::Test {
 protected:
  ReflectorTest()
      : reflector_(
            api_, options(), [this](const auto& changes) { take(changes); }, [this] { tell(); }) {}
  ~ReflectorTest() override { reflector_.stop(); }

  static ReflectorOptions options() {
    ReflectorOptions options;
    options.selection.resource = tunnels();
    options.name = "tunnels";
    options.page_size = 2;
    return options;
  }

  void take(const std::vector<Change>& changes) {
    signal_.tell([&] {
      ++calls_;
      for (const auto& change : changes) told_ += (change.after ? " +" : " -") + change.key;
    });
  }
  void tell() {
    signal_.tell([this] { ++failures_told_; });
  }
  bool wait_for(const std::string& told) {
    return signal_.wait([&] { return told_ == told; });
  }

  SimulatedApi api_;
  Signal signal_;
  int calls_ = 0;
  int failures_told_ = 0;
  std::string told_;
  Reflector reflector_;
};

TEST_F(ReflectorTest, FollowsTheServer) {
  for (const auto* name : {"x", "y", "z"}) api_.put(tunnels(), tunnel(name));
  reflector_.start();
  ASSERT_TRUE(signal_.wait([this] { return calls_ == 1; })) << "a list is told at once";
  EXPECT_EQ(reflector_.store().size(), 3U);
  EXPECT_TRUE(reflector_.store().is_synced());
  signal_.tell([this] { told_.clear(); });
  api_.put(tunnels(), tunnel("w"));
  ASSERT_TRUE(wait_for(" +a/w"));
  api_.erase(tunnels(), {"a", "w"});
  ASSERT_TRUE(wait_for(" +a/w -a/w"));
  EXPECT_EQ(reflector_.store().find("a/w"), nullptr);
  EXPECT_EQ(reflector_.counts().lists, 2U) << "two pages";
  EXPECT_EQ(reflector_.counts().watches, 1U);
  EXPECT_EQ(reflector_.counts().events, 2U);
  EXPECT_EQ(failures_told_, 0);
}

TEST_F(ReflectorTest, TellsOfAnEmptyFirstList) {
  reflector_.start();
  ASSERT_TRUE(signal_.wait([this] { return calls_ == 1; }));
  EXPECT_TRUE(reflector_.store().is_synced());
  EXPECT_EQ(told_, "");
}

TEST_F(ReflectorTest, AMissingRightIsToldOnceAndItsEndToo) {
  std::atomic<int> refused = 0;
  api_.before_calls([&](const std::string& call) -> std::optional<ApiError> {
    if (++refused > 3) return std::nullopt;
    return ApiError{ApiFailure::refused, 403, call, "Forbidden", "cannot list resource \"tunnels\"", {}};
  });
  reflector_.start();
  ASSERT_TRUE(signal_.wait([this] { return failures_told_ == 1; }));
  ASSERT_TRUE(signal_.wait([this] { return failures_told_ == 2; }));
  EXPECT_FALSE(reflector_.store().failure());
  EXPECT_EQ(reflector_.counts().failures, 3U);
}

TEST_F(ReflectorTest, SurvivesEachWayAWatchCanBreak) {
  reflector_.start();
  ASSERT_TRUE(signal_.wait([this] { return calls_ == 1; }));
  std::string told;
  using Break = SimulatedApi::Break;
  for (const auto how : {Break::close, Break::cut, Break::corrupt, Break::gone}) {
    api_.break_watches(how);
    const auto name = std::to_string(static_cast<int>(how));
    api_.put(tunnels(), tunnel(name));
    told += " +a/" + name;
    ASSERT_TRUE(wait_for(told)) << name;
  }
}

TEST_F(ReflectorTest, StopEndsAllCallsAndStartGoesOn) {
  api_.put(tunnels(), tunnel("x"));
  reflector_.start();
  ASSERT_TRUE(wait_for(" +a/x"));
  reflector_.stop();
  api_.put(tunnels(), tunnel("y"));
  EXPECT_EQ(told_, " +a/x");
  reflector_.start();
  ASSERT_TRUE(wait_for(" +a/x +a/y"));
  EXPECT_EQ(calls_, 2) << "nothing is told twice";
}

}  // namespace
}  // namespace adit::kube
