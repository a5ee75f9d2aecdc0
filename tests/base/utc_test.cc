#include "base/utc.h"

#include <gtest/gtest.h>

namespace adit::base {
namespace {

TEST(UtcText, IsRfc3339) {
  const std::pair<std::time_t, const char*> cases[] = {
      {0, "1970-01-01T00:00:00Z"},
      {-1, "1969-12-31T23:59:59Z"},
      {784'111'777, "1994-11-06T08:49:37Z"},
      {951'782'400, "2000-02-29T00:00:00Z"},
      {1'800'000'000, "2027-01-15T08:00:00Z"},
  };
  for (const auto& [time, text] : cases) EXPECT_EQ(utc_text(std::chrono::system_clock::from_time_t(time)), text);
}

TEST(UtcText, LeavesFractionsOut) {
  EXPECT_EQ(utc_text(std::chrono::system_clock::time_point(std::chrono::milliseconds(1999))), "1970-01-01T00:00:01Z");
}

}  // namespace
}  // namespace adit::base
