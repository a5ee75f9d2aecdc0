#include "telemetry/access_log.h"

#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/telemetry/log_file.h"

namespace adit::telemetry {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::system_clock;

constexpr auto at(std::int64_t micros) { return system_clock::time_point(microseconds(micros)); }

/// What ends up in the file after `write`.
std::string written(const std::function<void(AccessLogBuffer&)>& write) {
  const LogFile file;
  auto writer = AccessLogWriter::start({.file = file.path()});
  EXPECT_TRUE(writer) << writer.error();
  {
    AccessLogBuffer buffer(**writer);
    write(buffer);
  }
  writer->reset();
  return file.text();
}

nlohmann::json line_of(const AccessRecord& record) {
  return nlohmann::json::parse(written([&](AccessLogBuffer& buffer) { buffer.write(record); }));
}

TEST(AccessLog, WritesEveryFieldInOneLine) {
  AccessRecord record;
  record.time = at(1'769'903'999'000'042);
  record.request_id = "0123456789abcdef0123456789abcdef";
  record.visitor = "2001:db8::1";
  record.method = "GET";
  record.host = "shop.example.com";
  record.path = "/cart?id=1";
  record.status = 200;
  record.bytes_in = 12;
  record.bytes_out = 18446744073709551615U;
  record.duration = microseconds(1234567);
  record.upstream = microseconds(5);
  record.tunnel = "4d21094e-b74c-4916-86c1-d9fa36ea677b";
  record.connector = "shop-1";
  record.service = "default";
  record.attempts = 2;
  record.reason = "";
  EXPECT_EQ(written([&](AccessLogBuffer& buffer) { buffer.write(record); }),
            R"({"time":"2026-01-31T23:59:59.000042Z","request_id":"0123456789abcdef0123456789abcdef",)"
            R"("visitor":"2001:db8::1","method":"GET","host":"shop.example.com","path":"/cart?id=1","status":200,)"
            R"("bytes_in":12,"bytes_out":18446744073709551615,"duration_ms":1234.567,"upstream_ms":0.005,)"
            R"("tunnel":"4d21094e-b74c-4916-86c1-d9fa36ea677b","connector":"shop-1","service":"default",)"
            R"("attempts":2,"reason":""})"
            "\n");
}

TEST(AccessLog, LeavesOutWhenTheAnswerBeganIfItNeverDid) {
  EXPECT_FALSE(line_of({}).contains("upstream_ms"));
  EXPECT_EQ(line_of({.upstream = nanoseconds{0}})["upstream_ms"], 0.0);
}

TEST(AccessLog, WritesDurationsInMillisecondsToTheMicrosecond) {
  struct Case {
    nanoseconds duration;
    double milliseconds;
  };
  for (const auto& [duration, milliseconds] : std::vector<Case>{{nanoseconds{0}, 0},
                                                                {nanoseconds{999}, 0},
                                                                {nanoseconds{1000}, 0.001},
                                                                {nanoseconds{999'999}, 0.999},
                                                                {nanoseconds{1'000'000}, 1},
                                                                {std::chrono::hours{24}, 86'400'000},
                                                                {nanoseconds{-5'000'000}, 0}}) {
    EXPECT_EQ(line_of({.duration = duration})["duration_ms"], milliseconds) << duration.count();
  }
}

TEST(AccessLog, TimesFollowTheClockInBothDirections) {
  struct Case {
    std::int64_t micros;
    std::string time;
  };
  const std::vector<Case> cases{{1'709'164'799'999'999, "2024-02-28T23:59:59.999999Z"},
                                {1'709'164'800'000'000, "2024-02-29T00:00:00.000000Z"},
                                {1'709'164'800'000'001, "2024-02-29T00:00:00.000001Z"},
                                {1'709'164'799'000'000, "2024-02-28T23:59:59.000000Z"},
                                {0, "1970-01-01T00:00:00.000000Z"},
                                {-1, "1969-12-31T23:59:59.999999Z"}};
  const auto text = written([&](AccessLogBuffer& buffer) {
    for (const auto& test : cases) buffer.write({.time = at(test.micros)});
  });
  std::istringstream lines(text);
  for (const auto& test : cases) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(nlohmann::json::parse(line)["time"], test.time);
  }
}

TEST(AccessLog, HostileTextStaysInItsField) {
  const std::string hostile = "/\",\"status\":999}\n{\"\\\x01\xff";
  const auto line = line_of({.host = hostile, .path = hostile, .status = 404, .reason = hostile});
  EXPECT_EQ(line["status"], 404);
  const std::string expected = "/\",\"status\":999}\n{\"\\\x01\xef\xbf\xbd";
  EXPECT_EQ(line["host"], expected);
  EXPECT_EQ(line["path"], expected);
  EXPECT_EQ(line["reason"], expected);
}

TEST(AccessLog, EveryByteMakesAValidLine) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text{'a', static_cast<char>(byte), 'b'};
    EXPECT_NO_THROW((void)line_of({.path = text})) << byte;
  }
}

TEST(AccessLog, CutsLongTextsBetweenCharacters) {
  EXPECT_EQ(line_of({.path = std::string(4096, 'a')})["path"], std::string(4096, 'a'));
  EXPECT_EQ(line_of({.path = std::string(100'000, 'a')})["path"], std::string(4096, 'a') + "…");
  // The euro sign takes the bytes 4095 to 4097.
  const auto before = std::string(4095, 'a');
  EXPECT_EQ(line_of({.path = before + "€" + "bbb"})["path"], before + "…");
  // Bytes that continue nothing are replaced, wherever the cut is.
  EXPECT_NO_THROW((void)line_of({.path = std::string(5000, '\x80')}));
}

TEST(AccessLog, HandsOverFullBuffersByItself) {
  const LogFile file;
  auto writer = AccessLogWriter::start({.file = file.path()});
  ASSERT_TRUE(writer) << writer.error();
  AccessLogBuffer buffer(**writer);
  const std::string path(1000, 'p');
  for (int i = 0; i < 100; ++i) buffer.write({.path = path});
  // 100 lines are three full buffers and a rest, which is the only part that needs a flush.
  while (file.text().size() < 3 * kFullBuffer) std::this_thread::yield();
  EXPECT_EQ(file.text().back(), '\n');
}

}  // namespace
}  // namespace adit::telemetry
