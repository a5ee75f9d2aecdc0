#pragma once
// What a connector counts. Each worker writes cells of its own; the admin thread adds them up.

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "connector/cause.h"
#include "connector/service_map.h"
#include "net/link_driver.h"
#include "telemetry/metrics.h"

namespace adit::connector {

/// Why a stream was not connected to its service.
enum class StreamFailure : std::uint8_t { not_offered, refused, timeout, name, tls };
inline constexpr std::array<std::string_view, 5> kStreamFailureNames = {"not_offered", "refused", "timeout", "name",
                                                                        "tls"};

/// Why a link had to be replaced, in the words of the gateway's metrics.
enum class LinkLoss : std::uint8_t {
  gateway_leaving,  ///< it said so; the link goes on beside its replacement
  finished,         ///< in good order
  lost,             ///< the connection was closed or broke
  silent,           ///< nothing came for too long
  misbehaved,       ///< the gateway broke the protocol, or ended the link with an error
};
inline constexpr std::array<std::string_view, 5> kLinkLossNames = {"gateway_leaving", "finished", "lost", "silent",
                                                                   "misbehaved"};
LinkLoss loss_of(net::LinkEnd end);

/// One worker's counters of one service.
struct ServiceCells {
  telemetry::Counter streams;  ///< connected
  telemetry::Gauge streams_open;
  telemetry::Counter bytes_in;   ///< from the service
  telemetry::Counter bytes_out;  ///< to the service
  std::array<telemetry::Counter, kStreamFailureNames.size()> failures;
};

/// One worker's counters. `services` is as long as the map of services.
struct WorkerMetrics {
  explicit WorkerMetrics(std::size_t service_count) : services(service_count) {}

  std::vector<ServiceCells> services;
  telemetry::Counter not_offered;
  telemetry::Counter dials_up;
  std::array<telemetry::Counter, kCauseCount> dials_failed;
  std::array<telemetry::Counter, kLinkLossNames.size()> losses;

  telemetry::Counter& dial_failed(Cause cause) { return dials_failed[static_cast<std::size_t>(cause)]; }
  telemetry::Counter& lost(LinkLoss loss) { return losses[static_cast<std::size_t>(loss)]; }
};

using ConnectorMetrics = std::vector<std::unique_ptr<WorkerMetrics>>;

/// Appends everything above to a page of metrics.
void collect(const ConnectorMetrics& metrics, const ServiceMap& services, telemetry::Families& families);

}  // namespace adit::connector
