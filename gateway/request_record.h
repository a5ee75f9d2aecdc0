#pragma once
// What is noted of a request until its end: for the access log and the metrics.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "gateway/exchange.h"
#include "gateway/metrics.h"
#include "http/message.h"
#include "telemetry/access_log.h"

namespace adit::gateway {

struct RequestRecord {
  std::string id;
  std::string visitor;  ///< IP address
  std::string method;
  std::string host;
  std::string target;
  std::string tunnel;
  std::string service;
  std::string reason;
  int status = 0;  ///< 0: no answer
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  TunnelCells* cells = nullptr;  ///< while an exchange is under way
  base::TimePoint started;
  std::chrono::system_clock::time_point time;

  /// A request begins; memory of the former one is kept.
  void begin(const http::RequestHead& head);
  /// Bytes of its body, or of the pipe that it has become.
  void received(std::uint64_t size) {
    bytes_in += size;
    if (cells != nullptr) cells->bytes_in.add(size);
  }
  /// Bytes towards the visitor.
  void sent(std::uint64_t size) {
    bytes_out += size;
    if (cells != nullptr) cells->bytes_out.add(size);
  }
  /// Its end. `exchange`: nullptr if there was none; `log`: nullptr if none is written.
  void finish(const Exchange* exchange, WorkerMetrics& metrics, telemetry::AccessLogBuffer* log) const;
};

}  // namespace adit::gateway
