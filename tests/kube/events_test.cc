#include "kube/events.h"

#include <atomic>

#include <gtest/gtest.h>

#include "kube/event_series.h"
#include "tests/kube/objects.h"
#include "tests/kube/simulated_api.h"

namespace adit::kube {
namespace {

class EventRecorderTest : public testing::Test {
 protected:
  EventRecorderTest() {
    api_.after_calls([this](const std::string&) -> std::optional<ApiError> {
      signal_.tell([this] { ++written_; });
      return std::nullopt;
    });
  }

  SimulatedApi api_;
  Signal signal_;
  int written_ = 0;
};

TEST_F(EventRecorderTest, WritesEventsOnItsOwnThread) {
  EventRecorder recorder(api_, "adit-operator", [] { return true; });
  recorder.record(tunnel("x", "1"), EventType::normal, "Accepted", "m");
  recorder.record(tunnel("y", "1"), EventType::warning, "HostTaken", "by b/z");
  ASSERT_TRUE(signal_.wait([this] { return written_ == 2; }));
  const auto events = api_.all(event_resource());
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(text_at(events[0], {"metadata", "namespace"}), "a");
  EXPECT_EQ(recorder.dropped(), 0U);
}

TEST_F(EventRecorderTest, WritesNothingWithoutLeaveToWrite) {
  std::atomic<int> asked = 0;
  {
    EventRecorder recorder(api_, "adit-operator", [&] {
      signal_.tell([&] { ++asked; });
      return false;
    });
    recorder.record(tunnel("x", "1"), EventType::normal, "Accepted", "m");
    ASSERT_TRUE(signal_.wait([&] { return asked == 1; }));
  }
  EXPECT_TRUE(api_.calls().empty());
}

// While a slow server holds up the recorder's thread, who records does not wait, and what does not fit is counted.
TEST_F(EventRecorderTest, ASlowServerHoldsUpNobody) {
  bool held = false;
  bool open = false;
  api_.before_calls([&](const std::string&) -> std::optional<ApiError> {
    signal_.tell([&] { held = true; });
    signal_.wait([&] { return open; });
    return std::nullopt;
  });
  EventRecorder recorder(api_, "adit-operator", [] { return true; });
  recorder.record(tunnel("first", "1"), EventType::normal, "R", "m");
  ASSERT_TRUE(signal_.wait([&] { return held; }));
  for (int i = 0; i < 1'010; ++i) recorder.record(tunnel("x" + std::to_string(i), "1"), EventType::normal, "R", "m");
  EXPECT_EQ(recorder.dropped(), 11U);
  signal_.tell([&] { open = true; });
  ASSERT_TRUE(signal_.wait([this] { return written_ == 1'000; }));
}

}  // namespace
}  // namespace adit::kube
