#include "operator/observe.h"

#include <algorithm>

#include "base/version.h"

namespace adit::controller {

void collect(const ObservedParts& parts, telemetry::Families& families) {
  const auto counts = parts.controller.counts();
  const auto gateways = parts.views.gateways();
  const auto current = std::count_if(gateways.begin(), gateways.end(), [](const auto& g) { return g.current; });
  families.gauge("adit_operator_leading", "1 while this operator leads.").add({}, parts.election.may_write() ? 1 : 0);
  families.gauge("adit_operator_tunnels", "Tunnel objects of the newest compilation.")
      .add({}, parts.compiler.tunnels());
  families.gauge("adit_operator_tunnels_refused", "Those of them of which the newest generation is not taken.")
      .add({}, parts.compiler.refused());
  families.counter("adit_operator_compilations_total", "Compilations of all Tunnels.")
      .add({}, parts.compiler.compilations());
  families.gauge("adit_operator_watch_failing", "1 while objects cannot be listed or watched.")
      .add({{"resource", "tunnels"}}, parts.tunnels.failure() ? 1 : 0)
      .add({{"resource", "secrets"}}, parts.secrets.failure() ? 1 : 0);
  families.gauge("adit_operator_gateways", "Gateways that are connected.").add({}, gateways.size());
  families.gauge("adit_operator_gateways_current", "Gateways that have the newest configuration.").add({}, current);
  families.gauge("adit_operator_queue_depth", "Tunnels that wait to be reconciled.").add({}, counts.queued);
  families.counter("adit_operator_reconciliations_total", "Reconciliations that ended well.").add({}, counts.done);
  families.counter("adit_operator_reconciliation_retries_total", "Reconciliations that failed and come again.")
      .add({}, counts.retries);
  families.counter("adit_operator_events_dropped_total", "Events that were not written for want of room.")
      .add({}, parts.events.dropped());
}

std::string status_json(const ObservedParts& parts) {
  using kube::Json;
  const auto failure_text = [](const std::optional<kube::ApiError>& failure) {
    return failure ? Json(failure->text()) : Json();
  };
  Json gateways = Json::array();
  for (const auto& gateway : parts.views.gateways()) {
    gateways.push_back({{"id", gateway.id},
                        {"remote", gateway.remote},
                        {"version", gateway.version},
                        {"synced", gateway.synced},
                        {"current", gateway.current},
                        {"tunnelsWithLinks", gateway.tunnels_with_links}});
  }
  const Json status = {
      {"program", "adit-operator"},
      {"version", base::kVersion},
      {"leading", parts.election.may_write()},
      {"leader", parts.election.holder()},
      {"tunnels", parts.compiler.tunnels()},
      {"watches",
       {{"tunnels", failure_text(parts.tunnels.failure())}, {"secrets", failure_text(parts.secrets.failure())}}},
      {"gateways", std::move(gateways)}};
  return status.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace adit::controller
