#include "gateway/link_directory.h"

#include <algorithm>

namespace adit::gateway {

void LinkDirectory::add(std::shared_ptr<LinkInfo> link) {
  history_.began(link);
  const std::lock_guard lock(mutex_);
  changes_.fetch_add(1, std::memory_order_release);
  auto& links = by_tunnel_[link->tunnel_id];
  links.push_back(Entry{std::move(link), {}});
}

void LinkDirectory::offers(std::uint64_t id, const std::string& tunnel_id, std::vector<std::string> services) {
  const std::lock_guard lock(mutex_);
  changes_.fetch_add(1, std::memory_order_release);
  const auto links = by_tunnel_.find(tunnel_id);
  if (links == by_tunnel_.end()) return;
  const auto entry =
      std::find_if(links->second.begin(), links->second.end(), [id](const Entry& held) { return held.link->id == id; });
  if (entry != links->second.end()) entry->services = std::move(services);
}

void LinkDirectory::remove(std::uint64_t id, const std::string& tunnel_id) {
  const std::lock_guard lock(mutex_);
  changes_.fetch_add(1, std::memory_order_release);
  const auto links = by_tunnel_.find(tunnel_id);
  if (links == by_tunnel_.end()) return;
  std::erase_if(links->second, [&](const Entry& entry) { return entry.link->id == id; });
  if (links->second.empty()) by_tunnel_.erase(links);
}

std::size_t LinkDirectory::pick_worker(std::string_view tunnel_id, std::size_t workers) const {
  std::vector<std::pair<std::size_t, std::size_t>> load(workers);  // links of the tunnel, links at all
  const std::lock_guard lock(mutex_);
  for (const auto& [id, links] : by_tunnel_) {
    for (const auto& entry : links) {
      load[entry.link->worker].second += 1;
      if (id == tunnel_id) load[entry.link->worker].first += 1;
    }
  }
  return static_cast<std::size_t>(std::min_element(load.begin(), load.end()) - load.begin());
}

std::shared_ptr<const LinkInfo> LinkDirectory::pick(std::string_view tunnel_id, std::string_view service,
                                                    std::size_t not_worker,
                                                    const std::vector<std::uint64_t>& tried) const {
  const std::lock_guard lock(mutex_);
  const auto links = by_tunnel_.find(tunnel_id);
  if (links == by_tunnel_.end()) return nullptr;
  const Entry* best = nullptr;
  const auto rank = [](const Entry& entry) {
    return std::pair(entry.link->state.load(), entry.link->streams_open.load());
  };
  for (const auto& entry : links->second) {
    const auto& link = *entry.link;
    const auto state = link.state.load(std::memory_order_relaxed);
    if (link.worker == not_worker || (state != LinkState::live && state != LinkState::suspect)) continue;
    if (std::find(tried.begin(), tried.end(), link.id) != tried.end()) continue;
    if (std::find(entry.services.begin(), entry.services.end(), service) == entry.services.end()) continue;
    if (best == nullptr || rank(entry) < rank(*best)) best = &entry;
  }
  return best != nullptr ? best->link : nullptr;
}

LinkDirectory::Count LinkDirectory::count(std::string_view tunnel_id, std::string_view instance) const {
  const std::lock_guard lock(mutex_);
  const auto links = by_tunnel_.find(tunnel_id);
  if (links == by_tunnel_.end()) return {};
  const auto same = std::count_if(links->second.begin(), links->second.end(),
                                  [&](const Entry& entry) { return entry.link->instance == instance; });
  return {links->second.size(), static_cast<std::size_t>(same)};
}

std::vector<std::shared_ptr<const LinkInfo>> LinkDirectory::predecessors(const LinkInfo& link) const {
  std::vector<std::shared_ptr<const LinkInfo>> found;
  if (!link.slot) return found;
  const std::lock_guard lock(mutex_);
  const auto links = by_tunnel_.find(link.tunnel_id);
  if (links == by_tunnel_.end()) return found;
  // They were added in the order of their ids.
  for (const auto& [other, services] : links->second) {
    if (other->id < link.id && other->slot == link.slot && other->instance == link.instance) found.push_back(other);
  }
  return found;
}

std::vector<LinkDirectory::Entry> LinkDirectory::all() const {
  std::vector<Entry> entries;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, links] : by_tunnel_) entries.insert(entries.end(), links.begin(), links.end());
  return entries;
}

}  // namespace adit::gateway
