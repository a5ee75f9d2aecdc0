#include <array>
#include <chrono>
#include <map>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "telemetry/metrics.h"

namespace adit::telemetry {
namespace {

std::map<std::string, double> process_values() {
  Families families;
  collect_process(families);
  std::map<std::string, double> values;
  for (const auto& family : std::move(families).take()) {
    const auto& metric = family.metric.at(0);
    values[family.name] = metric.counter.value + metric.gauge.value;
  }
  return values;
}

TEST(ProcessMetrics, ArePlausible) {
  const auto values = process_values();
  ASSERT_EQ(values.size(), 5U);
  EXPECT_GE(values.at("process_cpu_seconds_total"), 0);
  EXPECT_GT(values.at("process_resident_memory_bytes"), 1e6);
  EXPECT_EQ(values.at("process_max_fds"), static_cast<double>(sysconf(_SC_OPEN_MAX)));
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_GT(values.at("process_start_time_seconds"), now - 24 * 3600);
  // The start is known to a second and a tick.
  EXPECT_LT(values.at("process_start_time_seconds"), now + 2);
}

TEST(ProcessMetrics, CountOpenFiles) {
  const auto before = process_values().at("process_open_fds");
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  EXPECT_EQ(process_values().at("process_open_fds"), before + 2);
  for (const int end : ends) close(end);
  EXPECT_EQ(process_values().at("process_open_fds"), before);
}

TEST(BuildInfo, SaysWhatIsRunning) {
  Registry registry;
  registry.add(build_info("adit-test", "1.2.3"));
  EXPECT_NE(registry.text().find("adit_build_info{program=\"adit-test\",version=\"1.2.3\"} 1\n"), std::string::npos);
}

}  // namespace
}  // namespace adit::telemetry
