#pragma once
// What a connector counts. Each worker writes cells of its own; the admin thread adds them up.

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "connector/service_map.h"
#include "telemetry/metrics.h"

namespace adit::connector {

/// Why a stream was not connected to its service.
enum class StreamFailure : std::uint8_t { not_offered, refused, timeout, name, tls };
inline constexpr std::array<std::string_view, 5> kStreamFailureNames = {"not_offered", "refused", "timeout", "name",
                                                                        "tls"};

/// How a dial to a gateway ended.
enum class DialResult : std::uint8_t { up, credentials, name, connect, timeout, tls, refused, broken };
inline constexpr std::array<std::string_view, 8> kDialResultNames = {"up",      "credentials", "name",    "connect",
                                                                     "timeout", "tls",         "refused", "broken"};

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
  std::array<telemetry::Counter, kDialResultNames.size()> dials;

  telemetry::Counter& dial(DialResult result) { return dials[static_cast<std::size_t>(result)]; }
};

using ConnectorMetrics = std::vector<std::unique_ptr<WorkerMetrics>>;

/// Appends everything above to a page of metrics.
void collect(const ConnectorMetrics& metrics, const ServiceMap& services, telemetry::Families& families);

}  // namespace adit::connector
