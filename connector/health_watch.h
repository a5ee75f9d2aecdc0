#pragma once
// The probes of a connector, and what they say of its services.

#include <functional>
#include <memory>
#include <vector>

#include "base/random.h"
#include "connector/health_probe.h"
#include "connector/health_report.h"
#include "connector/service_health.h"
#include "link/control.h"
#include "telemetry/metrics.h"

namespace adit::connector {

void collect_health(const HealthReport& report, telemetry::Families& families);

/// On its loop's thread.
class HealthWatch {
 public:
  /// The services that are down, whenever that has changed.
  using Changed = std::function<void(const link::Health& down)>;

  /// All are borrowed; each probe's service is in `services`, whose trust is loaded.
  HealthWatch(net::Loop& loop, const ServiceMap& services, const std::vector<ProbeSettings>& probes,
              HealthReport& report, Changed changed);
  ~HealthWatch();

 private:
  class Watched;
  void changed();

  base::Random random_;
  HealthReport& report_;
  Changed changed_;
  std::vector<std::unique_ptr<Watched>> watched_;
};

}  // namespace adit::connector
