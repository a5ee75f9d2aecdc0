#pragma once
// A document as a plain tree, whether it was written in YAML or in JSON.

#include <string>
#include <vector>

namespace adit::routing {

struct Node {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  bool is_plain = false;         ///< of a scalar: without quotes, so that 5 is a number and true a boolean
  int line = 0;                  ///< from 1; 0 when there are no lines
  int key_line = 0;              ///< of `key`
  std::string key = {};          ///< of an entry of a map
  std::string text = {};         ///< of a scalar
  std::vector<Node> items = {};  ///< of a list or map, in the order of the text; duplicate keys are kept

  /// True for a scalar that YAML reads as text, not as a number or a boolean, as `kubectl` would.
  bool is_string() const;
};

}  // namespace adit::routing
