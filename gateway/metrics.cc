#include "gateway/metrics.h"

#include <map>

#include "base/clock.h"

namespace adit::gateway {
namespace {

using telemetry::Families;

struct PerTunnel {
  std::array<std::uint64_t, 6> requests{};
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t retries_denied = 0;
  std::array<std::uint64_t, kTunnelLimitNames.size()> limited{};
  telemetry::HistogramTotal first_byte;
};

template <class Read>
std::uint64_t sum(const GatewayMetrics& metrics, Read read) {
  std::uint64_t total = 0;
  for (const auto& worker : metrics.workers) total += static_cast<std::uint64_t>(read(*worker));
  return total;
}

void collect_tunnels(const GatewayMetrics& metrics, Families& families) {
  std::map<std::string, PerTunnel> tunnels;
  for (const auto& worker : metrics.workers) {
    worker->tunnels.for_each([&](const TunnelCells& cells) {
      auto& total = tunnels[cells.tunnel];
      for (std::size_t i = 0; i < cells.requests.size(); ++i) total.requests[i] += cells.requests[i].value();
      total.bytes_in += cells.bytes_in.value();
      total.bytes_out += cells.bytes_out.value();
      total.retries_denied += cells.retries_denied.value();
      for (std::size_t i = 0; i < cells.limited.size(); ++i) total.limited[i] += cells.limited[i].value();
      cells.first_byte.add_to(total.first_byte);
    });
  }
  auto requests = families.counter("adit_gateway_tunnel_requests_total", "Requests of a tunnel by class of answer.");
  for (const auto& [name, total] : tunnels) {
    for (std::size_t i = 0; i < total.requests.size(); ++i) {
      if (total.requests[i] != 0) requests.add({{"tunnel", name}, {"code", kCodeClassNames[i]}}, total.requests[i]);
    }
  }
  auto in = families.counter("adit_gateway_tunnel_received_bytes_total", "Body bytes from visitors of a tunnel.");
  for (const auto& [name, total] : tunnels) in.add({{"tunnel", name}}, total.bytes_in);
  auto out = families.counter("adit_gateway_tunnel_sent_bytes_total", "Body bytes to visitors of a tunnel.");
  for (const auto& [name, total] : tunnels) out.add({{"tunnel", name}}, total.bytes_out);
  auto denied = families.counter("adit_gateway_tunnel_retries_denied_total",
                                 "Further attempts that a tunnel's requests did not get: its budget was used up.");
  for (const auto& [name, total] : tunnels) denied.add({{"tunnel", name}}, total.retries_denied);
  auto limited = families.counter("adit_gateway_tunnel_limited_requests_total",
                                  "Requests refused because of a limit of their tunnel, by limit.");
  for (const auto& [name, total] : tunnels) {
    for (std::size_t i = 0; i < total.limited.size(); ++i) {
      if (total.limited[i] != 0) limited.add({{"tunnel", name}, {"limit", kTunnelLimitNames[i]}}, total.limited[i]);
    }
  }
  auto first_byte = families.histogram("adit_gateway_tunnel_first_byte_seconds",
                                       "From a request's head to the first byte of its service's answer, by tunnel.");
  for (const auto& [name, total] : tunnels) first_byte.add({{"tunnel", name}}, total.first_byte);
}

void collect_operator(const GatewayMetrics& metrics, Families& families) {
  const auto gauge = [&](const char* name, const char* help, std::int64_t value) {
    families.gauge(name, help).add({}, value);
  };
  const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
    families.counter(name, help).add({}, value);
  };
  gauge("adit_gateway_operator_connected", "1 while there is a session with the operator.",
        metrics.operator_connected.value());
  counter("adit_gateway_operator_sessions_total", "Sessions with an operator that were begun.",
          metrics.operator_sessions.value());
  counter("adit_gateway_operator_failures_total", "Failed attempts to reach the operator, and sessions that ended.",
          metrics.operator_failures.value());
  counter("adit_gateway_operator_messages_total", "Messages from the operator.", metrics.operator_messages.value());
  gauge("adit_gateway_operator_term", "Term of the leader whose configuration is in force.",
        metrics.operator_term.value());
  gauge("adit_gateway_operator_version", "Counter of the configuration in force, within its term.",
        metrics.operator_counter.value());
  gauge("adit_gateway_operator_refused_tunnels", "Tunnels of which the operator's newest configuration was refused.",
        metrics.operator_refused.value());
  auto age = families.gauge("adit_gateway_operator_message_age_seconds",
                            "Time since the operator's last message; absent while none came.");
  const auto last = metrics.operator_last_message.value();
  if (last == 0) return;
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(base::Clock::now().time_since_epoch()).count();
  age.add({}, static_cast<double>(now - last) / 1000);
}

}  // namespace

std::shared_ptr<TunnelCells> TunnelMetrics::cells(const std::string& id, const std::string& name) {
  // Only this thread changes the map, so it may look without the lock.
  if (const auto found = cells_.find(id); found != cells_.end()) return found->second;
  auto made = std::make_shared<TunnelCells>();
  made->tunnel = name;
  const std::lock_guard lock(mutex_);
  return cells_.emplace(id, std::move(made)).first->second;
}

void TunnelMetrics::forget_gone(const routing::Table& table) {
  const std::lock_guard lock(mutex_);
  std::erase_if(cells_, [&](const auto& item) { return table.tunnel(item.first) == nullptr; });
}

void collect(const GatewayMetrics& metrics, Families& families) {
  auto requests = families.counter("adit_gateway_requests_total", "Requests by class of answer.");
  for (std::size_t i = 0; i < kCodeClassNames.size(); ++i) {
    requests.add({{"code", kCodeClassNames[i]}}, sum(metrics, [i](auto& w) { return w.requests[i].value(); }));
  }
  const auto counter = [&](const char* name, const char* help, auto read) {
    families.counter(name, help).add({}, sum(metrics, read));
  };
  counter("adit_gateway_connections_total", "Visitor connections accepted.",
          [](auto& w) { return w.connections.value(); });
  families.gauge("adit_gateway_connections_open", "Visitor connections open.").add({}, sum(metrics, [](auto& w) {
                                                                                     return w.connections_open.value();
                                                                                   }));
  counter("adit_gateway_connections_refused_total", "Visitor connections refused because there were too many.",
          [](auto& w) { return w.connections_refused.value(); });
  counter("adit_gateway_tls_handshake_failures_total", "Visitor TLS handshakes that failed.",
          [](auto& w) { return w.tls_failures.value(); });
  counter("adit_gateway_proxy_headers_refused_total",
          "Connections of trusted proxies refused because their PROXY header was wrong, missing or late.",
          [](auto& w) { return w.proxy_headers_refused.value(); });
  counter("adit_gateway_retries_total", "Requests tried on another stream.", [](auto& w) { return w.retries.value(); });
  counter("adit_gateway_streams_opened_total", "Streams opened to services.",
          [](auto& w) { return w.streams_opened.value(); });
  counter("adit_gateway_streams_reused_total", "Requests sent on an idle stream.",
          [](auto& w) { return w.streams_reused.value(); });
  counter("adit_gateway_remote_streams_total", "Streams opened on the link of another worker.",
          [](auto& w) { return w.remote_streams.value(); });
  auto unserved = families.counter("adit_gateway_no_connector_total",
                                   "Requests answered 503 because no connector could take them, by the reason.");
  for (std::size_t i = 0; i < kUnservedNames.size(); ++i) {
    unserved.add({{"reason", kUnservedNames[i]}}, sum(metrics, [i](auto& w) { return w.unserved[i].value(); }));
  }
  counter("adit_gateway_ejections_total", "Times that a connector was left out because it could not reach a service.",
          [](auto& w) { return w.ejections.value(); });
  auto affinity = families.counter("adit_gateway_affinity_cookies_total",
                                   "Cookies given to visitors that had none, or whose instance could not be had.");
  affinity.add({{"reason", "new"}}, sum(metrics, [](auto& w) { return w.affinity_new.value(); }));
  affinity.add({{"reason", "moved"}}, sum(metrics, [](auto& w) { return w.affinity_moved.value(); }));
  counter("adit_gateway_shares_moved_total",
          "Requests sent to another tunnel of those that share a rule, since the one that was chosen had no connector.",
          [](auto& w) { return w.shares_moved.value(); });
  counter("adit_gateway_service_failures_total", "Requests answered 502 or 504.",
          [](auto& w) { return w.service_failures.value(); });
  counter("adit_gateway_interrupted_requests_total", "Requests that failed after their bytes had left.",
          [](auto& w) { return w.interrupted.value(); });
  counter("adit_gateway_refused_requests_total", "Malformed or ambiguous requests of which nothing was forwarded.",
          [](auto& w) { return w.refused_requests.value(); });
  telemetry::HistogramTotal duration;
  telemetry::HistogramTotal first_byte;
  telemetry::HistogramTotal loop_delay;
  for (const auto& worker : metrics.workers) {
    worker->duration.add_to(duration);
    worker->first_byte.add_to(first_byte);
    worker->loop_delay.add_to(loop_delay);
  }
  families.histogram("adit_gateway_request_duration_seconds", "From a request's head to the last byte of its answer.")
      .add({}, duration);
  families.histogram("adit_gateway_first_byte_seconds", "From a request's head to the first byte of its answer.")
      .add({}, first_byte);
  families
      .histogram("adit_gateway_loop_delay_seconds",
                 "How long what a worker had to do waited at worst, in each half second of each worker.")
      .add({}, loop_delay);
  families.counter("adit_gateway_link_handshakes_refused_total", "Link handshakes refused.")
      .add({}, metrics.link_handshakes_refused.value());
  families
      .counter("adit_gateway_config_refusals_total",
               "Manifest files, or tunnels of an operator, refused when they came.")
      .add({}, metrics.config_refusals.value());
  families.counter("adit_gateway_config_generation_total", "Route tables put in force.")
      .add({}, metrics.config_generation.value());
  families
      .gauge("adit_gateway_config_refused",
             "Manifest files, or tunnels of an operator, refused at present; their last good state serves.")
      .add({}, metrics.config_refused.value());
  collect_tunnels(metrics, families);
  if (metrics.with_operator) collect_operator(metrics, families);
}

}  // namespace adit::gateway
