#include "link/coverage.h"

#include <algorithm>
#include <utility>

namespace adit::link {
namespace {

constexpr std::uint32_t kNumbers = 10'000;  // what Adit-Slot may be
/// However many gateways a line names: links that are missing at once.
constexpr unsigned kMostPending = 256;
/// However many gateways are missing: dials in kSlow.
constexpr std::size_t kMostSlow = 8;

using State = Slot::State;

}  // namespace

Coverage::Coverage(Settings settings, base::Random& random)
    : settings_(std::move(settings)), random_(random), places_(settings_.addresses) {}

void Coverage::start(base::TimePoint now) {
  stopped_ = false;
  settle(now);
}

void Coverage::stop() {
  stopped_ = true;
  slots_.clear();
  actions_.clear();
}

bool Coverage::on_up(std::uint32_t slot, const std::string& gateway, const DialPath& path, base::TimePoint now) {
  auto* found = find(slot, State::dialing);
  if (found == nullptr) return false;
  known_.on_arrival(gateway);
  auto with_it = held();
  const bool enough = ++with_it[gateway] > settings_.links;
  const bool useful = !enough && kept_gateways(rules(), known_, with_it).contains(gateway);
  places_.on_up(found->address, path, gateway, useful);
  if (useful) {
    in_vain_.erase(found->need);
    found->state.on_up(now);
    found->gateway = gateway;
  } else {
    ++surplus_;
    ++in_vain_[found->need];
    found->state.on_surplus(now, up_to(kSpread));
  }
  settle(now);
  return useful;
}

void Coverage::on_failed(std::uint32_t slot, std::chrono::seconds retry_after, const DialPath& path,
                         base::TimePoint now) {
  auto* found = find(slot, State::dialing);
  if (found == nullptr) return;
  // The budget is there to spare gateways; this dial met none, and its slot waits longer each time.
  if (found->charged) ++budget_;
  places_.on_failed(found->address, path);
  ++in_vain_[found->need];
  found->state.on_failed(now, retry_after);
  settle(now);
}

void Coverage::on_lost(std::uint32_t slot, base::TimePoint now) {
  auto* found = find(slot, State::up);
  if (found == nullptr) return;
  known_.on_gone(slot);
  found->gateway.clear();
  found->state.on_lost(now);
  settle(now);
}

void Coverage::on_leaving(std::uint32_t slot, base::TimePoint now) {
  auto* found = find(slot, State::up);
  if (found == nullptr) return;
  known_.on_gone(slot);
  known_.on_leaving(found->gateway, now);
  found->gateway.clear();
  found->state.on_peer_leaving(now);
  settle(now);
}

void Coverage::on_gateways(std::uint32_t slot, std::vector<std::string> ids, base::TimePoint now) {
  const auto* found = find(slot, State::up);
  if (found == nullptr) return;
  known_.on_line(slot, found->gateway, std::move(ids));
  settle(now);
}

void Coverage::on_time(base::TimePoint now) {
  if (stopped_) return;
  known_.on_time(now);
  settle(now);
  for (auto& slot : slots_) {
    if (slot.second.state.deadline() <= now) try_dial(slot, now);
  }
}

base::TimePoint Coverage::deadline() const {
  if (stopped_) return base::kNever;
  auto first = known_.deadline();
  for (const auto& item : slots_) first = std::min(first, item.second.state.deadline());
  return first;
}

base::TimePoint Coverage::next_dial(std::uint32_t slot) const {
  const auto found = slots_.find(slot);
  return found == slots_.end() ? base::kNever : found->second.state.deadline();
}

std::vector<Coverage::Row> Coverage::gateways() const {
  const auto have = held();
  std::map<std::string, Row> rows;
  for (const auto& [id, count] : have) rows[id] = {id, count, 0};
  for (const auto& id : known_.named()) rows[id].gateway = id;
  for (const auto& id : wanted_gateways(rules(), known_, have)) rows[id].wanted = settings_.links;
  std::vector<Row> list;
  list.reserve(rows.size());
  for (auto& item : rows) list.push_back(std::move(item.second));
  return list;
}

CoverageRules Coverage::rules() const { return {settings_.links, settings_.most_gateways, settings_.instance}; }

Coverage::Held* Coverage::find(std::uint32_t slot, State state) {
  if (stopped_) return nullptr;
  const auto found = slots_.find(slot);
  return found != slots_.end() && found->second.state.state() == state ? &found->second : nullptr;
}

/// Late again what was used before: a report about a slot that was released must not meet its successor.
std::uint32_t Coverage::new_number() {
  while (slots_.contains(next_number_)) next_number_ = (next_number_ + 1) % kNumbers;
  return std::exchange(next_number_, (next_number_ + 1) % kNumbers);
}

LinksHeld Coverage::held() const {
  LinksHeld held;
  for (const auto& item : slots_) {
    const auto& gateway = item.second.gateway;
    if (!gateway.empty() && !known_.is_leaving(gateway)) ++held[gateway];
  }
  return held;
}

unsigned Coverage::pending() const {
  return static_cast<unsigned>(std::count_if(slots_.begin(), slots_.end(), [this](const auto& item) {
    const auto& gateway = item.second.gateway;
    return gateway.empty() || known_.is_leaving(gateway);
  }));
}

/// Brings slots and budget in line with what is known.
void Coverage::settle(base::TimePoint now) {
  if (stopped_) return;
  end_unwanted();
  auto next = find_needs(rules(), known_, places_, held());
  grant(next, now);
  needs_ = std::move(next);
  const auto missing = std::min(total(needs_), kMostPending);
  for (auto have = pending(); have < missing; ++have) open_slot(now);
  // Until a gateway has said who is there, what was held before the loss of everything is the best guess.
  if (known_.any_line()) drop_waiting();
}

/// Links of gateways that were held in the stead of others.
void Coverage::end_unwanted() {
  if (settings_.most_gateways == 0) return;
  const auto kept = kept_gateways(rules(), known_, held());
  for (auto item = slots_.begin(); item != slots_.end();) {
    const auto& gateway = item->second.gateway;
    if (gateway.empty() || known_.is_leaving(gateway) || kept.contains(gateway)) {
      ++item;
      continue;
    }
    ++surplus_;
    known_.on_gone(item->first);
    actions_.emplace_back(Release{item->first});
    item = slots_.erase(item);
  }
}

void Coverage::grant(const CoverageNeeds& next, base::TimePoint now) {
  unsigned more = 0;
  bool withdrawn = false;
  for (const auto& [need, count] : next) {
    const auto before = needs_.find(need);
    const auto had = before == needs_.end() ? 0 : before->second;
    more += count - std::min(count, had);
  }
  const auto have = held();
  for (const auto& item : needs_) {
    const auto found = have.find(item.first);
    const bool met = found != have.end() && found->second >= settings_.links;
    withdrawn |= !met && !next.contains(item.first);
  }
  if (more == 0 && !withdrawn) return;
  std::erase_if(in_vain_, [&](const auto& item) { return !next.contains(item.first); });
  unsigned under_way = 0;
  for (const auto& item : slots_)
    under_way += item.second.state.state() == State::dialing && item.second.charged ? 1 : 0;
  const auto most = kDialsPerLink * total(next);
  budget_ = std::min(budget_ + kDialsPerLink * more, most - std::min(most, under_way));
  if (more == 0) return;
  for (auto& item : slots_) {
    if (std::exchange(item.second.slow, false)) item.second.state.postpone(now + up_to(kSpread));
  }
}

void Coverage::open_slot(base::TimePoint now) {
  const auto number = new_number();
  const auto slot = slots_.emplace(number, Held(Slot(settings_.backoff, random_))).first;
  slot->second.state.start_after(now, held().empty() ? base::Duration(0) : up_to(kSpread));
  if (slot->second.state.deadline() <= now) try_dial(*slot, now);
}

/// Those that would dial last go first.
void Coverage::drop_waiting() {
  const auto missing = total(needs_);
  for (auto have = pending(); have > missing; --have) {
    auto last = slots_.end();
    for (auto item = slots_.begin(); item != slots_.end(); ++item) {
      if (item->second.state.state() != State::waiting) continue;
      if (last == slots_.end() || item->second.state.deadline() > last->second.state.deadline()) last = item;
    }
    if (last == slots_.end()) return;
    actions_.emplace_back(Release{last->first});
    slots_.erase(last);
  }
}

/// The slot's wait is over.
void Coverage::try_dial(Slots::value_type& slot, base::TimePoint now) {
  auto& [number, entry] = slot;
  if (budget_ == 0 && !std::exchange(entry.slow, false) && !held().empty()) {
    // Each slot waits for its share of what is one dial for each need in about kSlow.
    const auto rate = std::clamp<std::size_t>(needs_.size(), 1, kMostSlow);
    const auto share = kSlow * pending() / static_cast<unsigned>(rate);
    entry.slow = true;
    return entry.state.postpone(now + share / 2 + up_to(share));
  }
  if (entry.state.on_time(now) != Slot::Action::dial) return;
  entry.charged = budget_ > 0;
  if (entry.charged) --budget_;
  dial(slot);
}

void Coverage::dial(Slots::value_type& slot) {
  auto& [number, entry] = slot;
  entry.need.clear();
  entry.need = next_need();
  const auto have = ids_of(held());
  const auto address = address_of(entry.need);
  entry.address = address ? *address : places_.best_for(entry.need, have);
  GatewayIds covered;
  for (const auto& id : have) {
    if (!needs_.contains(id)) covered.insert(id);
  }
  actions_.emplace_back(
      Dial{number, entry.address, places_.next_turn(entry.address), places_.spots_of(entry.address, covered)});
}

/// One with more links missing than dials under way, where fewest were in vain; so what is out of reach keeps nothing
/// else waiting.
std::string Coverage::next_need() {
  CoverageNeeds open = needs_;
  for (const auto& item : slots_) {
    if (item.second.state.state() != State::dialing) continue;
    if (const auto found = open.find(item.second.need); found != open.end() && found->second > 0) --found->second;
  }
  std::vector<const std::string*> best;
  auto least = std::pair(true, ~0U);
  for (const auto& [need, count] : open) {
    const auto vain = in_vain_.find(need);
    const auto cost = std::pair(count == 0, vain == in_vain_.end() ? 0U : vain->second);
    if (cost < least) best.clear();
    if (cost <= least) best.push_back(&need);
    least = std::min(least, cost);
  }
  return best.empty() ? "@0" : *best[random_.up_to(best.size() - 1)];
}

base::Duration Coverage::up_to(base::Duration most) {
  return base::Duration(random_.up_to(static_cast<std::uint64_t>(most.count())));
}

}  // namespace adit::link
