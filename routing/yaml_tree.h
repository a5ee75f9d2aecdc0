#pragma once
// YAML text as a tree with line numbers. The only user of yaml-cpp.
// yaml-cpp's own tree keeps neither duplicate keys apart nor aliases visible; its parser events do.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routing/node.h"

namespace adit::routing {

struct YamlError {
  int line = 0;
  std::string reason;
};

struct YamlText {
  std::vector<Node> documents;  ///< those before the error; empty documents are left out
  std::optional<YamlError> error;
};

/// Reads any number of documents. Text is hostile: at most 4 MiB, no control characters; anchors,
/// aliases, tags other than !!str, keys that are not scalars, more than 64 levels and more than 500,000 nodes are
/// refused.
YamlText read_yaml(std::string_view text);

}  // namespace adit::routing
