#pragma once
// The options of a program, described once and read from the command line, the environment and a YAML file.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"

namespace adit::base {

/// Where a listener stands, as written by the user; names are not resolved yet.
struct ListenAddress {
  std::string host;        ///< empty: every address of the machine, IPv6 and IPv4; an IPv6 address has no brackets
  std::uint16_t port = 0;  ///< 0: any free port
  bool off = false;        ///< no such listener; host and port mean nothing

  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// "HOST:PORT", ":PORT", "[IPV6]:PORT" or "off".
Result<ListenAddress> parse_listen_address(std::string_view text);
/// The form that parse_listen_address reads.
std::string to_string(const ListenAddress& address);

/// A whole number with the unit ms, s, m or h: "250ms", "30s". At most 366 days.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
/// In the largest unit that divides it: "90s", "5m", "0s".
std::string to_string(std::chrono::milliseconds duration);

/// The least and the greatest value of an option.
template <class T>
struct Range {
  T least = std::numeric_limits<T>::min();
  T most = std::numeric_limits<T>::max();
};

/// How a list differs from a plain list of strings.
struct ListForm {
  /// The YAML key if it is not made from the flag: "services" for --service.
  std::string key = {};
  /// Makes an item of each entry when the YAML value is a map, such as name_equals_value; absent: a map is an error.
  std::function<std::string(std::string_view name, std::string_view value)> from_map = {};
  /// Refuses a wrong item, so that the error names flag, variable or line.
  std::function<Result<void>(std::string_view item)> check = {};
};

/// "name=value".
std::string name_equals_value(std::string_view name, std::string_view value);

/// What a program does after its settings were read.
struct ParseOutcome {
  std::optional<int> exit_code;       ///< absent: run. 0: --help or --version. 2: the settings are wrong
  std::string text;                   ///< to print before the exit: to standard output for code 0, else standard error
  std::vector<std::string> warnings;  ///< for the log: environment variables that look like settings but are none

  bool run() const { return !exit_code; }
};

enum class OptionKind { value, toggle, list };

/// What the sources of settings need to know of one option; made by Settings.
struct SettingsOption {
  OptionKind kind = OptionKind::value;
  std::string flag;      ///< with its dashes
  std::string key;       ///< of YAML; empty: not for the file
  std::string variable;  ///< of the environment
  std::string group;
  std::string help;
  std::string value_name;
  std::string default_text;
  ListForm form;
  std::function<void()> clear;                              ///< of a list, before the items of another source
  std::function<Result<void>(std::string_view text)> read;  ///< called once for each text
};

/// One description of every option. The flag "--link-host" has the YAML key `linkHost` and the environment variable
/// ADIT_LINK_HOST; a flag wins over the environment, that over the file, that over the default (the value which the
/// target has when it is added). Every source is checked, also where a stronger one wins. An empty environment variable
/// counts as not set. --config FILE (ADIT_CONFIG), --help and --version are there without being added.
///
/// A secret is never an option: argv and environment are visible to others, so secrets come from files whose paths are
/// options. Targets are borrowed until parse returns. Used by one thread, before the program starts.
class Settings {
 public:
  /// Reads one text into a value of the caller; the error gives the reason, this class adds where the text came from.
  using Reader = std::function<Result<void>(std::string_view text)>;

  Settings(std::string program, std::string summary, std::string version);
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;

  /// Options added from here on stand under `title` in --help.
  void group(std::string title) { group_ = std::move(title); }

  // `flag` is written without dashes: "link-host".
  void add(std::string& target, std::string_view flag, std::string_view help);
  void add(std::filesystem::path& target, std::string_view flag, std::string_view help);
  /// "--flag", "--flag=true", "--flag=false"; elsewhere "true" or "false".
  void add(bool& target, std::string_view flag, std::string_view help);
  void add(ListenAddress& target, std::string_view flag, std::string_view help);
  void add(std::chrono::milliseconds& target, std::string_view flag, std::string_view help,
           Range<std::chrono::milliseconds> range = {std::chrono::milliseconds{0}, std::chrono::hours{24 * 366}});
  /// Repeated flag, YAML sequence (or one string), comma-separated variable. Each source replaces the weaker ones
  /// whole.
  void add(std::vector<std::string>& target, std::string_view flag, std::string_view help, ListForm form = {});
  /// One of `choices`, such as the level of the log.
  void add_choice(std::string& target, std::string_view flag, std::string_view help, std::vector<std::string> choices);
  /// Any other type: `read` fills what the caller has; `value_name` ("HOST:PORT") and `default_text` are for --help.
  void add_custom(std::string_view flag, std::string_view help, std::string value_name, std::string default_text,
                  Reader read);

  /// A whole number within `range`.
  template <class T>
  requires(std::integral<T> && !std::same_as<T, bool>) void add(T& target, std::string_view flag, std::string_view help,
                                                                Range<std::type_identity_t<T>> range = {}) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    const auto most = std::in_range<std::int64_t>(range.most) ? static_cast<std::int64_t>(range.most) : kMost;
    add_integer(flag, help, std::to_string(target), {static_cast<std::int64_t>(range.least), most},
                [&target](std::int64_t value) { target = static_cast<T>(value); });
  }

  /// Fills the targets. `environment` is a null-terminated list of "NAME=VALUE", as environ is. When the outcome is not
  /// to run, some targets may have been changed. The text of an error has a line for each thing that is wrong.
  ParseOutcome parse(int argc, const char* const* argv, const char* const* environment);

 private:
  SettingsOption& append(OptionKind kind, std::string_view flag, std::string_view help);
  void add_integer(std::string_view flag, std::string_view help, std::string default_text, Range<std::int64_t> range,
                   std::function<void(std::int64_t)> store);

  std::string program_;
  std::string summary_;
  std::string version_;
  std::string group_ = "Options";
  std::filesystem::path file_;  // what --config named
  std::vector<SettingsOption> options_;
};

}  // namespace adit::base
