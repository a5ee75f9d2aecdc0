#pragma once
// Connections from trusted proxies that have yet to say, by a PROXY header, whose they are.

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "gateway/edge_settings.h"
#include "gateway/metrics.h"
#include "net/loop.h"
#include "net/stream.h"

namespace adit::gateway {

/// One per worker, on its thread. A header that is wrong, or not whole within the header timeout, ends its connection.
class ProxyArrivals final {
 public:
  using Endpoint = net::asio::ip::tcp::endpoint;
  /// A plain stream whose header was taken off, with the bytes behind it readable; the visitor's address, and the port
  /// that it connected to.
  using Arrived =
      std::function<void(const net::StreamPtr& stream, const Endpoint& visitor, bool tls, std::uint16_t port)>;

  ProxyArrivals(net::Loop& loop, const EdgeSettings& edge, WorkerMetrics& metrics, Arrived arrived);
  ~ProxyArrivals();

  /// Whether a connection of this peer must begin with a header. Those of others must not: theirs would be a forgery.
  bool expects(const Endpoint& peer, bool tls) const;
  /// `port`: of the listener, which holds when the proxy names none.
  void add(net::StreamPtr stream, const Endpoint& peer, bool tls, std::uint16_t port);
  /// The gateway is about to end: closes all.
  void clear();

 private:
  class Arrival;
  struct Arrivals;

  void forget(Arrival& arrival);
  void refused(const Endpoint& peer, std::string_view why);

  net::Loop& loop_;
  const EdgeSettings& edge_;
  WorkerMetrics& metrics_;
  Arrived arrived_;
  std::unique_ptr<Arrivals> arrivals_;
  base::TimePoint next_warning_ = base::TimePoint::min();
};

}  // namespace adit::gateway
