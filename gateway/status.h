#pragma once
// The gateway's /status page.

#include <string>

#include "gateway/worker.h"

namespace adit::gateway {

/// JSON: gateway id, state, tunnels with their connectors and links. Any thread.
std::string status_json(const Shared& shared, bool draining);

}  // namespace adit::gateway
