#pragma once
// YAML text as a plain tree with line numbers. The only user of yaml-cpp.
// yaml-cpp's own tree keeps neither duplicate keys apart nor aliases visible; its parser events do.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace adit::routing {

struct YamlNode {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  bool is_plain = false;             ///< of a scalar: without quotes, so that 5 is a number and true a boolean
  int line = 0;                      ///< from 1
  int key_line = 0;                  ///< of `key`
  std::string key = {};              ///< of an entry of a map
  std::string text = {};             ///< of a scalar
  std::vector<YamlNode> items = {};  ///< of a list or map, in the order of the text; duplicate keys are kept

  /// True for a scalar that YAML reads as text, not as a number or a boolean, as `kubectl` would.
  bool is_string() const;
};

struct YamlError {
  int line = 0;
  std::string reason;
};

struct YamlText {
  std::vector<YamlNode> documents;  ///< those before the error; empty documents are left out
  std::optional<YamlError> error;
};

/// Reads any number of documents. Text is hostile: at most 4 MiB, no control characters; anchors,
/// aliases, tags other than !!str, keys that are not scalars, more than 64 levels and more than 500,000 nodes are
/// refused.
YamlText read_yaml(std::string_view text);

}  // namespace adit::routing
