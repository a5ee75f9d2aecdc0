#include "connector/worker.h"

#include <algorithm>
#include <utility>

namespace adit::connector {
namespace {

constexpr auto kTick = std::chrono::milliseconds(500);         // counters of links
constexpr auto kDrainingTick = std::chrono::milliseconds(50);  // an end is noticed soon

}  // namespace

Worker::Worker(const Options& options, const Identity& identity, WorkerMetrics& metrics, LinkCoordinator& coordinator,
               LinkReports& reports, std::shared_ptr<link::BufferBudget> budget)
    : reports_(reports),
      credentials_(options.token_file.string(), options.ca_file.string(), options.proxy.credentials_file.string()),
      pipes_(loop_, options.services, metrics),
      context_{{loop_, identity, credentials_, options.proxy, random_, options.dial_timeout},
               options.transport,
               options.services,
               pipes_,
               metrics,
               coordinator,
               {}},
      tick_(net::Deadline::of<&Worker::tick>(loop_, this)) {
  context_.session.most_buffered = options.most_buffered_link;
  context_.session.budget = std::move(budget);
  context_.health = &health_;
  for (const auto& gateway : options.gateways) gateways_.push_back(GatewayContext{gateway});
}

Worker::~Worker() { stop(); }

void Worker::carry(const link::Coverage::Action& action) {
  loop_.post([this, action] {
    if (const auto* wanted = std::get_if<link::Coverage::Dial>(&action)) return dial(*wanted);
    if (auto* slot = find(std::get<link::Coverage::Release>(action).slot)) slot->release();
  });
}

void Worker::dial(const link::Coverage::Dial& dial) {
  if (draining_) return;
  auto* slot = find(dial.slot);
  if (slot == nullptr) {
    slot = slots_.emplace_back(std::make_unique<LinkSlot>(context_, dial.slot, reports_.add())).get();
  }
  slot->dial(gateways_[dial.address], {dial.avoid, dial.turn});
}

LinkSlot* Worker::find(std::uint32_t number) {
  const auto found = std::find_if(slots_.begin(), slots_.end(),
                                  [number](const auto& slot) { return slot->number() == number && !slot->released(); });
  return found == slots_.end() ? nullptr : found->get();
}

void Worker::run() {
  thread_ = std::jthread([this] {
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
  std::erase_if(slots_, [](const auto& slot) { return slot->released() && slot->idle(); });
  for (const auto& slot : slots_) slot->publish();
  const bool no_links = std::all_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->idle(); });
  no_pipes_.store(pipes_.empty(), std::memory_order_relaxed);
  no_links_.store(no_links, std::memory_order_relaxed);
}

}  // namespace adit::connector
