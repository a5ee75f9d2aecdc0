#include "gateway/server.h"

#include <csignal>
#include <iostream>
#include <optional>
#include <thread>

#include "base/log.h"
#include "base/random.h"
#include "base/signals.h"
#include "base/version.h"
#include "gateway/buffer_metrics.h"
#include "gateway/certificate_expiry.h"
#include "gateway/limit_metrics.h"
#include "gateway/link_acceptor.h"
#include "gateway/link_certificate_files.h"
#include "gateway/manifest_source.h"
#include "gateway/operator_source.h"
#include "gateway/peers.h"
#include "gateway/status.h"
#include "gateway/worker.h"
#include "net/address.h"
#include "telemetry/admin_server.h"

namespace adit::gateway {
namespace {

using base::Result;
using Endpoint = net::asio::ip::tcp::endpoint;

constexpr auto kLinksEndWithin = std::chrono::seconds(2);
constexpr auto kWebSocketsEndWithin = std::chrono::seconds(2);  // after the drain time

std::unique_ptr<ConfigurationSource> make_source(const Options& options, GatewayMetrics& metrics) {
  if (options.operator_url.empty()) return std::make_unique<ManifestSource>(options.manifests, metrics);
  OperatorSourceOptions source;
  source.url = options.operator_url;
  source.access.url = *net::parse_channel_url(options.operator_url);  // looked at with the options
  source.access.token_file = options.operator_token_file;
  source.access.ca_file = options.operator_ca_file;
  source.state_dir = options.state_dir;
  source.link_certificate = options.link_cert.empty();
  source.peer_address = options.peer_address;
  return std::make_unique<OperatorSource>(std::move(source), metrics);
}

class Server {
 public:
  explicit Server(const Options& options) : options_(options), source_(make_source(options, metrics_)) {}
  ~Server() { stop(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Result<void> start();
  int run(const base::Signals& signals);

 private:
  Result<void> name_links();
  Result<void> start_workers();
  Result<void> start_links();
  Result<void> start_peers();
  Result<void> start_admin();
  Result<void> ready() const;
  void leave(const base::Signals& signals, bool& hurried);
  bool drain(const base::Signals& signals);
  void stop();
  std::string link_chain() const;
  std::size_t visitors() const;
  std::size_t links() const;

  const Options& options_;
  GatewayMetrics metrics_;
  std::unique_ptr<ConfigurationSource> source_;
  std::optional<Shared> shared_;
  std::optional<LinkCertificateFiles> link_files_;
  std::unique_ptr<Peers> peers_;  ///< nullptr: there are none
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<net::Loop> link_loop_;
  std::unique_ptr<LinkAcceptor> acceptor_;
  std::jthread link_thread_;
  CertificateExpiry expiry_;
  telemetry::Registry registry_;
  std::unique_ptr<telemetry::AdminServer> admin_;
  std::atomic<bool> draining_{false};
};

Result<void> Server::start() {
  auto first = source_->first_table();
  if (!first) return base::Error{first.error()};
  const std::size_t workers =
      options_.workers != 0 ? options_.workers : std::max(1U, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < workers; ++i) metrics_.workers.push_back(std::make_unique<WorkerMetrics>());
  shared_.emplace(std::move(*first), metrics_, options_.edge, options_.buffers);
  base::Random random;
  const auto id = base::random_id(random);
  shared_->gateway_id.assign(id.data(), id.size());
  shared_->answer_timeout = options_.answer_timeout;
  if (options_.access_log != "off") {
    telemetry::AccessLogWriter::Options log;
    if (options_.access_log != "-") log.file = options_.access_log;
    auto writer = telemetry::AccessLogWriter::start(log);
    if (!writer) return base::Error{writer.error()};
    shared_->access_log = std::move(*writer);
  }
  if (auto named = name_links(); !named) return named;
  if (auto started = start_workers(); !started) return started;
  if (auto started = start_links(); !started) return started;
  if (auto started = start_peers(); !started) return started;
  if (auto started = start_admin(); !started) return started;
  for (auto& worker : workers_) worker->run();
  if (peers_) peers_->run([this] { return static_cast<bool>(source_->ready()); });
  return source_->start(*shared_, [this](std::shared_ptr<const routing::Table> table) {
    shared_->table.publish(std::move(table));
    for (auto& worker : workers_) worker->table_changed();
  });
}

Result<void> Server::start_workers() {
  for (std::size_t i = 0; i < metrics_.workers.size(); ++i) {
    workers_.push_back(std::make_unique<Worker>(*shared_, i));
    shared_->workers.push_back(workers_.back().get());
  }
  for (const bool tls : {false, true}) {
    const auto& address = tls ? options_.https : options_.http;
    if (address.off) continue;
    auto where = net::listen_endpoint(address.host, address.port);
    if (!where) return base::Error{where.error()};
    for (auto& worker : workers_) {
      const auto bound = worker->listen(*where, tls);
      if (!bound) return base::Error{bound.error()};
      where->port(bound->port());  // all workers share the port that the first was given
    }
    if (tls) shared_->admission.https_port = where->port();
    base::log::info("listening", {{"for", tls ? "https" : "http"}, {"address", net::to_text(*where)}});
  }
  return {};
}

/// What connectors know this gateway by.
Result<void> Server::name_links() {
  auto& link = shared_->link_name;
  link.host = options_.link_host;
  if (link.host.ends_with('.')) link.host.pop_back();
  shared_->insecure_links = options_.insecure;
  if (options_.link_cert.empty()) return {};
  link_files_.emplace(options_.link_cert, options_.link_key, shared_->link_certificate);
  auto loaded = link_files_->load();
  if (loaded) link_files_->start();
  return loaded;
}

/// Links come to a listener of their own, to the public ones under the link host, or to both.
Result<void> Server::start_links() {
  if (options_.link.off && options_.link_host.empty()) return {};
  if (options_.link_cert.empty() && options_.operator_url.empty() && !options_.insecure &&
      !shared_->table.get()->server_name(options_.link_host).first()) {
    base::log::warning("no manifest holds a certificate for the link host yet: connectors cannot dial in",
                       {{"linkHost", options_.link_host}});
  }
  link_loop_ = std::make_unique<net::Loop>();
  acceptor_ = std::make_unique<LinkAcceptor>(*link_loop_, *shared_);
  if (!shared_->link_name.host.empty()) shared_->link_acceptor = acceptor_.get();
  if (!options_.link.off) {
    const auto where = net::listen_endpoint(options_.link.host, options_.link.port);
    if (!where) return base::Error{where.error()};
    const auto bound = acceptor_->listen(*where);
    if (!bound) return base::Error{bound.error()};
    base::log::info("listening", {{"for", "links"}, {"address", net::to_text(*bound)}});
  }
  link_thread_ = std::jthread([this] { link_loop_->run(); });
  return {};
}

/// Where other gateways come in, and where they are.
Result<void> Server::start_peers() {
  if (options_.peer_listen.off) return {};
  peers_ = std::make_unique<Peers>(*shared_, options_.peer_files, options_.insecure && options_.peer_address.empty());
  if (auto loaded = peers_->load(); !loaded) return loaded;
  const auto where = net::listen_endpoint(options_.peer_listen.host, options_.peer_listen.port);
  if (!where) return base::Error{where.error()};
  const auto bound = peers_->listen(*where);
  if (!bound) return base::Error{bound.error()};
  base::log::info("listening", {{"for", "peers"}, {"address", net::to_text(*bound)}});
  PeerAddresses addresses;
  for (const auto& text : options_.peers)
    addresses.push_back(*net::parse_host_port(text));  // looked at with the options
  peers_->addresses().publish(std::make_shared<const PeerAddresses>(std::move(addresses)));
  shared_->peers = peers_.get();
  return {};
}

/// It never waits for connectors: these may wait for it, and peers may have what it has not.
Result<void> Server::ready() const {
  if (draining_) return base::Error{"shutting down"};
  if (peers_ && !peers_->tried()) return base::Error{"the other gateways have not all been tried yet"};
  return source_->ready();
}

Result<void> Server::start_admin() {
  if (options_.admin.off) return {};
  registry_.add([this](telemetry::Families& families) {
    collect(metrics_, families);
    const auto table = shared_->table.get();
    collect_links(shared_->directory, *table, families);
    collect_limits(*table, options_.edge, shared_->admission.gates, families);
    if (peers_) collect_peers(peers_->metrics(), families);
    collect_buffers(shared_->buffers, shared_->directory, families);
    expiry_.collect(*table, link_chain(), families);
    const auto dropped = shared_->access_log ? shared_->access_log->dropped_lines() : 0;
    families.counter("adit_access_log_dropped_lines_total", "Access log lines lost because the output was stuck.")
        .add({}, dropped);
  });
  registry_.add(telemetry::collect_process);
  registry_.add(telemetry::build_info("adit-gateway", base::kVersion));
  telemetry::AdminHandlers handlers;
  handlers.ready = [this] { return ready(); };
  handlers.metrics = [this] { return registry_.text(); };
  handlers.status = [this] { return status_json(*shared_, draining_, source_->operator_status()); };
  auto admin = telemetry::AdminServer::start(options_.admin, std::move(handlers));
  if (!admin) return base::Error{admin.error()};
  admin_ = std::move(*admin);
  base::log::info("listening", {{"for", "admin"}, {"port", admin_->port()}});
  return {};
}

/// What the link listener serves to who asks for its name.
std::string Server::link_chain() const {
  if (options_.insecure) return {};
  if (const auto own = shared_->link_certificate.get()) return own->chain_pem;
  const auto table = shared_->table.get();
  auto certificate = table->server_name(options_.link_host).first();
  if (!certificate && !table->default_certificates().empty()) certificate = table->default_certificates()[0];
  return certificate ? certificate->chain_pem : std::string();
}

std::size_t Server::visitors() const {
  std::size_t total = 0;
  for (const auto& worker : workers_) total += worker->visitors();
  return total;
}

std::size_t Server::links() const {
  std::size_t total = 0;
  for (const auto& worker : workers_) total += worker->links();
  return total;
}

int Server::run(const base::Signals& signals) {
  int signal = 0;
  while (signal != SIGTERM && signal != SIGINT) {
    signal = signals.wait(std::chrono::hours(1));
    if (signal == SIGHUP && shared_->access_log) shared_->access_log->reopen();
  }
  const bool whole = drain(signals);
  stop();
  base::log::info("ended", {{"drained", whole}});
  return whole ? 0 : 1;
}

/// Ends the threads, those that hand work to the workers first; also when start() failed halfway.
void Server::stop() {
  admin_.reset();
  source_->stop();
  if (link_loop_) link_loop_->stop();
  if (link_thread_.joinable()) link_thread_.join();
  if (peers_) peers_->stop();
  for (auto& worker : workers_) worker->stop();
}

/// Not ready, connectors and peers are told, and for a while visitors are taken and served as ever: until those that
/// send them have noticed.
void Server::leave(const base::Signals& signals, bool& hurried) {
  draining_ = true;
  if (peers_) peers_->leave();
  for (auto& worker : workers_) worker->leave();
  if (options_.drain_delay.count() == 0) return;
  base::log::info("leaving", {{"visitors", visitors()}, {"links", links()}});
  if (link_loop_) link_loop_->post([this] { acceptor_->refuse(); });
  const auto limit = base::Clock::now() + options_.drain_delay;
  while (!hurried && base::Clock::now() < limit) {
    const int signal = signals.wait(std::chrono::milliseconds(20));
    hurried = signal == SIGTERM || signal == SIGINT;
  }
}

/// After leave(): finish what is under way → end the links. False when it was cut short.
bool Server::drain(const base::Signals& signals) {
  bool hurried = false;
  leave(signals, hurried);
  base::log::info("shutting down", {{"visitors", visitors()}, {"links", links()}});
  if (link_loop_) link_loop_->post([this] { acceptor_->close(); });
  for (auto& worker : workers_) worker->drain();
  const auto wait_until_none = [&](auto count, base::TimePoint limit) {
    // At least one wait: the workers have yet to do what was posted to them.
    do {
      const int signal = signals.wait(std::chrono::milliseconds(20));
      hurried = hurried || signal == SIGTERM || signal == SIGINT;
    } while (count() != 0 && !hurried && base::Clock::now() < limit);
    return count() == 0;
  };
  const auto served = [this] { return visitors() + (peers_ ? peers_->relays() : 0); };
  bool whole = wait_until_none(served, base::Clock::now() + options_.drain_time);
  if (!whole && !hurried) {
    base::log::info("the drain time is over: WebSockets are told so", {{"visitors", visitors()}});
    for (auto& worker : workers_) worker->go_away();
    if (peers_) peers_->cut_relays();  // the peers tell those of their visitors
    whole = wait_until_none(served, base::Clock::now() + kWebSocketsEndWithin);
  }
  if (!whole) base::log::warning("requests were cut off", {{"visitors", visitors()}});
  for (auto& worker : workers_) worker->finish();
  if (peers_) peers_->finish();
  const auto all_links = [this] { return links() + (peers_ ? peers_->links() : 0); };
  wait_until_none(all_links, base::Clock::now() + kLinksEndWithin);
  return links() == 0 && whole;
}

}  // namespace

int serve(const Options& options) {
  const base::Signals signals;
  Server server(options);
  if (const auto started = server.start(); !started) {
    base::log::error("cannot start", {{"reason", started.error()}});
    return 1;
  }
  return server.run(signals);
}

int check(const Options& options) {
  GatewayMetrics unused;
  ManifestFolder folder(options.manifests, unused);
  const auto loaded = folder.load();
  if (!loaded) {
    std::cout << loaded.error() << "\n";
    return 1;
  }
  for (const auto& problem : loaded->problems) std::cout << problem.text() << "\n";
  if (!loaded->problems.empty()) return 1;
  std::cout << "ok: " << loaded->table->tunnels() << " tunnels, " << loaded->table->routes() << " routes\n";
  return 0;
}

}  // namespace adit::gateway
