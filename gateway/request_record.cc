#include "gateway/request_record.h"

#include "net/loop.h"

namespace adit::gateway {

void RequestRecord::begin(const http::RequestHead& head) {
  method.assign(head.method);
  host.assign(head.host);
  target.assign(head.target);
  reason.clear();
  tunnel.clear();
  service.clear();
  status = 0;
  bytes_in = bytes_out = 0;
  cells = nullptr;
  started = net::Loop::now();
  time = std::chrono::system_clock::now();
}

void RequestRecord::finish(const Exchange* exchange, WorkerMetrics& metrics, telemetry::AccessLogBuffer* log) const {
  const auto took = net::Loop::now() - started;
  const auto code = static_cast<std::size_t>(status / 100) % metrics.requests.size();
  metrics.requests[code].add();
  metrics.duration.observe(std::chrono::duration<double>(took).count());
  telemetry::AccessRecord line;
  if (exchange != nullptr) {
    auto& cells = *exchange->upstream().cells;
    cells.requests[code].add();
    const auto& summary = exchange->summary();
    if (summary.first_byte != base::kNever) {
      line.upstream = summary.first_byte - started;
      const auto waited = std::chrono::duration<double>(summary.first_byte - started).count();
      metrics.first_byte.observe(waited);
      cells.first_byte.observe(waited);
    }
    line.attempts = summary.attempts;
    if (summary.link) {
      line.connector = summary.link->connector;
      line.peer = summary.link->peer;
    }
  }
  if (log == nullptr) return;
  line.time = time;
  line.request_id = id;
  line.visitor = visitor;
  line.method = method;
  line.host = host;
  line.path = target;
  line.status = static_cast<unsigned>(status);
  line.bytes_in = bytes_in;
  line.bytes_out = bytes_out;
  line.duration = took;
  line.tunnel = tunnel;
  line.service = service;
  line.reason = reason;
  log->write(line);
}

}  // namespace adit::gateway
