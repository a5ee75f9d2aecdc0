#pragma once
// The cached copy of what is in force, as the text of a file.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace adit::control {

/// "adit-configuration 1 SHA256-OF-THE-REST", then one message a line.
std::string seal_copy(const std::vector<std::string>& messages);

/// The lines of a sealed copy, views of `text`. An error says why it is none: cut, changed, or of another format.
base::Result<std::vector<std::string_view>> open_copy(std::string_view text);

}  // namespace adit::control
