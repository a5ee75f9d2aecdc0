#include "kube/event_series.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/kube/objects.h"

namespace adit::kube {
namespace {

using std::chrono::seconds;

class EventSeriesTest : public testing::Test {
 protected:
  bool record(const std::string& name, const std::string& message = "m", EventType type = EventType::normal) {
    auto object = tunnel(name, "7");
    object["metadata"]["uid"] = "uid-" + name;
    return series_.record(now_, "T" + std::to_string(now_.time_since_epoch() / seconds(1)), object, type, "Accepted",
                          message);
  }

  /// The writes that are due, each answered by `answer`: "create NAME COUNT" or "apply NAME COUNT".
  std::string write(const ApiResult<Json>& answer = Json()) {
    std::string text;
    while (const auto due = series_.next(now_)) {
      text += std::string(due->creates ? "create " : "apply ") + text_at(due->event, {"involvedObject", "name"}) + " " +
              due->event["count"].dump() + ";";
      last_ = due->event;
      series_.written(now_, answer);
    }
    return text;
  }

  base::Random random_{1};
  EventSeries series_{"adit-operator", {.series = 3}, random_};
  base::TimePoint now_{seconds(1000)};
  Json last_;
};

TEST_F(EventSeriesTest, WritesAWholeEvent) {
  ASSERT_TRUE(record("shop", "host taken", EventType::warning));
  EXPECT_EQ(write(), "create shop 1;");
  const auto name = text_at(last_, {"metadata", "name"});
  EXPECT_EQ(name.substr(0, 5), "shop.");
  EXPECT_EQ(name.find_first_not_of("0123456789abcdef", 5), std::string::npos) << name;
  EXPECT_EQ(name.size(), 21U);
  last_["metadata"].erase("name");
  EXPECT_EQ(last_, Json::parse(R"({
    "apiVersion": "v1", "kind": "Event", "metadata": {"namespace": "a"},
    "involvedObject": {"apiVersion": "adit.dev/v1alpha1", "kind": "Tunnel", "namespace": "a", "name": "shop",
                       "uid": "uid-shop", "resourceVersion": "7"},
    "type": "Warning", "reason": "Accepted", "message": "host taken", "count": 1,
    "source": {"component": "adit-operator"}, "reportingComponent": "adit-operator",
    "firstTimestamp": "T1000", "lastTimestamp": "T1000"})"));
}

TEST_F(EventSeriesTest, EventsOfClusterScopedObjectsAreInDefault) {
  series_.record(now_, "T", Json::parse(R"({"kind": "Node", "metadata": {"name": "n"}})"), EventType::normal, "R", "m");
  EXPECT_EQ(write(), "create n 1;");
  EXPECT_EQ(text_at(last_, {"metadata", "namespace"}), "default");
  EXPECT_FALSE(last_["involvedObject"].contains("namespace"));
}

TEST_F(EventSeriesTest, EqualOnesRaiseTheCountAtMostOnceInTenSeconds) {
  record("shop");
  EXPECT_EQ(write(), "create shop 1;");
  for (int i = 0; i < 5; ++i) record("shop");
  EXPECT_EQ(write(), "");
  EXPECT_EQ(series_.next_due(), now_ + seconds(10));
  now_ += seconds(10);
  EXPECT_EQ(write(), "apply shop 6;");
  EXPECT_EQ(text_at(last_, {"lastTimestamp"}), "T1000");
  EXPECT_EQ(series_.next_due(), base::kNever);
  now_ += seconds(60);
  record("shop");
  EXPECT_EQ(write(), "apply shop 7;");
  EXPECT_EQ(text_at(last_, {"firstTimestamp"}), "T1000");
  EXPECT_EQ(text_at(last_, {"lastTimestamp"}), "T1070");
}

TEST_F(EventSeriesTest, WhatIsNotEqualIsAnotherEvent) {
  record("shop");
  record("shop", "other");
  record("shop", "m", EventType::warning);
  const auto writes = write();
  EXPECT_EQ(writes, "create shop 1;create shop 1;create shop 1;");
}

TEST_F(EventSeriesTest, AnotherObjectOfTheSameNameIsAnother) {
  record("shop");
  auto again = tunnel("shop", "9");
  again["metadata"]["uid"] = "other";
  series_.record(now_, "T", again, EventType::normal, "Accepted", "m");
  EXPECT_EQ(write(), "create shop 1;create shop 1;");
}

TEST_F(EventSeriesTest, AfterTenQuietMinutesItIsToldAnew) {
  record("shop");
  write();
  now_ += seconds(599);
  record("shop");
  EXPECT_EQ(write(), "apply shop 2;");
  now_ += seconds(600);
  record("shop");
  EXPECT_EQ(write(), "create shop 1;");
}

TEST_F(EventSeriesTest, WhatComesDuringAWriteIsWrittenLater) {
  record("shop");
  ASSERT_TRUE(series_.next(now_));
  record("shop");
  EXPECT_EQ(series_.next_due(), base::kNever);
  series_.written(now_, Json());
  now_ += seconds(10);
  EXPECT_EQ(write(), "apply shop 2;");
}

TEST_F(EventSeriesTest, IsBounded) {
  EXPECT_TRUE(record("a") && record("b") && record("c"));
  EXPECT_FALSE(record("d")) << "three wait to be written";
  EXPECT_TRUE(record("a")) << "it needs no room";
  write();
  now_ += seconds(1);
  EXPECT_TRUE(record("d")) << "in the place of the oldest that is written";
  EXPECT_EQ(series_.size(), 3U);
  EXPECT_EQ(write(), "create d 1;");
}

TEST_F(EventSeriesTest, TriesAgainOnlyWhatMayPass) {
  using F = ApiFailure;
  const struct {
    ApiError error;
    const char* then;
  } cases[] = {
      {{F::unreachable, 0, "", "", "", {}}, "create x 1;"},
      {{F::timed_out, 0, "", "", "", {}}, "create x 1;"},
      {{F::refused, 429, "", "", "", {}}, "create x 1;"},
      {{F::refused, 503, "", "", "", {}}, "create x 1;"},
      {{F::refused, 403, "", "", "", {}}, ""},
      {{F::refused, 404, "", "", "", {}}, ""},
      {{F::malformed, 200, "", "", "", {}}, ""},
  };
  for (const auto& c : cases) {
    record("x");
    EXPECT_EQ(write(c.error), "create x 1;") << c.error.text();
    now_ += seconds(10);
    EXPECT_EQ(write(), c.then) << c.error.text();
    now_ += seconds(1000);
  }
}

TEST_F(EventSeriesTest, GivesUpAfterThreeTries) {
  record("x");
  const ApiError broken{ApiFailure::unreachable, 0, "", "", "", {}};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(write(broken), "create x 1;");
    now_ += seconds(10);
  }
  EXPECT_EQ(write(broken), "");
  EXPECT_EQ(series_.next_due(), base::kNever);
  record("x");
  EXPECT_EQ(write(), "create x 2;");
}

TEST_F(EventSeriesTest, ANameThatIsTakenIsAWriteWhoseAnswerWasLost) {
  record("x");
  write(ApiError{ApiFailure::unreachable, 0, "", "", "", {}});
  now_ += seconds(10);
  EXPECT_EQ(write(ApiError{ApiFailure::refused, 409, "", "AlreadyExists", "", {}}), "create x 1;");
  now_ += seconds(10);
  record("x");
  EXPECT_EQ(write(), "apply x 2;");
}

TEST_F(EventSeriesTest, WhatMayNotBeWrittenIsForgotten) {
  record("x");
  ASSERT_TRUE(series_.next(now_));
  series_.dropped();
  EXPECT_EQ(series_.size(), 0U);
  EXPECT_EQ(write(), "");
}

TEST_F(EventSeriesTest, LongAndInvalidMessagesAreMadeFit) {
  record("x", std::string(2'000, 'm') + "\xFF");
  write();
  EXPECT_EQ(text_at(last_, {"message"}).size(), 1'024U);
  EXPECT_FALSE(last_.dump().empty());
}

/// RFC 1123: labels of letters, digits and inner hyphens.
bool is_subdomain(const std::string& name) {
  const auto outer = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool first = i == 0 || name[i - 1] == '.';
    const bool last = i + 1 == name.size() || name[i + 1] == '.';
    if (name[i] == '.' ? first || last : !outer(name[i]) && (name[i] != '-' || first || last)) return false;
  }
  return !name.empty();
}

TEST(EventName, IsAlwaysAValidSubdomain) {
  const struct {
    std::string name;
    std::string begins;
  } cases[] = {
      {"shop", "shop"},
      {"shop.example.com", "shop.example.com"},
      {"", "object"},
      {"...", "object"},
      {"-", "object"},
      {"System:Node", "system-node"},
      {"a.-b", "a.b"},
      {"a-.b", "a.b"},
      {"a..b", "a.b"},
      {"-a-", "a"},
      {"\xC3\xA9", "object"},
      {std::string(253, 'x'), std::string(236, 'x')},
      {std::string(235, 'x') + "..........yyyyyyyyy", std::string(235, 'x')},
      {std::string(234, 'x') + "-----------yyyyyyyyy", std::string(234, 'x')},
  };
  for (const auto& c : cases) {
    const auto name = event_name(c.name, 0xabc);
    EXPECT_EQ(name, c.begins + ".0000000000000abc") << c.name;
    EXPECT_LE(name.size(), 253U);
    EXPECT_TRUE(is_subdomain(name)) << name;
  }
}

}  // namespace
}  // namespace adit::kube
