#pragma once
// The three places that settings come from. Each says what it gives, as text; base/settings.cc reads and orders that.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"

namespace adit::base {

/// A value as it was written, and where: "--http", "ADIT_HTTP" or "gateway.yaml:3: http".
struct GivenText {
  std::string text;
  std::string origin;
};

/// What one source says of one option. A list may have no texts: it was set to be empty.
struct Given {
  const SettingsOption* option = nullptr;
  std::vector<GivenText> texts;
};

/// What one source says. Errors name where they are.
struct SourceText {
  std::vector<Given> given;
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  std::optional<std::string> answer;  ///< the text of --help or --version, which is all that was wanted
};

struct ProgramText {
  std::string name;
  std::string summary;
  std::string version;
};

SourceText read_command_line(const ProgramText& program, const std::vector<SettingsOption>& options, int argc,
                             const char* const* argv);
/// Unknown ADIT_ variables are warnings: they may be meant for another program, and Kubernetes adds those of Services.
SourceText read_environment(std::string_view program, const std::vector<SettingsOption>& options,
                            const char* const* environment);
SourceText read_file(const std::string& path, const std::vector<SettingsOption>& options);

/// The one of `names` that `name` was probably meant to be, as " (did you mean …?)"; empty if none is near.
std::string suggestion(std::string_view name, const std::vector<std::string>& names);

}  // namespace adit::base
