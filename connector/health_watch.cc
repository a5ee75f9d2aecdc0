#include "connector/health_watch.h"

#include <utility>

#include "base/log.h"

namespace adit::connector {

class HealthWatch::Watched final : private HealthProbeOwner {
 public:
  Watched(HealthWatch& watch, net::Loop& loop, const Service& service, const ProbeSettings& settings, std::size_t index)
      : watch_(watch),
        index_(index),
        probe_(loop, service, settings, *this),
        health_(settings, watch.random_, net::Loop::now()),
        deadline_(net::Deadline::of<&Watched::on_deadline>(loop, this)) {
    known_.name = service.name;
    known_.probe = settings.path.empty() ? "tcp" : "http:" + settings.path;
    known_.since = std::chrono::system_clock::now();
    watch_.report_.set(index_, known_);
    deadline_.set(health_.next());
  }

  const ProbedService& known() const { return known_; }

 private:
  void on_deadline() { probe_.start(); }

  void on_probed(std::string_view failure) override {
    const bool changed = health_.on_result(failure, net::Loop::now());
    deadline_.set(health_.next());
    if (!failure.empty()) known_.failures += 1;
    if (changed) note_change();
    watch_.report_.set(index_, known_);
    if (changed) watch_.changed();
  }

  void note_change() {
    known_.reason = health_.healthy() ? "" : health_.reason();
    if (known_.healthy == health_.healthy()) return;
    known_.healthy = health_.healthy();
    known_.since = std::chrono::system_clock::now();
    if (known_.healthy) {
      base::log::info("service is healthy again", {{"service", known_.name}, {"probe", known_.probe}});
    } else {
      base::log::warning("service is down",
                         {{"service", known_.name}, {"probe", known_.probe}, {"reason", known_.reason}});
    }
  }

  HealthWatch& watch_;
  std::size_t index_;
  HealthProbe probe_;
  ServiceHealth health_;
  net::Deadline deadline_;
  ProbedService known_;
};

HealthWatch::HealthWatch(net::Loop& loop, const ServiceMap& services, const std::vector<ProbeSettings>& probes,
                         HealthReport& report, Changed changed)
    : report_(report), changed_(std::move(changed)) {
  for (const auto& settings : probes) {
    watched_.push_back(
        std::make_unique<Watched>(*this, loop, *services.find(settings.service), settings, watched_.size()));
  }
}

HealthWatch::~HealthWatch() = default;

void HealthWatch::changed() {
  link::Health down;
  for (const auto& watched : watched_) {
    const auto& service = watched->known();
    if (!service.healthy) down.services.push_back({service.name, false, service.reason});
  }
  changed_(down);
}

void collect_health(const HealthReport& report, telemetry::Families& families) {
  const auto services = report.get();
  auto healthy =
      families.gauge("adit_connector_service_healthy", "1 while a service that is probed is healthy, else 0.");
  for (const auto& service : services) healthy.add({{"service", service.name}}, service.healthy ? 1 : 0);
  auto failures = families.counter("adit_connector_probe_failures_total", "Probes of a service that failed.");
  for (const auto& service : services) failures.add({{"service", service.name}}, service.failures);
}

}  // namespace adit::connector
