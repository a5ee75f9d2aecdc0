#pragma once
// How near visitors and tunnels are to their limits.

#include "gateway/edge_settings.h"
#include "gateway/tunnel_gate.h"
#include "routing/table.h"
#include "telemetry/metrics.h"

namespace adit::gateway {

/// The limit of what `adit_gateway_connections_open` counts and, of each tunnel with a limit, that and what is under
/// way. Any thread.
void collect_limits(const routing::Table& table, const EdgeSettings& settings, const TunnelGates& gates,
                    telemetry::Families& families);

}  // namespace adit::gateway
