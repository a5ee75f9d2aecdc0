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
#include "gateway/tunnel_gate.h"
#include "gateway/unserved.h"
#include "telemetry/metrics.h"

namespace adit::gateway {

/// Answers by class: index 0 is "no answer", 1 to 5 are 1xx to 5xx.
using CodeClasses = std::array<telemetry::Counter, 6>;
inline constexpr std::array<std::string_view, 6> kCodeClassNames = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

/// Upper bounds of a tunnel's time to the first byte, in seconds: few, since there may be many tunnels.
inline constexpr std::array kTunnelFirstByteBounds{0.005, 0.025, 0.1, 0.5, 2.5, 10.0};

/// Upper bounds of a loop's delay, in seconds.
inline constexpr std::array kLoopDelayBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5};

/// One worker's counters of one tunnel; made at its first request. Kept small: there is one for each tunnel that has
/// traffic, times the workers that serve it.
struct TunnelCells {
  std::string tunnel;  ///< namespace/name
  CodeClasses requests;
  telemetry::Counter bytes_in;   ///< request bodies and piped bytes from visitors
  telemetry::Counter bytes_out;  ///< towards visitors
  telemetry::Histogram<kTunnelFirstByteBounds> first_byte;
  telemetry::Counter retries_denied;                                 ///< its budget was used up
  std::array<telemetry::Counter, kTunnelLimitNames.size()> limited;  ///< requests refused by its limits
};

/// The tunnels that one worker has served. Cells are made by the worker and stay as long as the tunnel is configured,
/// or somebody holds them.
class TunnelMetrics {
 public:
  /// The worker's thread. Locks only when it makes a new one.
  std::shared_ptr<TunnelCells> cells(const std::string& id, const std::string& name);
  /// The worker's thread. Tunnels that are not in the table are no longer shown.
  void forget_gone(const routing::Table& table);
  /// Any thread.
  template <class Each>
  void for_each(Each each) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, cells] : cells_) each(*cells);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<TunnelCells>> cells_;
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
  std::array<telemetry::Counter, kUnservedNames.size()> unserved;  ///< 503: route without a usable link
  telemetry::Counter ejections;                                    ///< connectors left out for a service
  telemetry::Counter affinity_new;                                 ///< cookies given to visitors without
  telemetry::Counter affinity_moved;                               ///< and to those whose instance could not be had
  telemetry::Counter shares_moved;                                 ///< the tunnel that a weight chose had no connector
  telemetry::Counter service_failures;                             ///< 502 and 504
  telemetry::Counter interrupted;                                  ///< requests cut off after their bytes had left
  telemetry::Counter refused_requests;                             ///< malformed: nothing was forwarded
  telemetry::Histogram<> duration;                                 ///< seconds from head to the last byte of the answer
  telemetry::Histogram<> first_byte;                  ///< seconds from head to the first byte of the answer
  telemetry::Histogram<kLoopDelayBounds> loop_delay;  ///< seconds; the longest of each tick of the worker
  TunnelMetrics tunnels;

  void limited(const routing::Tunnel& tunnel, TunnelLimit limit) {
    tunnels.cells(tunnel.id, tunnel.name)->limited[static_cast<std::size_t>(limit)].add();
  }
};

/// Counters of the configuration source and the link listener; written under their own threads, read by all.
struct GatewayMetrics {
  std::vector<std::unique_ptr<WorkerMetrics>> workers;
  telemetry::Counter link_handshakes_refused;  ///< by the acceptor's thread
  telemetry::Counter config_refusals;          ///< files, or an operator's tunnels, by the source's thread
  telemetry::Counter config_generation;        ///< tables published, by the source's thread
  telemetry::Gauge config_refused;             ///< those refused at present, by the source's thread

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
/// The connectors of each tunnel of the table, its links, and of connectors those that were there first: at most
/// kMostConnectors, and kMostConnectorsOfTunnel of one tunnel, since their names are theirs to choose. The rest is
/// counted.
inline constexpr std::size_t kMostConnectors = 2000;
inline constexpr std::size_t kMostConnectorsOfTunnel = 100;
void collect_links(const LinkDirectory& directory, const routing::Table& table, telemetry::Families& families);

}  // namespace adit::gateway
