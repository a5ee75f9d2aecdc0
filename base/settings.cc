#include "base/settings.h"

#include <algorithm>
#include <charconv>

#include "base/settings_sources.h"
#include "base/text.h"

namespace adit::base {
namespace {

char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c; }

/// "link-host" → "linkHost".
std::string key_of(std::string_view flag) {
  std::string key;
  for (std::size_t i = 0; i < flag.size(); ++i) {
    if (flag[i] != '-') key += i > 0 && flag[i - 1] == '-' ? to_upper(flag[i]) : flag[i];
  }
  return key;
}

/// "link-host" → "ADIT_LINK_HOST".
std::string variable_of(std::string_view flag) {
  std::string variable = "ADIT_";
  for (const char c : flag) variable += c == '-' ? '_' : to_upper(c);
  return variable;
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string all;
  for (const auto& text : texts) all.append(all.empty() ? "" : separator).append(text);
  return all;
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

/// Makes of a parsing function one that stores what it read.
template <class T, class Parse>
Settings::Reader storing(T& target, Parse parse) {
  return [&target, parse](std::string_view text) -> Result<void> {
    auto value = parse(text);
    if (!value) return Error{value.error()};
    target = *std::move(value);
    return {};
  };
}

Result<bool> parse_bool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return Error{quoted(text) + " is neither true nor false"};
}

Result<std::int64_t> parse_integer(std::string_view text, Range<std::int64_t> range) {
  std::int64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (text.empty() || error != std::errc{} || end != last || value < range.least || value > range.most) {
    return Error{quoted(text) + " is not a whole number from " + std::to_string(range.least) + " to " +
                 std::to_string(range.most)};
  }
  return value;
}

/// Reads what one source gave into the targets; a list loses the items of weaker sources first.
void read_into_targets(const SourceText& source, std::vector<std::string>& errors) {
  errors.insert(errors.end(), source.errors.begin(), source.errors.end());
  for (const auto& given : source.given) {
    if (given.option->clear) given.option->clear();
    for (const auto& text : given.texts) {
      if (auto read = given.option->read(text.text); !read) errors.push_back(text.origin + ": " + read.error());
    }
  }
}

std::optional<std::string> last_text(const SourceText& source, const SettingsOption& option) {
  std::optional<std::string> last;
  for (const auto& given : source.given) {
    if (given.option == &option && !given.texts.empty()) last = given.texts.back().text;
  }
  return last;
}

}  // namespace

Settings::Settings(std::string program, std::string summary, std::string version)
    : program_(std::move(program)), summary_(std::move(summary)), version_(std::move(version)) {
  add(file_, "config", "YAML file with settings; the keys are the flags in camel case");
  options_.back().value_name = "FILE";
  options_.back().key.clear();
}

SettingsOption& Settings::append(OptionKind kind, std::string_view flag, std::string_view help) {
  auto& option = options_.emplace_back();
  option.kind = kind;
  option.flag = "--" + std::string(flag);
  option.key = key_of(flag);
  option.variable = variable_of(flag);
  option.group = group_;
  option.help = help;
  return option;
}

void Settings::add(std::string& target, std::string_view flag, std::string_view help) {
  add_custom(flag, help, "TEXT", target,
             storing(target, [](std::string_view text) -> Result<std::string> { return std::string(text); }));
}

void Settings::add(std::filesystem::path& target, std::string_view flag, std::string_view help) {
  const auto parse = [](std::string_view text) -> Result<std::filesystem::path> {
    if (text.empty()) return Error{"the path is empty"};
    return std::filesystem::path(text);
  };
  add_custom(flag, help, "PATH", target.string(), storing(target, parse));
}

void Settings::add(bool& target, std::string_view flag, std::string_view help) {
  auto& option = append(OptionKind::toggle, flag, help);
  option.default_text = target ? "true" : "";
  option.read = storing(target, parse_bool);
}

void Settings::add(ListenAddress& target, std::string_view flag, std::string_view help) {
  add_custom(flag, help, "HOST:PORT", to_string(target), storing(target, parse_listen_address));
}

void Settings::add(std::chrono::milliseconds& target, std::string_view flag, std::string_view help,
                   Range<std::chrono::milliseconds> range) {
  const auto parse = [range](std::string_view text) -> Result<std::chrono::milliseconds> {
    auto value = parse_duration(text);
    if (value && (*value < range.least || *value > range.most)) {
      return Error{quoted(text) + " is not from " + to_string(range.least) + " to " + to_string(range.most)};
    }
    return value;
  };
  add_custom(flag, help, "DURATION", to_string(target), storing(target, parse));
}

void Settings::add(std::vector<std::string>& target, std::string_view flag, std::string_view help, ListForm form) {
  auto& option = append(OptionKind::list, flag, help);
  option.value_name = "TEXT";
  option.default_text = joined(target, ",");
  if (!form.key.empty()) option.key = form.key;
  option.clear = [&target] { target.clear(); };
  option.read = [&target, check = form.check](std::string_view text) -> Result<void> {
    if (text.empty()) return Error{"an item is empty"};
    if (auto checked = check ? check(text) : Result<void>(); !checked) return checked;
    target.emplace_back(text);
    return {};
  };
  option.form = std::move(form);
}

void Settings::add_choice(std::string& target, std::string_view flag, std::string_view help,
                          std::vector<std::string> choices) {
  const auto names = joined(choices, "|");
  const auto parse = [choices = std::move(choices)](std::string_view text) -> Result<std::string> {
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return std::string(text);
    return Error{quoted(text) + " is none of " + joined(choices, ", ")};
  };
  add_custom(flag, help, names, target, storing(target, parse));
}

void Settings::add_custom(std::string_view flag, std::string_view help, std::string value_name,
                          std::string default_text, Reader read) {
  auto& option = append(OptionKind::value, flag, help);
  option.value_name = std::move(value_name);
  option.default_text = std::move(default_text);
  option.read = std::move(read);
}

void Settings::add_integer(std::string_view flag, std::string_view help, std::string default_text,
                           Range<std::int64_t> range, std::function<void(std::int64_t)> store) {
  add_custom(flag, help, "NUMBER", std::move(default_text),
             [range, store = std::move(store)](std::string_view text) -> Result<void> {
               const auto value = parse_integer(text, range);
               if (!value) return Error{value.error()};
               store(*value);
               return {};
             });
}

ParseOutcome Settings::parse(int argc, const char* const* argv, const char* const* environment) {
  auto line = read_command_line({program_, summary_, version_}, options_, argc, argv);
  if (line.answer) return {.exit_code = 0, .text = *std::move(line.answer), .warnings = {}};
  auto variables = read_environment(program_, options_, environment);
  auto file_name = last_text(variables, options_.front());
  if (auto named = last_text(line, options_.front())) file_name = std::move(named);
  auto file = file_name && !file_name->empty() ? read_file(*file_name, options_) : SourceText{};
  // The weakest first.
  std::vector<std::string> errors;
  for (auto* source : {&file, &variables, &line}) read_into_targets(*source, errors);
  if (errors.empty()) return {.exit_code = {}, .text = {}, .warnings = std::move(variables.warnings)};
  std::string text;
  for (const auto& error : errors) text.append(program_).append(": ").append(error).append("\n");
  return {.exit_code = 2, .text = text + "Try: " + program_ + " --help\n", .warnings = std::move(variables.warnings)};
}

}  // namespace adit::base
