#include "kube/watch_line.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::kube {
namespace {

using testing::ElementsAre;
using Type = WatchLine::Type;

TEST(WatchLine, IsUnderstood) {
  const struct {
    const char* line;
    Type type;
  } cases[] = {
      {R"({"type":"ADDED","object":{"metadata":{"name":"x","resourceVersion":"1"}}})", Type::set},
      {R"({"type":"MODIFIED","object":{"metadata":{"name":"x","resourceVersion":"1"}}})", Type::set},
      {R"({"type":"DELETED","object":{"metadata":{"name":"x","resourceVersion":"1"}}})", Type::erase},
      {R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1"}}})", Type::bookmark},
      {R"( {"object":{"code":410},"type":"ERROR","more":1} )", Type::error},
      {"{\"type\":\"ERROR\",\"object\":{}}\r", Type::error},
  };
  for (const auto& c : cases) {
    const auto read = read_watch_line(c.line);
    ASSERT_TRUE(read) << c.line;
    EXPECT_EQ(read->type, c.type) << c.line;
  }
}

TEST(WatchLine, OfAnyOtherShapeIsMalformed) {
  const char* const lines[] = {
      "{",
      "null",
      "7",
      "[]",
      "\"ADDED\"",
      "{}",
      R"({"type":"ADDED"})",
      R"({"object":{}})",
      R"({"type":"ADDED","object":null})",
      R"({"type":"ADDED","object":[]})",
      R"({"type":["ADDED"],"object":{}})",
      R"({"type":"added","object":{"metadata":{"name":"x","resourceVersion":"1"}}})",
      R"({"type":"ADDED","object":{"metadata":{"name":"x"}}})",
      R"({"type":"ADDED","object":{"metadata":{"name":"x","resourceVersion":1}}})",
      R"({"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}})",
      R"({"type":"DELETED","object":{"metadata":{"name":"","resourceVersion":"1"}}})",
      R"({"type":"BOOKMARK","object":{"metadata":{}}})",
      R"({"type":"BOOKMARK","object":{}})",
      R"({"type":"ADDED","object":{"metadata":{"name":"x","resourceVersion":"1"}}}{"type")",
      "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"\xFF\",\"resourceVersion\":\"1\"}}}"};
  for (const auto* line : lines) {
    const auto read = read_watch_line(line);
    ASSERT_FALSE(read) << line;
    EXPECT_EQ(read.error().failure, ApiFailure::malformed) << line;
  }
}

TEST(WatchLine, AStatusOfAnyShapeIsAnError) {
  const struct {
    const char* status;
    int code;
    int retry_after;
  } cases[] = {
      {R"({"code":410,"reason":"Expired","message":"too old"})", 410, 0},
      {R"({"code":429,"details":{"retryAfterSeconds":7}})", 429, 7},
      {R"({"code":429,"details":{"retryAfterSeconds":-7}})", 429, 0},
      {R"({"code":429,"details":{"retryAfterSeconds":1e300}})", 429, 0},
      {R"({"code":"410"})", 500, 0},
      {R"({"code":99999999999})", 500, 0},
      {R"({"code":-1,"reason":7,"message":[],"details":7})", 500, 0},
      {"{}", 500, 0},
      {"null", 500, 0},
  };
  for (const auto& c : cases) {
    const auto error = error_of_status(Json::parse(c.status), "watch x");
    EXPECT_EQ(error.code, c.code) << c.status;
    EXPECT_EQ(error.retry_after.value_or(std::chrono::seconds(0)).count(), c.retry_after) << c.status;
    EXPECT_EQ(error.call, "watch x");
  }
}

/// The lines that come of `parts`; a last element "!" when the cutter refused.
std::vector<std::string> cut(const std::vector<std::string>& parts, std::size_t most = 100) {
  LineCutter cutter(most);
  std::vector<std::string> lines;
  for (const auto& part : parts) {
    const bool ok = cutter.feed(part, [&](std::string_view line) {
      lines.emplace_back(line);
      return true;
    });
    if (!ok) lines.emplace_back("!");
  }
  return lines;
}

TEST(LineCutter, CutsWhereverTheBytesAreSplit) {
  const std::string bytes = "one\n\nthree and more\nfo";
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    for (std::size_t j = i; j <= bytes.size(); ++j) {
      EXPECT_THAT(cut({bytes.substr(0, i), bytes.substr(i, j - i), bytes.substr(j)}),
                  ElementsAre("one", "", "three and more"));
    }
  }
}

TEST(LineCutter, RefusesALineThatIsTooLong) {
  EXPECT_THAT(cut({"12345\n", "123", "45\n"}, 5), ElementsAre("12345", "12345"));
  EXPECT_THAT(cut({"123456"}, 5), ElementsAre("!"));
  EXPECT_THAT(cut({"123456\n"}, 5), ElementsAre("!"));
  EXPECT_THAT(cut({"123", "456"}, 5), ElementsAre("!"));
  EXPECT_THAT(cut({"1\n123", "456\n"}, 5), ElementsAre("1", "!"));
}

TEST(LineCutter, StopsWhenItIsTold) {
  LineCutter cutter(100);
  int lines = 0;
  EXPECT_FALSE(cutter.feed("a\nb\nc\n", [&](std::string_view) { return ++lines < 2; }));
  EXPECT_EQ(lines, 2);
}

}  // namespace
}  // namespace adit::kube
