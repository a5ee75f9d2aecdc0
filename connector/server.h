#pragma once
// The program assembled: workers, admin port, signals.

#include <memory>
#include <vector>

#include "base/result.h"
#include "connector/health_watch.h"
#include "connector/status.h"
#include "connector/worker.h"
#include "telemetry/admin_server.h"

namespace adit::connector {

class Server {
 public:
  explicit Server(Options options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Reads CA files of services and opens the admin port. An error means that the program can't serve as asked.
  base::Result<void> open();
  /// Serves until SIGTERM or SIGINT, then drains. Returns the exit code: 0, or 1 when a second signal cut that short.
  int run();

 private:
  void on_signal();
  void drain_step();
  void exit(int code);

  Options options_;
  Identity identity_;
  LinkReports reports_;
  HealthReport health_;
  ConnectorMetrics metrics_;
  telemetry::Registry registry_;
  enum class Phase { serving, draining, closing };
  net::Loop loop_;  ///< of the main thread: signals, the coordinator's time and the drain
  LinkCoordinator coordinator_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<telemetry::AdminServer> admin_;  // after what its pages read
  net::Deadline step_;
  std::unique_ptr<HealthWatch> watch_;  ///< on loop_
  Phase phase_ = Phase::serving;
  base::TimePoint limit_{};  ///< of the phase
  int exit_code_ = 0;
};

}  // namespace adit::connector
