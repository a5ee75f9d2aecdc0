#include "gateway/link_reports.h"

#include <algorithm>
#include <utility>

namespace adit::gateway {
namespace {

// A tenant's connectors must not be able to make a report that the operator would refuse.
constexpr std::size_t kMostConnectors = 1000;   // of one tunnel
constexpr std::size_t kMostText = 256U << 10U;  // of all names of one tunnel's connectors
constexpr std::size_t kLongestName = 253;

bool counts(const LinkInfo& link) {
  const auto state = link.state.load(std::memory_order_relaxed);
  return state == LinkState::live || state == LinkState::suspect;
}

std::size_t text_of(const control::LiveConnector& connector) {
  auto size = connector.instance.size() + connector.name.size();
  for (const auto& service : connector.services) size += service.size() + 8;
  return size;
}

/// One connector of all links of an instance: what any of them offers.
using Instances = std::map<std::string, control::LiveConnector>;

void add(Instances& instances, const LinkDirectory::Entry& entry) {
  auto instance = entry.link->instance.substr(0, kLongestName);
  if (instances.size() >= kMostConnectors && !instances.contains(instance)) return;
  auto& connector = instances[instance];
  connector.instance = std::move(instance);
  connector.name = entry.link->connector.substr(0, kLongestName);
  connector.services.insert(connector.services.end(), entry.services.begin(), entry.services.end());
}

std::vector<control::LiveConnector> connectors_of(Instances&& instances) {
  std::vector<control::LiveConnector> connectors;
  std::size_t text = 0;
  for (auto& [instance, connector] : instances) {
    auto& services = connector.services;
    std::sort(services.begin(), services.end());
    services.erase(std::unique(services.begin(), services.end()), services.end());
    text += text_of(connector);
    if (text > kMostText) break;
    connectors.push_back(std::move(connector));
  }
  return connectors;
}

}  // namespace

void LinkReports::restart() {
  untold_.clear();
  for (const auto& [id, connectors] : now_) untold_.insert(id);
}

void LinkReports::update(const std::vector<LinkDirectory::Entry>& links) {
  std::map<std::string, Instances> by_tunnel;
  for (const auto& entry : links) {
    if (counts(*entry.link)) add(by_tunnel[entry.link->tunnel_id], entry);
  }
  std::map<std::string, Connectors> next;
  for (auto& [id, instances] : by_tunnel) {
    auto connectors = connectors_of(std::move(instances));
    const auto before = now_.find(id);
    if (before == now_.end() || before->second != connectors) untold_.insert(id);
    next.emplace(id, std::move(connectors));
  }
  for (const auto& [id, connectors] : now_) {
    if (!next.contains(id)) untold_.insert(id);
  }
  now_ = std::move(next);
}

std::optional<std::string> LinkReports::next_message() {
  if (untold_.empty()) return std::nullopt;
  control::LinksMessage message;
  message.id = untold_.extract(untold_.begin()).value();
  if (const auto found = now_.find(message.id); found != now_.end()) message.connectors = found->second;
  return write(control::GatewayMessage(std::move(message)));
}

}  // namespace adit::gateway
