#pragma once
// Metrics of what waits in memory.

#include "gateway/buffer_budgets.h"
#include "gateway/link_directory.h"
#include "telemetry/metrics.h"

namespace adit::gateway {

/// Appends them to a page: what the links of each tunnel hold, and the limits.
void collect_buffers(const BufferBudgets& budgets, const LinkDirectory& directory, telemetry::Families& families);

}  // namespace adit::gateway
