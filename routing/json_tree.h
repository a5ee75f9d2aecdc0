#pragma once
// An object of an API server as a tree.

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "routing/node.h"

namespace adit::routing {

/// Without what no reader of ours looks at: status, and of metadata all but name, namespace and creationTimestamp
/// (managedFields alone is often larger than the spec, and an annotation may be a MiB). Refused: more than 64 levels.
base::Result<Node> object_tree(const nlohmann::json& object);

}  // namespace adit::routing
