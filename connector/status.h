#pragma once
// The pages of the admin port that tell about links.

#include <string>
#include <vector>

#include "base/result.h"
#include "connector/health_report.h"
#include "connector/identity.h"
#include "connector/link_coordinator.h"
#include "connector/link_report.h"
#include "connector/options.h"
#include "telemetry/metrics.h"

namespace adit::connector {

/// Ready while one link at least is up; else the last cause.
base::Result<void> readiness(const std::vector<LinkStatus>& links);
/// The JSON document of /status. It holds no secret.
std::string status_json(const Options& options, const Identity& identity, const std::vector<LinkStatus>& links,
                        const LinkCoordinator::View& coverage, const std::vector<ProbedService>& probed = {});
/// Links that are up, by gateway address, and their bytes; gateways that are known and covered.
void collect_links(const Options& options, const std::vector<LinkStatus>& links, const LinkCoordinator::View& coverage,
                   telemetry::Families& families);

}  // namespace adit::connector
