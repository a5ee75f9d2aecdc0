#include "gateway/link_directory.h"

#include <algorithm>

namespace adit::gateway {
namespace {

bool contains(const std::vector<ServiceDown>& down, std::string_view service) {
  return std::any_of(down.begin(), down.end(), [&](const ServiceDown& item) { return item.name == service; });
}

}  // namespace

std::uint64_t connector_key(const LinkInfo& link) { return link.instance_key != 0 ? link.instance_key : link.id; }

LinkStanding standing_of(const LinkInfo& link, bool down, const Ejections* ejections, base::TimePoint now) {
  LinkStanding standing;
  standing.suspect = link.state.load(std::memory_order_relaxed) == LinkState::suspect;
  standing.down = down;
  standing.ejected = ejections != nullptr && !ejections->empty() && ejections->contains(connector_key(link), now);
  standing.requests = link.requests.load(std::memory_order_relaxed);
  standing.age = now - link.serves_since.load(std::memory_order_relaxed);
  return standing;
}

void LinkDirectory::add(std::shared_ptr<LinkInfo> link) {
  history_.began(link);
  const std::lock_guard lock(mutex_);
  changes_.fetch_add(1, std::memory_order_release);
  auto& links = by_tunnel_[link->tunnel_id];
  links.push_back(Entry{std::move(link), {}});
}

LinkDirectory::Entry* LinkDirectory::find(std::uint64_t id, const std::string& tunnel_id) {
  const auto links = by_tunnel_.find(tunnel_id);
  if (links == by_tunnel_.end()) return nullptr;
  const auto entry =
      std::find_if(links->second.begin(), links->second.end(), [id](const Entry& held) { return held.link->id == id; });
  return entry != links->second.end() ? &*entry : nullptr;
}

void LinkDirectory::offers(std::uint64_t id, const std::string& tunnel_id, std::vector<std::string> services) {
  const std::lock_guard lock(mutex_);
  changes_.fetch_add(1, std::memory_order_release);
  if (Entry* entry = find(id, tunnel_id)) entry->services = std::move(services);
}

void LinkDirectory::health(std::uint64_t id, const std::string& tunnel_id, std::vector<ServiceDown> down) {
  const std::lock_guard lock(mutex_);
  changes_.fetch_add(1, std::memory_order_release);
  if (Entry* entry = find(id, tunnel_id)) entry->down = std::move(down);
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
                                                    std::size_t not_worker, const std::vector<std::uint64_t>& tried,
                                                    const Ejections* ejections, Trouble limit,
                                                    link::InstanceKey only) const {
  const auto now = base::Clock::now();
  const std::lock_guard lock(mutex_);
  const auto links = by_tunnel_.find(tunnel_id);
  if (links == by_tunnel_.end()) return nullptr;
  const auto turn = only != 0 ? turn_ : turn_++;
  const auto choice = choose_link(links->second, turn, [&](const Entry& entry) -> std::optional<LinkStanding> {
    const auto& link = *entry.link;
    const auto state = link.state.load(std::memory_order_relaxed);
    if (only != 0 && link.instance_key != only) return std::nullopt;
    if (link.worker == not_worker || (state != LinkState::live && state != LinkState::suspect)) return std::nullopt;
    if (std::find(tried.begin(), tried.end(), link.id) != tried.end()) return std::nullopt;
    if (std::find(entry.services.begin(), entry.services.end(), service) == entry.services.end()) return std::nullopt;
    return standing_of(link, contains(entry.down, service), ejections, now);
  });
  if (!choice || choice->rank.trouble >= limit) return nullptr;
  return links->second[choice->index].link;
}

bool LinkDirectory::serves(std::string_view tunnel_id, std::string_view service) const {
  const std::lock_guard lock(mutex_);
  const auto links = by_tunnel_.find(tunnel_id);
  return links != by_tunnel_.end() && std::any_of(links->second.begin(), links->second.end(), [&](const Entry& entry) {
           return entry.link->state.load(std::memory_order_relaxed) == LinkState::live &&
                  std::find(entry.services.begin(), entry.services.end(), service) != entry.services.end();
         });
}

void LinkDirectory::instances(std::string_view tunnel_id, std::string_view service,
                              std::vector<InstanceStanding>& found) const {
  const std::lock_guard lock(mutex_);
  const auto links = by_tunnel_.find(tunnel_id);
  if (links == by_tunnel_.end()) return;
  for (const Entry& entry : links->second) {
    const auto state = entry.link->state.load(std::memory_order_relaxed);
    const bool takes_streams = state == LinkState::live || state == LinkState::suspect;
    if (!takes_streams || entry.link->instance_key == 0) continue;
    if (std::find(entry.services.begin(), entry.services.end(), service) == entry.services.end()) continue;
    LinkStanding standing;
    standing.suspect = state == LinkState::suspect;
    standing.down = contains(entry.down, service);
    add_instance(found, {entry.link->instance_key, standing.trouble(), true});
  }
}

bool LinkDirectory::is_down(const LinkInfo& link, std::string_view service) const {
  const std::lock_guard lock(mutex_);
  const auto links = by_tunnel_.find(link.tunnel_id);
  if (links == by_tunnel_.end()) return false;
  return std::any_of(links->second.begin(), links->second.end(),
                     [&](const Entry& entry) { return entry.link->id == link.id && contains(entry.down, service); });
}

Unserved LinkDirectory::why_unserved(const std::string& tunnel_id) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto links = by_tunnel_.find(tunnel_id); links != by_tunnel_.end()) {
      const auto& held = links->second;
      // Those that are over have streams to finish and take no more: as good as gone.
      if (std::any_of(held.begin(), held.end(), [](const Entry& e) { return e.link->state != LinkState::over; })) {
        return Unserved::not_offered;
      }
      if (std::all_of(held.begin(), held.end(), [](const Entry& e) { return e.link->connector_leaves.load(); })) {
        return Unserved::left;
      }
    }
  }
  return history_.last_end(tunnel_id);
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
  for (const auto& entry : links->second) {
    const auto& other = entry.link;
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
