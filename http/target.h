#pragma once
// The request target (RFC 9112 §3.2).

#include <string_view>

namespace adit::http {

/// A target taken apart: views into its text, or static text.
struct Target {
  std::string_view origin;     ///< origin form or "*"
  std::string_view authority;  ///< of an absolute form, not yet checked; else empty
  bool absolute = false;
};

/// Nullptr, or why the target is refused: not origin form, absolute form of http or https, or "*" with OPTIONS; a
/// fragment, a character outside visible ASCII, or a backslash in the path, which some servers take for a slash.
const char* split_target(std::string_view method, std::string_view text, Target& target);

}  // namespace adit::http
