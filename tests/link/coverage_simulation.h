#pragma once
// Gateways and connectors on one simulated clock: N gateways behind one balancer, or with an address each.

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "link/coverage.h"

namespace adit::link::test {

using namespace std::chrono_literals;

enum class Front { random, round_robin, least_connections, name, addresses };

/// What takes links: gateways by id, with how many they hold.
struct Fleet {
  struct Gateway {
    std::string id;
    bool alive = true;
    bool ready = true;  ///< named by the others
    std::size_t links = 0;
  };

  explicit Fleet(Front how) : front(how) {}

  Gateway& add(const std::string& id) { return gateways.emplace_back(Gateway{id}); }
  Gateway& get(const std::string& id) {
    return *std::find_if(gateways.begin(), gateways.end(), [&](const auto& item) { return item.id == id; });
  }
  std::vector<std::string> ready_ids() const {
    std::vector<std::string> ids;
    for (const auto& gateway : gateways) {
      if (gateway.ready) ids.push_back(gateway.id);
    }
    return ids;
  }
  /// Behind a balancer, which knows at once who lives.
  Gateway* balance(base::Random& random) {
    std::vector<Gateway*> living;
    for (auto& gateway : gateways) {
      if (gateway.alive) living.push_back(&gateway);
    }
    if (living.empty()) return nullptr;
    if (front == Front::round_robin) return living[turn++ % living.size()];
    if (front == Front::least_connections) {
      return *std::min_element(living.begin(), living.end(), [](auto* a, auto* b) { return a->links < b->links; });
    }
    return living[random.up_to(living.size() - 1)];
  }

  Front front;
  std::vector<Gateway> gateways;  ///< each also has the IP address or address of its index
  std::size_t turn = 0;
};

/// One connector and its dials.
class Dialer {
 public:
  static constexpr base::Duration kRoundTrip = 10ms;

  Dialer(Fleet& fleet, Coverage::Settings settings, std::uint64_t seed)
      : random(seed), coverage(std::move(settings), random), fleet_(fleet) {}

  void start(base::TimePoint now) {
    coverage.start(now);
    obey(now);
  }
  base::TimePoint deadline() const {
    auto first = coverage.deadline();
    for (const auto& event : events_) first = std::min(first, event.at);
    return first;
  }
  void step(base::TimePoint now) {
    for (bool more = true; more;) {
      more = false;
      for (auto event = events_.begin(); event != events_.end(); ++event) {
        if (event->at > now) continue;
        const auto work = std::move(event->work);
        events_.erase(event);
        work(now);
        obey(now);
        more = true;
        break;
      }
    }
    if (coverage.deadline() <= now) {
      coverage.on_time(now);
      obey(now);
    }
  }
  /// The gateway said something new to everybody who holds a link to it.
  void hear(base::TimePoint now) {
    for (const auto& [slot, id] : links) tell(slot, id, now);
  }
  void lose(const std::string& id, base::TimePoint now) {
    for (const auto slot : slots_of(id)) {
      links.erase(slot);
      coverage.on_lost(slot, now);
      obey(now);
    }
  }
  void leave(const std::string& id, base::TimePoint now) {
    for (const auto slot : slots_of(id)) {
      links.erase(slot);
      coverage.on_leaving(slot, now);
      obey(now);
    }
  }
  std::size_t held(const std::string& id) const { return slots_of(id).size(); }

  base::Random random;
  Coverage coverage;
  std::map<std::uint32_t, std::string> links;
  std::vector<base::TimePoint> dials;       ///< each with its time
  std::vector<base::TimePoint> handshakes;  ///< those that met a gateway
  std::chrono::seconds retry_after{0};      ///< what a gateway that is not there says

 private:
  struct Event {
    base::TimePoint at;
    std::function<void(base::TimePoint)> work;
  };

  std::vector<std::uint32_t> slots_of(const std::string& id) const {
    std::vector<std::uint32_t> slots;
    for (const auto& [slot, gateway] : links) {
      if (gateway == id) slots.push_back(slot);
    }
    return slots;
  }

  void tell(std::uint32_t slot, const std::string& id, base::TimePoint now) {
    events_.push_back({now + kRoundTrip, [this, slot, id](base::TimePoint then) {
                         if (links.contains(slot) && links[slot] == id) {
                           coverage.on_gateways(slot, fleet_.ready_ids(), then);
                         }
                       }});
  }

  void obey(base::TimePoint now) {
    for (const auto& action : coverage.take_actions()) {
      if (const auto* release = std::get_if<Coverage::Release>(&action)) {
        if (const auto link = links.find(release->slot); link != links.end()) {
          --fleet_.get(link->second).links;
          links.erase(link);
        }
        continue;
      }
      const auto dial = std::get<Coverage::Dial>(action);
      dials.push_back(now);
      events_.push_back({now + kRoundTrip, [this, dial](base::TimePoint then) { arrive(dial, then); }});
    }
  }

  void arrive(const Coverage::Dial& dial, base::TimePoint now) {
    DialPath path;
    auto* gateway = meet(dial, path);
    if (gateway == nullptr) return coverage.on_failed(dial.slot, retry_after, path, now);
    handshakes.push_back(now);
    if (!coverage.on_up(dial.slot, gateway->id, path, now)) return;
    ++gateway->links;
    links[dial.slot] = gateway->id;
    tell(dial.slot, gateway->id, now);
  }

  Fleet::Gateway* meet(const Coverage::Dial& dial, DialPath& path) {
    if (fleet_.front == Front::addresses) {
      path.tried = {"ip"};
      auto& gateway = fleet_.gateways[dial.address];
      return gateway.alive ? &gateway : nullptr;
    }
    if (fleet_.front != Front::name) {
      path = {{"ip"}, {"ip"}};
      return fleet_.balance(random);
    }
    std::vector<std::size_t> rest;
    for (std::size_t i = 0; i < fleet_.gateways.size(); ++i) {
      const auto ip = std::to_string(i);
      path.resolved.push_back(ip);
      if (std::find(dial.avoid.begin(), dial.avoid.end(), ip) == dial.avoid.end()) rest.push_back(i);
    }
    if (rest.empty()) {
      for (std::size_t i = 0; i < fleet_.gateways.size(); ++i) rest.push_back(i);
    }
    for (std::size_t i = 0; i < rest.size(); ++i) {
      const auto index = rest[(dial.turn + i) % rest.size()];
      path.tried.push_back(std::to_string(index));
      if (fleet_.gateways[index].alive) return &fleet_.gateways[index];
    }
    return nullptr;
  }

  Fleet& fleet_;
  std::vector<Event> events_;
};

/// Many of them.
class Simulation {
 public:
  Simulation(Front front, std::size_t connectors, Coverage::Settings settings) : fleet(front) {
    for (std::size_t i = 0; i < connectors; ++i) {
      settings.instance = "instance-" + std::to_string(i);
      dialers.push_back(std::make_unique<Dialer>(fleet, settings, i + 1));
    }
  }

  void start() {
    for (auto& dialer : dialers) dialer->start(now);
  }
  void run(base::Duration time) {
    const auto until = now + time;
    std::vector<base::TimePoint> deadlines;
    for (const auto& dialer : dialers) deadlines.push_back(dialer->deadline());
    for (;;) {
      const auto next = *std::min_element(deadlines.begin(), deadlines.end());
      if (next > until) break;
      now = std::max(now, next);
      for (std::size_t i = 0; i < dialers.size(); ++i) {
        if (deadlines[i] > now) continue;
        dialers[i]->step(now);
        deadlines[i] = dialers[i]->deadline();
      }
    }
    now = until;
  }
  void hear() {
    for (auto& dialer : dialers) dialer->hear(now);
  }
  void kill(const std::string& id) {
    auto& gateway = fleet.get(id);
    gateway.alive = false;
    gateway.links = 0;
    for (auto& dialer : dialers) dialer->lose(id, now);
  }
  void leave(const std::string& id) {
    auto& gateway = fleet.get(id);
    gateway.alive = gateway.ready = false;
    gateway.links = 0;
    for (auto& dialer : dialers) dialer->leave(id, now);
  }
  std::size_t handshakes() const {
    std::size_t sum = 0;
    for (const auto& dialer : dialers) sum += dialer->handshakes.size();
    return sum;
  }
  std::size_t dials() const {
    std::size_t sum = 0;
    for (const auto& dialer : dialers) sum += dialer->dials.size();
    return sum;
  }
  /// Links that are missing or too many at ready gateways, or held to others.
  std::size_t wrong(unsigned links) const {
    std::size_t sum = 0;
    for (const auto& dialer : dialers) {
      for (const auto& gateway : fleet.gateways) {
        const auto wanted = gateway.ready ? links : 0;
        const auto held = dialer->held(gateway.id);
        sum += held > wanted ? held - wanted : wanted - held;
      }
    }
    return sum;
  }

  Fleet fleet;
  std::vector<std::unique_ptr<Dialer>> dialers;
  base::TimePoint now{1h};
};

}  // namespace adit::link::test
