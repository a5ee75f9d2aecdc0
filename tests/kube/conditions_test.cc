#include "kube/conditions.h"

#include <gtest/gtest.h>

namespace adit::kube {
namespace {

const std::string kThen = "2026-01-01T00:00:00Z";
const std::string kNow = "2026-02-02T00:00:00Z";

Json present(const char* status) {
  return Json::array({{{"type", "Ready"}, {"status", status}, {"reason", "Old"}, {"lastTransitionTime", kThen}}});
}

/// lastTransitionTime of Ready=True merged into `conditions`.
std::string time_after(const Json& conditions) {
  return text_at(merge_conditions(conditions, {{"Ready", Truth::yes, "New", "m", 3}}, kNow)[0], {"lastTransitionTime"});
}

TEST(Conditions, KeepTheTimeWhileTheStatusIsTheSame) {
  EXPECT_EQ(time_after(present("True")), kThen);
  EXPECT_EQ(time_after(present("False")), kNow);
  EXPECT_EQ(time_after(present("Unknown")), kNow);
  EXPECT_EQ(time_after(Json()), kNow);
}

TEST(Conditions, AreReadFromAnyShape) {
  const char* const shapes[] = {"null",
                                "{}",
                                "7",
                                "[]",
                                "[null, 7, {}]",
                                R"([{"type": 7}])",
                                R"([{"type": "Ready"}])",
                                R"([{"type": "Ready", "status": true, "lastTransitionTime": "x"}])",
                                R"([{"type": "Ready", "status": "True", "lastTransitionTime": 7}])",
                                R"({"type": "Ready", "status": "True", "lastTransitionTime": "x"})"};
  for (const auto* shape : shapes) EXPECT_EQ(time_after(Json::parse(shape)), kNow) << shape;
}

TEST(Conditions, AreInTheOrderWantedAndComplete) {
  const auto merged = merge_conditions(
      present("True"), {{"Accepted", Truth::no, "HostTaken", "by b/x", 2}, {"Ready", Truth::unknown, "R", "", 2}},
      kNow);
  EXPECT_EQ(merged, Json::parse(R"([
    {"type": "Accepted", "status": "False", "reason": "HostTaken", "message": "by b/x", "observedGeneration": 2,
     "lastTransitionTime": "2026-02-02T00:00:00Z"},
    {"type": "Ready", "status": "Unknown", "reason": "R", "message": "", "observedGeneration": 2,
     "lastTransitionTime": "2026-02-02T00:00:00Z"}])"));
}

TEST(Conditions, MergingAgainChangesNothing) {
  const std::vector<Condition> wanted{{"Accepted", Truth::yes, "A", "", 1}, {"Ready", Truth::no, "R", "because", 1}};
  const auto first = merge_conditions(Json(), wanted, kThen);
  EXPECT_EQ(merge_conditions(first, wanted, kNow), first);
}

TEST(Conditions, MessagesAreCut) {
  const auto merged = merge_conditions(Json(), {{"Ready", Truth::no, "R", std::string(40'000, 'x'), 1}}, kNow);
  EXPECT_EQ(text_at(merged[0], {"message"}).size(), 32'768U);
}

TEST(Conditions, OfOtherTypesAreLeftToTheirManagers) {
  EXPECT_EQ(find_condition(merge_conditions(present("True"), {{"Other", Truth::yes, "R", "", 1}}, kNow), "Ready"),
            nullptr);
}

}  // namespace
}  // namespace adit::kube
