#pragma once
// What a gateway counts. Each worker writes cells of its own; the admin thread adds them up.

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/link_directory.h"
#include "telemetry/metrics.h"

namespace adit::gateway {

/// Answers by class: index 0 is "no answer", 1 to 5 are 1xx to 5xx.
using CodeClasses = std::array<telemetry::Counter, 6>;
inline constexpr std::array<std::string_view, 6> kCodeClassNames = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

/// One worker's counters of one tunnel; made at its first request.
struct TunnelCells {
  std::string tunnel;  ///< namespace/name
  CodeClasses requests;
  telemetry::Counter bytes_in;   ///< request bodies and piped bytes from visitors
  telemetry::Counter bytes_out;  ///< towards visitors
};

/// The tunnels that one worker has served. Cells are made by the worker and stay for its life.
class TunnelMetrics {
 public:
  /// The worker's thread. Locks only when it makes a new one.
  TunnelCells& cells(const std::string& id, const std::string& name);
  /// Any thread.
  template <class Each>
  void for_each(Each each) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, cells] : cells_) each(*cells);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<TunnelCells>> cells_;
};

/// One worker's counters.
struct WorkerMetrics {
  CodeClasses requests;
  telemetry::Counter connections;  ///< visitors accepted
  telemetry::Gauge connections_open;
  telemetry::Counter connections_refused;    ///< over --max-connections or --max-connections-per-address
  telemetry::Counter tls_failures;           ///< handshakes that failed
  telemetry::Counter proxy_headers_refused;  ///< of trusted proxies: wrong, missing or late
  telemetry::Counter retries;                ///< requests moved to another stream
  telemetry::Counter streams_opened;         ///< fresh streams to services
  telemetry::Counter streams_reused;         ///< requests on an idle stream
  telemetry::Counter remote_streams;         ///< streams on another worker's link
  telemetry::Counter no_connector;           ///< 503: route without a live link
  telemetry::Counter service_failures;       ///< 502 and 504
  telemetry::Counter interrupted;            ///< requests cut off after their bytes had left
  telemetry::Counter refused_requests;       ///< malformed: nothing was forwarded
  telemetry::Histogram<> duration;           ///< seconds from head to the last byte of the answer
  telemetry::Histogram<> first_byte;         ///< seconds from head to the first byte of the answer
  TunnelMetrics tunnels;
};

/// Counters of the configuration source and the link listener; written under their own threads, read by all.
struct GatewayMetrics {
  std::vector<std::unique_ptr<WorkerMetrics>> workers;
  telemetry::Counter link_handshakes_refused;  ///< by the acceptor's thread
  telemetry::Counter manifest_refusals;        ///< files refused, by the folder's thread
  telemetry::Counter config_generation;        ///< tables published, by the folder's thread
  telemetry::Gauge manifests_refused;          ///< files that are refused at present

  // Of the connection to the operator, by its thread; nothing of it is shown without an operator.
  bool with_operator = false;              ///< set before there are other threads
  telemetry::Gauge operator_connected;     ///< 1 or 0
  telemetry::Counter operator_sessions;    ///< that were begun
  telemetry::Counter operator_failures;    ///< dials that failed and sessions that ended
  telemetry::Counter operator_messages;    ///< received
  telemetry::Gauge operator_last_message;  ///< when, in milliseconds of base::Clock; 0: never
  telemetry::Gauge operator_term;          ///< of the version in force
  telemetry::Gauge operator_counter;       ///< of the version in force
  telemetry::Gauge operator_refused;       ///< tunnels of which the newest configuration was refused
};

/// Appends everything above to a page of metrics.
void collect(const GatewayMetrics& metrics, telemetry::Families& families);
/// The links and connectors of each tunnel.
void collect_links(const LinkDirectory& directory, telemetry::Families& families);

}  // namespace adit::gateway
