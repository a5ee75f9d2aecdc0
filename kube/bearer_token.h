#pragma once
// What a caller shows the API server: a token that is given, or a file that somebody else renews.

#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace adit::kube {

/// Whether every character may stand in a header. The empty one may.
bool is_bearer_token(std::string_view text);

/// Any thread.
class BearerToken {
 public:
  /// Without `file` it is always `token`; with it, what the file holds.
  BearerToken(std::string token, std::string file) : file_(std::move(file)), last_(std::move(token)) {}

  /// The token as of now. A file that cannot be read for a moment leaves what was read before; if that was nothing, the
  /// error names the file.
  base::Result<std::string> now();

 private:
  const std::string file_;
  std::mutex mutex_;
  std::string last_;
};

}  // namespace adit::kube
