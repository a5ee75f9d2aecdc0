#pragma once
// Workers with real sockets, run by hand: visitors on loopback, connectors on socket pairs, services that the test
// plays.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/worker.h"
#include "tests/gateway/connector_end.h"
#include "tests/routing/objects.h"

namespace adit::gateway::test {

inline std::shared_ptr<const routing::Table> edge_table() {
  routing::Objects objects;
  auto tunnel = routing::tunnel("team/shop", {});
  tunnel.id = "tunnel-id";
  tunnel.routes = {routing::rule("shop.example.com", "web"), routing::rule("shop.example.com/inside!", "web"),
                   routing::rule("admin.example.com!", "web")};
  objects.tunnels.push_back(tunnel);
  return routing::compile_table(objects, {}).table;
}

class Edge {
 public:
  explicit Edge(std::size_t workers = 1, EdgeSettings settings = {})
      : shared(edge_table(), metrics_with(workers), std::move(settings)) {
    shared.gateway_id = "gateway-id";
    shared.answer_timeout = std::chrono::minutes(1);
    for (std::size_t i = 0; i < workers; ++i) {
      this->workers.push_back(std::make_unique<Worker>(shared, i));
      shared.workers.push_back(this->workers.back().get());
    }
    where = *this->workers[0]->listen({net::asio::ip::address_v4::loopback(), 0}, false);
  }
  ~Edge() {
    for (auto& worker : workers) worker->stop();
  }
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;

  /// Serves all workers until `done()`.
  template <class Done>
  bool until(Done done) {
    const auto limit = base::Clock::now() + net::test::kPatience;
    while (!done() && base::Clock::now() < limit) {
      for (auto& worker : workers) worker->loop().context().poll();
      workers[0]->loop().context().run_one_for(std::chrono::milliseconds(1));
    }
    return done();
  }
  void settle() {
    for (int i = 0; i < 5; ++i) {
      for (auto& worker : workers) net::test::settle(worker->loop());
    }
  }
  /// A connector on the link of a worker. It offers "web".
  void connect(std::size_t worker = 0, const link::SessionOptions& options = {}) {
    auto info = link_info(shared.directory.next_id(), worker);
    connector = test::connect(workers[worker]->loop(), workers[worker]->link_table(), shared.directory, info, options);
    connectors.push_back(connector);
    ASSERT_TRUE(until([&] { return info->state == LinkState::live; }));
  }
  /// A visitor that says `bytes`.
  void visit(net::test::End& visitor, std::string_view bytes) {
    net::Socket socket(workers[0]->loop().context());
    socket.connect(net::asio::generic::stream_protocol::endpoint(where));
    visitor.start(net::test::make_stream(workers[0]->loop(), std::move(socket)));
    visitor.send(bytes);
  }
  StreamEnd& service() { return connector->last(); }
  /// True once the service has read a whole request that holds `text`, and forgets what it read.
  bool asked(std::string_view text) {
    if (!until([&] { return !connector->streams.empty() && service().in.find(text) != std::string::npos; })) {
      return false;
    }
    request = std::exchange(service().in, {});
    return true;
  }
  WorkerMetrics& counted() { return *metrics.workers[0]; }

  GatewayMetrics metrics;
  Shared shared;
  std::vector<std::unique_ptr<Worker>> workers;
  net::asio::ip::tcp::endpoint where;
  std::shared_ptr<ConnectorEnd> connector;  ///< the newest
  std::vector<std::shared_ptr<ConnectorEnd>> connectors;
  std::string request;  ///< that asked() saw

 private:
  GatewayMetrics& metrics_with(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) metrics.workers.push_back(std::make_unique<WorkerMetrics>());
    return metrics;
  }
};

}  // namespace adit::gateway::test
