#pragma once
// The program's log: one JSON object per line on standard error. (The access log is telemetry/access_log.h.)

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace adit::base::log {

enum class Level { debug, info, warning, error };

/// "debug", "info", "warning" or "error"; anything else is info.
Level parse_level(std::string_view name);

/// A named value of a log line. Numbers and booleans stay bare in JSON; text is quoted and escaped.
struct Field {
  template <class T>
  Field(std::string_view field_name, const T& field_value) : name(field_name) {
    if constexpr (std::is_same_v<T, bool>) {
      value = field_value ? "true" : "false";
      bare = true;
    } else if constexpr (std::is_arithmetic_v<T>) {
      value = std::to_string(field_value);
      bare = true;
    } else {
      value = std::string(std::string_view(field_value));
    }
  }
  std::string_view name;
  std::string value;
  bool bare = false;
};

/// Called once by main: the program's name is in every line, with `insecure` a remark that links are not encrypted.
void init(std::string_view program, Level least, bool insecure);

/// Writes {"time":…,"level":…,"program":…,"message":…,FIELDS}. Any thread; never throws; may block on standard error,
/// so it is for events, not for requests. Secrets do not belong in it.
void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::debug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::info, message, fields);
}
inline void warning(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::warning, message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::error, message, fields);
}

}  // namespace adit::base::log
