#include "connector/link_coordinator.h"

#include <algorithm>
#include <utility>

namespace adit::connector {

LinkCoordinator::LinkCoordinator(net::Loop& loop, link::Coverage::Settings settings)
    : loop_(loop),
      deadline_(net::Deadline::of<&LinkCoordinator::on_deadline>(loop, this)),
      coverage_(std::move(settings), random_) {}

void LinkCoordinator::add_worker(Carry carry) { workers_.push_back({std::move(carry)}); }

void LinkCoordinator::start() {
  const std::lock_guard lock(mutex_);
  coverage_.start(net::Loop::now());
  carry_out();
}

void LinkCoordinator::stop() {
  const std::lock_guard lock(mutex_);
  coverage_.stop();
}

bool LinkCoordinator::on_up(std::uint32_t slot, const std::string& gateway, const link::DialPath& path) {
  const std::lock_guard lock(mutex_);
  const bool keep = coverage_.on_up(slot, gateway, path, net::Loop::now());
  carry_out();
  return keep;
}

base::TimePoint LinkCoordinator::on_failed(std::uint32_t slot, std::chrono::seconds retry_after,
                                           const link::DialPath& path) {
  const std::lock_guard lock(mutex_);
  coverage_.on_failed(slot, retry_after, path, net::Loop::now());
  carry_out();
  return coverage_.next_dial(slot);
}

void LinkCoordinator::on_lost(std::uint32_t slot) {
  const std::lock_guard lock(mutex_);
  coverage_.on_lost(slot, net::Loop::now());
  carry_out();
}

void LinkCoordinator::on_leaving(std::uint32_t slot) {
  const std::lock_guard lock(mutex_);
  coverage_.on_leaving(slot, net::Loop::now());
  carry_out();
}

void LinkCoordinator::on_gateways(std::uint32_t slot, const std::vector<std::string>& ids) {
  const std::lock_guard lock(mutex_);
  coverage_.on_gateways(slot, ids, net::Loop::now());
  carry_out();
}

LinkCoordinator::View LinkCoordinator::view() const {
  const std::lock_guard lock(mutex_);
  return {coverage_.gateways(), coverage_.surplus(), coverage_.slots()};
}

/// With the lock held.
void LinkCoordinator::carry_out() {
  for (const auto& action : coverage_.take_actions()) {
    if (const auto* dial = std::get_if<link::Coverage::Dial>(&action)) {
      workers_[worker_of(dial->slot)].carry(action);
    } else if (const auto placed = placed_.find(std::get<link::Coverage::Release>(action).slot);
               placed != placed_.end()) {
      auto& worker = workers_[placed->second];
      worker.carry(action);
      --worker.slots;
      placed_.erase(placed);
    }
  }
  const auto next = coverage_.deadline();
  if (next >= wound_for_) return;
  wound_for_ = next;
  loop_.post([this] { wind(); });
}

/// A slot stays with its worker; a new one goes to that with fewest.
std::size_t LinkCoordinator::worker_of(std::uint32_t slot) {
  const auto [placed, is_new] = placed_.try_emplace(slot, 0);
  if (is_new) {
    const auto least = std::min_element(workers_.begin(), workers_.end(),
                                        [](const auto& a, const auto& b) { return a.slots < b.slots; });
    ++least->slots;
    placed->second = static_cast<std::size_t>(least - workers_.begin());
  }
  return placed->second;
}

void LinkCoordinator::wind() {
  const std::lock_guard lock(mutex_);
  if (wound_for_ != base::kNever) deadline_.set(wound_for_);
}

void LinkCoordinator::on_deadline() {
  const std::lock_guard lock(mutex_);
  wound_for_ = base::kNever;
  coverage_.on_time(net::Loop::now());
  carry_out();
}

}  // namespace adit::connector
