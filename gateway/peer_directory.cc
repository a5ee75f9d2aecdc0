#include "gateway/peer_directory.h"

#include <algorithm>

namespace adit::gateway {

void PeerDirectory::put(const std::shared_ptr<LinkInfo>& tunnel, std::vector<std::string> services) {
  std::sort(services.begin(), services.end());
  const std::lock_guard lock(mutex_);
  auto& entries = by_tunnel_[tunnel->tunnel_id];
  const auto known =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.tunnel == tunnel; });
  if (known != entries.end()) {
    known->services = std::move(services);
  } else {
    entries.push_back({tunnel, std::move(services)});
  }
}

void PeerDirectory::remove(const LinkInfo& tunnel) {
  const std::lock_guard lock(mutex_);
  const auto entries = by_tunnel_.find(tunnel.tunnel_id);
  if (entries == by_tunnel_.end()) return;
  std::erase_if(entries->second, [&](const Entry& entry) { return entry.tunnel->id == tunnel.id; });
  if (entries->second.empty()) by_tunnel_.erase(entries);
}

std::shared_ptr<const LinkInfo> PeerDirectory::pick(std::string_view tunnel_id, std::string_view service,
                                                    const std::vector<std::uint64_t>& tried) {
  const std::lock_guard lock(mutex_);
  const auto entries = by_tunnel_.find(tunnel_id);
  if (entries == by_tunnel_.end()) return nullptr;
  const Entry* best = nullptr;
  auto best_state = LinkState::over;
  std::uint64_t equals = 0;
  for (const auto& entry : entries->second) {
    const auto state = entry.tunnel->state.load(std::memory_order_relaxed);
    if (state != LinkState::live && state != LinkState::suspect) continue;
    if (std::find(tried.begin(), tried.end(), entry.tunnel->id) != tried.end()) continue;
    if (!std::binary_search(entry.services.begin(), entry.services.end(), service, std::less<>())) continue;
    if (best != nullptr && best_state < state) continue;
    equals = best == nullptr || state < best_state ? 1 : equals + 1;
    if (equals != 1 && random_.up_to(equals - 1) != 0) continue;
    best = &entry;
    best_state = state;
  }
  return best != nullptr ? best->tunnel : nullptr;
}

}  // namespace adit::gateway
