#include "gateway/peer_directory.h"

#include <algorithm>
#include <utility>

namespace adit::gateway {

bool PeerDirectory::Entry::offers(std::string_view service, link::InstanceKey only) const {
  if (only == 0) return std::binary_search(services.begin(), services.end(), service, std::less<>());
  return std::any_of(groups.begin(), groups.end(), [&](const Group& group) {
    return std::binary_search(group.instances.begin(), group.instances.end(), only) &&
           std::binary_search(group.services.begin(), group.services.end(), service, std::less<>());
  });
}

void PeerDirectory::put(const std::shared_ptr<LinkInfo>& tunnel, std::vector<std::string> services,
                        std::vector<Group> groups) {
  std::sort(services.begin(), services.end());
  for (Group& group : groups) {
    std::sort(group.instances.begin(), group.instances.end());
    std::sort(group.services.begin(), group.services.end());
  }
  const std::lock_guard lock(mutex_);
  touch();
  auto& entries = by_tunnel_[tunnel->tunnel_id];
  const auto known =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.tunnel == tunnel; });
  if (known != entries.end()) {
    known->services = std::move(services);
    known->groups = std::move(groups);
  } else {
    entries.push_back({tunnel, std::move(services), std::move(groups)});
  }
}

void PeerDirectory::remove(const LinkInfo& tunnel) {
  const std::lock_guard lock(mutex_);
  touch();
  const auto entries = by_tunnel_.find(tunnel.tunnel_id);
  if (entries == by_tunnel_.end()) return;
  std::erase_if(entries->second, [&](const Entry& entry) { return entry.tunnel->id == tunnel.id; });
  if (entries->second.empty()) by_tunnel_.erase(entries);
}

std::shared_ptr<const LinkInfo> PeerDirectory::pick(std::string_view tunnel_id, std::string_view service,
                                                    const std::vector<std::uint64_t>& tried, link::InstanceKey only) {
  const std::lock_guard lock(mutex_);
  const auto entries = by_tunnel_.find(tunnel_id);
  if (entries == by_tunnel_.end()) return nullptr;
  const Entry* best = nullptr;
  std::pair best_rank(LinkState::over, true);
  std::uint64_t equals = 0;
  for (const auto& entry : entries->second) {
    const auto& at_peer = *entry.tunnel;
    const std::pair rank(at_peer.state.load(std::memory_order_relaxed),
                         at_peer.connector_leaves.load(std::memory_order_relaxed));
    if (rank.first != LinkState::live && rank.first != LinkState::suspect) continue;
    if (std::find(tried.begin(), tried.end(), at_peer.id) != tried.end()) continue;
    if (!entry.offers(service, only)) continue;
    if (best != nullptr && best_rank < rank) continue;
    equals = best != nullptr && rank == best_rank ? equals + 1 : 1;
    if (random_.up_to(equals - 1) != 0) continue;
    best = &entry;
    best_rank = rank;
  }
  return best != nullptr ? best->tunnel : nullptr;
}

void PeerDirectory::instances(std::string_view tunnel_id, std::string_view service,
                              std::vector<InstanceStanding>& found) {
  const std::lock_guard lock(mutex_);
  const auto entries = by_tunnel_.find(tunnel_id);
  if (entries == by_tunnel_.end()) return;
  for (const Entry& entry : entries->second) {
    const auto state = entry.tunnel->state.load(std::memory_order_relaxed);
    if (state != LinkState::live && state != LinkState::suspect) continue;
    const Trouble trouble = state == LinkState::suspect ? kMayBeDead : kNoTrouble;
    for (const Group& group : entry.groups) {
      if (!std::binary_search(group.services.begin(), group.services.end(), service, std::less<>())) continue;
      for (const auto instance : group.instances) add_instance(found, {instance, trouble, false});
    }
  }
}

}  // namespace adit::gateway
