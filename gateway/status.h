#pragma once
// The gateway's /status page.

#include <optional>
#include <string>

#include "gateway/configuration_source.h"
#include "gateway/worker.h"

namespace adit::gateway {

/// JSON: gateway id, state, operator if there is one, tunnels with their connectors and links. Any thread.
std::string status_json(const Shared& shared, bool draining, const std::optional<OperatorStatus>& with_operator);

}  // namespace adit::gateway
