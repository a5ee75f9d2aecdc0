#pragma once
// Small files whole.

#include <filesystem>
#include <string>

#include "base/result.h"

namespace adit::kube {

/// The content of a regular file of at most `most` bytes. The error names the file and the reason.
base::Result<std::string> read_text_file(const std::filesystem::path& file, std::size_t most);

}  // namespace adit::kube
