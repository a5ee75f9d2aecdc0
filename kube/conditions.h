#pragma once
// metav1.Condition lists, written only when something changed.

#include <string>
#include <vector>

#include "kube/object.h"

namespace adit::kube {

enum class Truth { no, yes, unknown };

struct Condition {
  std::string type;  ///< "Ready"
  Truth status = Truth::unknown;
  std::string reason;   ///< UpperCamelCase, stable
  std::string message;  ///< cut at 32,768 bytes
  std::int64_t observed_generation = 0;
};

/// The list for status.conditions: `wanted` in its order. lastTransitionTime is kept from `present` (the array now in
/// the object, of any shape) where the status is the same, else `now` (RFC 3339, seconds). Conditions of other types in
/// `present` are not repeated: server-side apply leaves those of other managers alone.
Json merge_conditions(const Json& present, const std::vector<Condition>& wanted, const std::string& now);

/// The condition of a type in an array of conditions; absent or malformed: nullptr.
const Json* find_condition(const Json& conditions, std::string_view type);

}  // namespace adit::kube
