#include "connector/metrics.h"

namespace adit::connector {
namespace {

using telemetry::Families;

template <class Read>
double sum(const ConnectorMetrics& metrics, Read read) {
  double total = 0;
  for (const auto& worker : metrics) total += static_cast<double>(read(*worker));
  return total;
}

/// One series for each service.
template <class Read>
void by_service(const ConnectorMetrics& metrics, const ServiceMap& services, telemetry::Family family, Read read) {
  for (std::size_t i = 0; i < services.services().size(); ++i) {
    const auto total = sum(metrics, [&](const WorkerMetrics& worker) { return read(worker.services[i]); });
    family.add({{"service", services.services()[i].name}}, total);
  }
}

void collect_failures(const ConnectorMetrics& metrics, const ServiceMap& services, Families& families) {
  auto family =
      families.counter("adit_connector_stream_failures_total", "Streams that were not connected to their service.");
  // The name of a service that is not offered is the gateway's choice, so it does not become a label.
  family.add({{"service", ""}, {"reason", "not_offered"}},
             sum(metrics, [](const auto& worker) { return worker.not_offered.value(); }));
  for (std::size_t i = 0; i < services.services().size(); ++i) {
    for (std::size_t reason = 1; reason < kStreamFailureNames.size(); ++reason) {
      family.add({{"service", services.services()[i].name}, {"reason", kStreamFailureNames[reason]}},
                 sum(metrics, [&](const auto& worker) { return worker.services[i].failures[reason].value(); }));
    }
  }
}

void collect_dials(const ConnectorMetrics& metrics, Families& families) {
  auto dials = families.counter("adit_connector_dials_total", "Dials to gateways by how they ended.");
  dials.add({{"result", "up"}}, sum(metrics, [](const auto& worker) { return worker.dials_up.value(); }));
  for (std::size_t i = 0; i < kCauseCount; ++i) {
    dials.add({{"result", info_of(static_cast<Cause>(i)).name}},
              sum(metrics, [i](const auto& worker) { return worker.dials_failed[i].value(); }));
  }
  auto losses = families.counter("adit_connector_reconnects_total", "Links that had to be replaced, by cause.");
  for (std::size_t i = 0; i < kLinkLossNames.size(); ++i) {
    losses.add({{"cause", kLinkLossNames[i]}},
               sum(metrics, [i](const auto& worker) { return worker.losses[i].value(); }));
  }
}

}  // namespace

LinkLoss loss_of(net::LinkEnd end) {
  switch (end) {
    case net::LinkEnd::finished:
      return LinkLoss::finished;
    case net::LinkEnd::silent:
      return LinkLoss::silent;
    case net::LinkEnd::misbehaved:
      return LinkLoss::misbehaved;
    default:
      return LinkLoss::lost;
  }
}

void collect(const ConnectorMetrics& metrics, const ServiceMap& services, Families& families) {
  collect_dials(metrics, families);
  by_service(metrics, services,
             families.counter("adit_connector_streams_total", "Streams that were connected to a service."),
             [](const ServiceCells& cells) { return cells.streams.value(); });
  by_service(metrics, services, families.gauge("adit_connector_streams_open", "Streams open to a service."),
             [](const ServiceCells& cells) { return cells.streams_open.value(); });
  by_service(metrics, services,
             families.counter("adit_connector_service_received_bytes_total", "Bytes from a service."),
             [](const ServiceCells& cells) { return cells.bytes_in.value(); });
  by_service(metrics, services, families.counter("adit_connector_service_sent_bytes_total", "Bytes to a service."),
             [](const ServiceCells& cells) { return cells.bytes_out.value(); });
  collect_failures(metrics, services, families);
}

}  // namespace adit::connector
