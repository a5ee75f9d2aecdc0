#include "connector/server.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/log.h"
#include "base/version.h"

namespace adit::connector {
namespace {

constexpr auto kStep = std::chrono::milliseconds(50);
constexpr auto kCloseLimit = std::chrono::seconds(2);  // for the GOAWAYs of idle links

}  // namespace

Server::Server(Options options)
    : options_(std::move(options)),
      identity_(new_identity(options_.tunnel, options_.name)),
      coordinator_(loop_, {.links = options_.links,
                           .most_gateways = options_.most_gateways,
                           .addresses = options_.gateways.size(),
                           .instance = identity_.instance}),
      step_(net::Deadline::of<&Server::drain_step>(loop_, this)) {}

base::Result<void> Server::open() {
  if (auto loaded = options_.services.load_trust(); !loaded) return loaded;
  const auto buffers = std::make_shared<link::BufferBudget>(options_.most_buffered);
  for (unsigned i = 0; i < options_.workers; ++i) {
    metrics_.push_back(std::make_unique<WorkerMetrics>(options_.services.services().size()));
    workers_.push_back(
        std::make_unique<Worker>(options_, identity_, *metrics_.back(), coordinator_, reports_, buffers));
    coordinator_.add_worker([worker = workers_.back().get()](const auto& action) { worker->carry(action); });
  }
  registry_.add(telemetry::collect_process);
  registry_.add(telemetry::build_info("adit-connector", base::kVersion));
  registry_.add([this](telemetry::Families& families) {
    collect_links(options_, reports_.all(), coordinator_.view(), families);
    collect(metrics_, options_.services, families);
    collect_health(health_, families);
  });
  if (options_.admin.off) return {};
  telemetry::AdminHandlers handlers;
  handlers.ready = [this] { return readiness(reports_.all()); };
  handlers.metrics = [this] { return registry_.text(); };
  handlers.status = [this] {
    return status_json(options_, identity_, reports_.all(), coordinator_.view(), health_.get());
  };
  auto admin = telemetry::AdminServer::start(options_.admin, std::move(handlers));
  if (!admin) return base::Error{"--admin: " + admin.error()};
  admin_ = *std::move(admin);
  return {};
}

int Server::run() {
  net::asio::signal_set signals(loop_.context(), SIGTERM, SIGINT);
  std::function<void(net::Error, int)> on_signal = [&](net::Error error, int) {
    if (error) return;
    this->on_signal();
    signals.async_wait(on_signal);
  };
  signals.async_wait(on_signal);
  base::log::info("connector starts", {{"tunnel", identity_.tunnel},
                                       {"name", identity_.name},
                                       {"instance", identity_.instance},
                                       {"services", options_.services.services().size()},
                                       {"links", options_.links}});
  for (const auto& worker : workers_) worker->run();
  watch_ = std::make_unique<HealthWatch>(loop_, options_.services, options_.probes, health_, [this](const auto& down) {
    for (const auto& worker : workers_) worker->set_health(down);
  });
  coordinator_.start();
  loop_.run();
  watch_.reset();
  for (const auto& worker : workers_) worker->stop();
  base::log::info("connector ends", {{"exit_code", exit_code_}});
  return exit_code_;
}

void Server::on_signal() {
  if (phase_ != Phase::serving) {
    base::log::warning("a second signal: ending at once");
    return exit(1);
  }
  base::log::info("draining", {{"limit", base::to_string(options_.drain_time)}});
  phase_ = Phase::draining;
  limit_ = net::Loop::now() + options_.drain_time;
  coordinator_.stop();
  for (const auto& worker : workers_) worker->leave("connector is shutting down");
  step_.set(net::Loop::now() + kStep);
}

void Server::drain_step() {
  const bool late = net::Loop::now() >= limit_;
  const auto all = [&](bool (Worker::*done)() const) {
    return std::all_of(workers_.begin(), workers_.end(), [&](const auto& worker) { return ((*worker).*done)(); });
  };
  if (phase_ == Phase::draining && (late || all(&Worker::has_no_pipes))) {
    if (late) base::log::warning("streams were still open when the time to drain was up");
    phase_ = Phase::closing;
    limit_ = net::Loop::now() + kCloseLimit;
    for (const auto& worker : workers_) worker->finish();
  } else if (phase_ == Phase::closing && (late || all(&Worker::has_no_links))) {
    return exit(0);
  }
  step_.set(net::Loop::now() + kStep);
}

void Server::exit(int code) {
  exit_code_ = code;
  loop_.stop();
}

}  // namespace adit::connector
