#pragma once
// The port for probes, Prometheus and people: /healthz, /readyz, /metrics, /status.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/settings.h"

namespace adit::telemetry {

/// What the program answers with. All of them run on the admin server's thread, one at a time, and hold up every other
/// answer (also /healthz) while they run: they read snapshots and cells, and never wait for a worker. One that throws
/// is answered with 500. An absent one makes its page 404, except `ready`: without it the program is always ready.
struct AdminHandlers {
  std::function<base::Result<void>()> ready = {};  ///< the error is the text of the 503: why there is nothing to serve
  std::function<std::string()> metrics = {};       ///< Prometheus text format 0.0.4, see Registry::text
  std::function<std::string()> status = {};        ///< a JSON document
};

/// How much of the server clients may use.
struct AdminLimits {
  std::size_t connections = 64;       ///< one more closes the oldest, so that probes get through a crowd of idlers
  std::size_t head_bytes = 8 * 1024;  ///< of a request; more is answered with 431
  std::chrono::milliseconds timeout{10'000};  ///< for a request to arrive and for an answer to be taken
};

/// An HTTP/1.1 server (RFC 9112) with a thread of its own, so that probes are answered while workers are busy. No TLS,
/// no authentication and no secrets: it belongs on an address that only the cluster reaches.
class AdminServer {
 public:
  /// Listens on the first address that `address.host` resolves to and starts the thread. Fails if the name cannot be
  /// resolved, the address cannot be bound, or the address is "off".
  static base::Result<std::unique_ptr<AdminServer>> start(const base::ListenAddress& address, AdminHandlers handlers,
                                                          AdminLimits limits = {});

  /// Stops listening, finishes the answers on their way for at most a second, and ends the thread.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  /// The port that is listened on; useful if the address asked for any.
  std::uint16_t port() const;

 private:
  class Server;
  explicit AdminServer(std::unique_ptr<Server> server);

  std::unique_ptr<Server> server_;
};

}  // namespace adit::telemetry
