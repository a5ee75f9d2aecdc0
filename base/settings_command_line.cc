#include <sstream>

#include <CLI/CLI.hpp>

#include "base/settings_sources.h"

namespace adit::base {
namespace {

/// The help of an option: what it does, then where else it can be set.
std::string description(const SettingsOption& option) {
  std::string text = option.help + "\n[";
  if (!option.default_text.empty()) text += "default " + option.default_text + ", ";
  text += option.variable;
  if (!option.key.empty()) text += ", " + option.key + ":";
  return text + "]";
}

CLI::Option* declare(CLI::App& app, const SettingsOption& option) {
  auto* declared = option.kind == OptionKind::toggle ? app.add_flag(option.flag) : app.add_option(option.flag);
  declared->description(description(option))->group(option.group);
  // Repetition is judged below, in the same words as for the other sources.
  declared->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
  if (option.kind != OptionKind::toggle) declared->expected(1)->type_name(option.value_name);
  return declared;
}

Given given_by(const SettingsOption& option, const CLI::Option& declared) {
  Given given{.option = &option, .texts = {}};
  for (const auto& text : declared.results()) given.texts.push_back({text, option.flag});
  return given;
}

std::string unknown_argument(const std::string& argument, const std::vector<SettingsOption>& options) {
  if (!argument.starts_with("-")) return '"' + argument + "\" is unexpected: values follow a flag";
  std::vector<std::string> flags;
  flags.reserve(options.size());
  for (const auto& option : options) flags.push_back(option.flag);
  const auto flag = argument.substr(0, argument.find('='));
  return flag + " is not an option" + suggestion(flag, flags);
}

}  // namespace

SourceText read_command_line(const ProgramText& program, const std::vector<SettingsOption>& options, int argc,
                             const char* const* argv) {
  SourceText source;
  CLI::App app(program.summary, program.name);
  app.allow_extras();
  app.get_formatter()->column_width(34);
  app.set_help_flag("-h,--help", "Print this and exit")->group("Help");
  app.set_version_flag("--version", program.name + " " + program.version, "Print the version and exit")->group("Help");
  std::vector<const CLI::Option*> declared;
  declared.reserve(options.size());
  for (const auto& option : options) declared.push_back(declare(app, option));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    std::ostringstream out;
    app.exit(wanted, out, out);
    source.answer = out.str();
    return source;
  } catch (const CLI::Error& error) {
    source.errors.emplace_back(error.what());
    return source;
  }
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (declared[i]->count() == 0) continue;
    source.given.push_back(given_by(options[i], *declared[i]));
    if (options[i].kind != OptionKind::list && declared[i]->count() > 1) {
      source.errors.push_back(options[i].flag + ": given " + std::to_string(declared[i]->count()) +
                              " times; give it once");
    }
  }
  // A value that follows an unknown flag is part of the same mistake.
  bool after_flag = false;
  for (const auto& argument : app.remaining()) {
    const bool flag = argument.starts_with("-");
    if (flag || !after_flag) source.errors.push_back(unknown_argument(argument, options));
    after_flag = flag;
  }
  return source;
}

}  // namespace adit::base
