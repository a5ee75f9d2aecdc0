#include "telemetry/metrics.h"

#include <atomic>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::telemetry {
namespace {

using testing::HasSubstr;

constexpr std::array kBounds{0.1, 1.0, 10.0};

TEST(Counter, Adds) {
  Counter counter;
  EXPECT_EQ(counter.value(), 0U);
  counter.add();
  counter.add(41);
  EXPECT_EQ(counter.value(), 42U);
}

TEST(Gauge, GoesUpAndDownAndBelowZero) {
  Gauge gauge;
  gauge.add(3);
  gauge.subtract(5);
  EXPECT_EQ(gauge.value(), -2);
  gauge.set(7);
  EXPECT_EQ(gauge.value(), 7);
}

TEST(Counter, IsReadWhileItsWorkerCounts) {
  constexpr std::uint64_t kLast = 100'000;
  Counter counter;
  std::thread worker([&] {
    for (std::uint64_t i = 0; i < kLast; ++i) counter.add();
  });
  for (std::uint64_t seen = 0; seen < kLast;) {
    const auto value = counter.value();
    ASSERT_GE(value, seen);
    seen = value;
  }
  worker.join();
  EXPECT_EQ(counter.value(), kLast);
}

TEST(Histogram, ABoundBelongsToItsBucket) {
  Histogram<kBounds> histogram;
  for (const double value : {-1.0, 0.0, 0.1, 0.11, 1.0, 10.0, 10.1, 1e9}) histogram.observe(value);
  HistogramTotal total;
  histogram.add_to(total);
  EXPECT_THAT(total.counts, testing::ElementsAre(3, 2, 1, 2));
  EXPECT_DOUBLE_EQ(total.sum, 1e9 + 20.31);
}

TEST(Histogram, WorkersAreSummed) {
  std::array<Histogram<kBounds>, 3> workers;
  workers[0].observe(0.05);
  workers[1].observe(0.05);
  workers[2].observe(5);
  HistogramTotal total;
  for (const auto& worker : workers) worker.add_to(total);
  EXPECT_THAT(total.counts, testing::ElementsAre(2, 0, 1, 0));
  EXPECT_DOUBLE_EQ(total.sum, 5.1);
}

TEST(Histogram, TheUsualBoundsAscend) { EXPECT_TRUE(std::is_sorted(kDurationBounds.begin(), kDurationBounds.end())); }

TEST(Registry, WritesTheTextFormat) {
  Registry registry;
  registry.add([](Families& families) {
    families.counter("adit_requests_total", "Requests.").add({{"code", "2xx"}}, 3U).add({{"code", "5xx"}}, 1);
    families.gauge("adit_links", "Links.").add({}, -2);
  });
  EXPECT_EQ(registry.text(),
            "# HELP adit_requests_total Requests.\n"
            "# TYPE adit_requests_total counter\n"
            "adit_requests_total{code=\"2xx\"} 3\n"
            "adit_requests_total{code=\"5xx\"} 1\n"
            "# HELP adit_links Links.\n"
            "# TYPE adit_links gauge\n"
            "adit_links -2\n");
}

TEST(Registry, WritesHistogramsCumulatively) {
  Histogram<kBounds> histogram;
  for (const double value : {0.5, 0.5, 5.0, 50.0}) histogram.observe(value);
  Registry registry;
  registry.add([&](Families& families) {
    HistogramTotal total;
    histogram.add_to(total);
    families.histogram("adit_seconds", "Durations.").add({{"kind", "a"}}, total);
  });
  EXPECT_EQ(registry.text(),
            "# HELP adit_seconds Durations.\n"
            "# TYPE adit_seconds histogram\n"
            "adit_seconds_count{kind=\"a\"} 4\n"
            "adit_seconds_sum{kind=\"a\"} 56\n"
            "adit_seconds_bucket{kind=\"a\",le=\"0.1\"} 0\n"
            "adit_seconds_bucket{kind=\"a\",le=\"1\"} 2\n"
            "adit_seconds_bucket{kind=\"a\",le=\"10\"} 3\n"
            "adit_seconds_bucket{kind=\"a\",le=\"+Inf\"} 4\n");
}

TEST(Registry, CollectorsShareAFamilyOfOneName) {
  Registry registry;
  for (const auto* worker : {"0", "1"}) {
    registry.add([worker](Families& families) { families.counter("adit_x_total", "X.").add({{"worker", worker}}, 1); });
  }
  const auto text = registry.text();
  EXPECT_EQ(text.find("# TYPE"), text.rfind("# TYPE"));
  EXPECT_THAT(text, HasSubstr("adit_x_total{worker=\"0\"} 1\nadit_x_total{worker=\"1\"} 1\n"));
}

TEST(Registry, AHostileLabelStaysInItsQuotes) {
  Registry registry;
  registry.add([](Families& families) { families.gauge("adit_x", "X.").add({{"tunnel", "a\"} 1\nevil 2\\"}}, 1); });
  EXPECT_THAT(registry.text(), HasSubstr("adit_x{tunnel=\"a\\\"} 1\\nevil 2\\\\\"} 1\n"));
}

TEST(Registry, KeepsLargeCountersExact) {
  Registry registry;
  registry.add(
      [](Families& families) { families.counter("adit_bytes_total", "Bytes.").add({}, std::uint64_t{1} << 53U); });
  const auto text = registry.text();
  EXPECT_EQ(std::stod(text.substr(text.rfind(' '))), 9007199254740992.0) << text;
}

TEST(Registry, ReadsTheCellsAnewForEachPage) {
  Counter counter;
  Registry registry;
  registry.add([&](Families& families) { families.counter("adit_x_total", "X.").add({}, counter.value()); });
  EXPECT_THAT(registry.text(), HasSubstr("adit_x_total 0\n"));
  counter.add(5);
  EXPECT_THAT(registry.text(), HasSubstr("adit_x_total 5\n"));
}

}  // namespace
}  // namespace adit::telemetry
