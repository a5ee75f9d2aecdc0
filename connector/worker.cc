#include "connector/worker.h"

#include <algorithm>
#include <utility>

namespace adit::connector {
namespace {

constexpr auto kTick = std::chrono::milliseconds(500);         // counters of links
constexpr auto kDrainingTick = std::chrono::milliseconds(50);  // an end is noticed soon

}  // namespace

Worker::Worker(const Options& options, const Identity& identity, WorkerMetrics& metrics,
               std::shared_ptr<link::BufferBudget> budget)
    : credentials_(options.token_file.string(), options.ca_file.string(), options.proxy.credentials_file.string()),
      pipes_(loop_, options.services, metrics),
      context_{{loop_, identity, credentials_, options.proxy, random_, options.dial_timeout},
               options.transport,
               options.services,
               pipes_,
               metrics,
               {},
               {}},
      tick_(net::Deadline::of<&Worker::tick>(loop_, this)) {
  context_.session.most_buffered = options.most_buffered_link;
  context_.session.budget = std::move(budget);
  context_.health = &health_;
}

Worker::~Worker() { stop(); }

GatewayContext& Worker::context_of(const GatewayAddress& gateway) {
  const auto found = std::find_if(gateways_.begin(), gateways_.end(),
                                  [&](const GatewayContext& item) { return &item.address == &gateway; });
  return found != gateways_.end() ? *found : gateways_.emplace_back(GatewayContext{gateway});
}

void Worker::add_link(const GatewayAddress& gateway, std::uint32_t number, LinkReport& report) {
  slots_.push_back(std::make_unique<LinkSlot>(context_, context_of(gateway), number, report));
}

void Worker::run() {
  thread_ = std::jthread([this] {
    for (const auto& slot : slots_) slot->start();
    tick_.set(net::Loop::now() + kTick);
    loop_.run();
  });
}

void Worker::stop() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

void Worker::set_health(link::Health down) {
  loop_.post([this, down = std::move(down)]() mutable { health_.set(std::move(down)); });
}

void Worker::leave(std::string reason) {
  no_pipes_ = no_links_ = false;
  loop_.post([this, reason = std::move(reason)] {
    draining_ = true;
    for (const auto& slot : slots_) slot->leave(reason);
    tick();
  });
}

void Worker::finish() {
  loop_.post([this] {
    for (const auto& slot : slots_) slot->shutdown();
  });
}

void Worker::tick() {
  look();
  tick_.set(net::Loop::now() + (draining_ ? kDrainingTick : kTick));
}

void Worker::look() {
  for (const auto& slot : slots_) slot->publish();
  const bool no_links = std::all_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->idle(); });
  no_pipes_.store(pipes_.empty(), std::memory_order_relaxed);
  no_links_.store(no_links, std::memory_order_relaxed);
}

}  // namespace adit::connector
