#pragma once
// The folder in which a gateway keeps its copy of the operator's configuration. It holds private keys.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace adit::gateway {

/// One file, replaced whole. Blocks on the file system.
class StateFolder {
 public:
  /// Makes the folder (mode 0700) if it is not there. Refused: one that others can enter or that another user owns.
  static base::Result<StateFolder> open(const std::filesystem::path& folder);

  /// The last text that was written; nothing if there is none. Refused: a file that others can read or write.
  base::Result<std::optional<std::string>> read() const;
  /// Mode 0600; on the disk when it returns. A reader sees the old text or the new one.
  base::Result<void> write(std::string_view text) const;

 private:
  explicit StateFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path file() const { return folder_ / "configuration"; }

  std::filesystem::path folder_;
};

}  // namespace adit::gateway
