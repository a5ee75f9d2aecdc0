// Many connectors in one process and thread: each is an instance that keeps one link to each gateway, with the
// program's own code from the coordinator down to the bytes. For tests of what thousands of them do to a gateway that
// went away.
//
//   reconnect_storm --gateway HOST:PORT --tunnel UUID --token-file F --ca-file F --connectors N [--apart MS]
//
// begins to dial with `apart` ms between one connector and the next, and prints ten times a second
//   TIME STARTED UP LINKS
// in one line: the steady clock in seconds, dials begun and links opened so far, links that serve now. Ends with its
// standard input.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <sys/resource.h>

#include "base/log.h"
#include "connector/identity.h"
#include "connector/link_coordinator.h"
#include "connector/link_slot.h"
#include "net/openssl_memory.h"

namespace {

using namespace adit;

constexpr auto kSample = std::chrono::milliseconds(100);

using Flags = std::map<std::string, std::string, std::less<>>;

/// What all connectors share here, where there is no difference to one each.
struct Site {
  explicit Site(const Flags& flags)
      : tunnel(flags.at("--tunnel")), credentials(flags.at("--token-file"), flags.at("--ca-file")) {}

  net::Loop loop;
  base::Random random;
  std::string tunnel;
  connector::Credentials credentials;
  connector::ProxySettings proxy;
  connector::ServiceMap services;
  connector::WorkerMetrics metrics{1};
  connector::ServicePipes pipes{loop, services, metrics};
};

/// One connector: what connector::Worker and connector::Server do, without threads.
class Instance {
 public:
  Instance(Site& site, const connector::GatewayAddress& address)
      : site_(site),
        identity_(connector::new_identity(site.tunnel, "storm")),
        coordinator_(site.loop, settings(identity_)),
        context_{{site.loop, identity_, site.credentials, site.proxy, site.random},
                 connector::TransportMode::upgrade,
                 site.services,
                 site.pipes,
                 site.metrics,
                 coordinator_,
                 {}},
        gateway_{address} {
    coordinator_.add_worker(
        [this](const link::Coverage::Action& action) { site_.loop.post([this, action] { carry(action); }); });
  }

  void start() { coordinator_.start(); }
  std::vector<connector::LinkStatus> links() const { return reports_.all(); }

 private:
  static link::Coverage::Settings settings(const connector::Identity& identity) {
    link::Coverage::Settings settings;
    settings.links = 1;
    settings.instance = identity.instance;
    return settings;
  }

  void carry(const link::Coverage::Action& action) {
    std::erase_if(slots_, [](const auto& slot) { return slot->released() && slot->idle(); });
    const auto* dial = std::get_if<link::Coverage::Dial>(&action);
    const auto number = dial != nullptr ? dial->slot : std::get<link::Coverage::Release>(action).slot;
    const auto found = std::find_if(slots_.begin(), slots_.end(), [number](const auto& slot) {
      return slot->number() == number && !slot->released();
    });
    connector::LinkSlot* slot = found != slots_.end() ? found->get() : nullptr;
    if (dial == nullptr) {
      if (slot != nullptr) slot->release();
      return;
    }
    if (slot == nullptr) {
      slot = slots_.emplace_back(std::make_unique<connector::LinkSlot>(context_, number, reports_.add())).get();
    }
    slot->dial(gateway_, {dial->avoid, dial->turn});
  }

  Site& site_;
  connector::Identity identity_;
  connector::LinkCoordinator coordinator_;
  connector::SlotContext context_;
  connector::GatewayContext gateway_;
  connector::LinkReports reports_;
  std::vector<std::unique_ptr<connector::LinkSlot>> slots_;
};

class Storm {
 public:
  Storm(Site& site, const connector::GatewayAddress& address, std::size_t connectors, base::Duration apart)
      : site_(site),
        apart_(apart),
        next_(net::Deadline::of<&Storm::start_some>(site.loop, this)),
        sample_(net::Deadline::of<&Storm::sample>(site.loop, this)) {
    for (std::size_t i = 0; i < connectors; ++i) instances_.emplace_back(site, address);
  }

  void run() {
    begun_ = net::Loop::now();
    start_some();
    sample();
    site_.loop.run();
  }

 private:
  void start_some() {
    const auto due =
        apart_.count() == 0 ? instances_.size() : static_cast<std::size_t>((net::Loop::now() - begun_) / apart_) + 1;
    while (started_ < std::min(due, instances_.size())) instances_[started_++].start();
    if (started_ < instances_.size()) next_.set(net::Loop::now() + apart_);
  }

  void sample() {
    std::uint64_t under_way = 0;
    std::uint64_t links = 0;
    for (const auto& instance : instances_) {
      for (const auto& link : instance.links()) {
        under_way += link.state == "dialing" ? 1 : 0;
        links += link.state == "up" ? 1 : 0;
      }
    }
    std::uint64_t failed = 0;
    for (const auto& cause : site_.metrics.dials_failed) failed += cause.value();
    const auto up = site_.metrics.dials_up.value();
    const std::chrono::duration<double> now = net::Loop::now().time_since_epoch();
    std::cout << std::fixed << std::setprecision(3) << now.count() << ' ' << up + failed + under_way << ' ' << up << ' '
              << links << std::endl;
    sample_.set(net::Loop::now() + kSample);
  }

  Site& site_;
  const base::Duration apart_;
  std::deque<Instance> instances_;
  std::size_t started_ = 0;
  base::TimePoint begun_{};
  net::Deadline next_;
  net::Deadline sample_;
};

int usage() {
  std::cerr
      << "reconnect_storm --gateway HOST:PORT --tunnel UUID --token-file F --ca-file F --connectors N [--apart MS]"
      << std::endl;
  return 2;
}

/// One descriptor for each link, and some.
void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int count, char** words) {
  net::recycle_openssl_memory();
  Flags flags{{"--apart", "0"}};
  for (int i = 1; i + 1 < count; i += 2) flags[words[i]] = words[i + 1];
  for (const auto* needed : {"--gateway", "--tunnel", "--token-file", "--ca-file", "--connectors"}) {
    if (!flags.contains(needed)) return usage();
  }
  const auto address = connector::parse_gateway_address(flags["--gateway"]);
  if (!address) return usage();
  base::log::init("reconnect_storm", base::log::Level::error, false);
  raise_descriptor_limit();
  Site site(flags);
  if (auto added = site.services.add(*connector::parse_service("http://127.0.0.1:1")); !added) return usage();
  std::thread([] {
    while (std::cin.get() != std::char_traits<char>::eof()) {
    }
    std::_Exit(0);  // two thousand links need no farewell
  }).detach();
  Storm(site, *address, std::strtoul(flags["--connectors"].c_str(), nullptr, 10),
        std::chrono::milliseconds(std::strtol(flags["--apart"].c_str(), nullptr, 10)))
      .run();
}
