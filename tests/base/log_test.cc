#include "base/log.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace adit::base {
namespace {

/// What `write` puts on standard error, parsed; null if nothing.
template <class Write>
nlohmann::json logged(Write write) {
  testing::internal::CaptureStderr();
  write();
  const auto text = testing::internal::GetCapturedStderr();
  if (text.empty()) return nullptr;
  EXPECT_EQ(text.find('\n'), text.size() - 1) << "one line: " << text;
  return nlohmann::json::parse(text);
}

TEST(Log, WritesOneJsonObjectPerLine) {
  log::init("adit-test", log::Level::info, false);
  const auto line = logged([] { log::warning("disk is full", {{"used", 97}, {"ok", false}, {"path", "/var"}}); });
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["program"], "adit-test");
  EXPECT_EQ(line["message"], "disk is full");
  EXPECT_EQ(line["used"], 97);
  EXPECT_EQ(line["ok"], false);
  EXPECT_EQ(line["path"], "/var");
  EXPECT_FALSE(line.contains("insecure"));
}

TEST(Log, StampsTheTimeAsRfc3339InUtc) {
  log::init("adit-test", log::Level::info, false);
  const std::string time = logged([] { log::info("x"); })["time"];
  EXPECT_EQ(time.size(), 27U) << time;
  EXPECT_EQ(time[10], 'T');
  EXPECT_EQ(time.back(), 'Z');
}

TEST(Log, HostileTextCannotBreakOutOfItsField) {
  log::init("adit-test", log::Level::info, false);
  const std::string hostile = "a\",\"level\":\"debug\n{}%n\x1b[2J\xff{}";
  const auto line = logged([&] { log::info(hostile, {{"host", hostile}}); });
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["host"], "a\",\"level\":\"debug\n{}%n\x1b[2J\xef\xbf\xbd{}");
}

TEST(Log, SaysInEveryLineThatLinksAreNotEncrypted) {
  log::init("adit-test", log::Level::info, true);
  EXPECT_EQ(logged([] { log::info("x"); })["insecure"], true);
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  log::init("adit-test", log::Level::warning, false);
  EXPECT_TRUE(logged([] { log::info("x"); }).is_null());
  EXPECT_FALSE(logged([] { log::error("x"); }).is_null());
  log::init("adit-test", log::Level::debug, false);
  EXPECT_EQ(logged([] { log::debug("x"); })["level"], "debug");
}

}  // namespace
}  // namespace adit::base
