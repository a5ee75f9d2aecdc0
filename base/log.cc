#include "base/log.h"

#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/text.h"

namespace adit::base::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// Made at the first use, so that a line before init (a broken command line) is not lost.
spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("adit", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})", spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

std::string& preamble() {
  static std::string text;
  return text;
}

}  // namespace

Level parse_level(std::string_view name) {
  if (name == "debug") return Level::debug;
  if (name == "warning") return Level::warning;
  return name == "error" ? Level::error : Level::info;
}

void init(std::string_view program, Level least, bool insecure) {
  auto& text = preamble();
  text = R"("program":")";
  append_json_escaped(text, program);
  text += insecure ? R"(","insecure":true,)" : R"(",)";
  logger().set_level(to_spdlog(least));
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!logger().should_log(to_spdlog(level))) return;
  std::string line = preamble() + R"("message":")";
  append_json_escaped(line, message);
  line += '"';
  for (const auto& field : fields) {
    line.append(",\"").append(field.name).append(field.bare ? "\":" : "\":\"");
    if (field.bare) {
      line += field.value;
    } else {
      append_json_escaped(line, field.value);
      line += '"';
    }
  }
  logger().log(to_spdlog(level), "{}", line);
}

}  // namespace adit::base::log
