#pragma once
// The pages of the admin port that tell about links.

#include <deque>
#include <string>

#include "base/result.h"
#include "connector/gateway_dial.h"
#include "connector/health_report.h"
#include "connector/link_report.h"
#include "connector/options.h"
#include "telemetry/metrics.h"

namespace adit::connector {

using LinkReports = std::deque<LinkReport>;

/// Ready while one link at least is up; else the last cause.
base::Result<void> readiness(const LinkReports& reports);
/// The JSON document of /status. It holds no secret.
std::string status_json(const Options& options, const Identity& identity, const LinkReports& reports,
                        const std::vector<ProbedService>& probed = {});
/// Links wanted, links up and their bytes, by gateway address.
void collect_links(const Options& options, const LinkReports& reports, telemetry::Families& families);

}  // namespace adit::connector
