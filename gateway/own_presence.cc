#include "gateway/own_presence.h"

#include <algorithm>
#include <utility>

namespace adit::gateway {
namespace {

// A control line has 64 KiB and 1000 items.
constexpr std::size_t kMostItems = 1000;
constexpr std::size_t kMostText = std::size_t{48} * 1024;
// Of one tunnel: connectors choose these names, and must not be able to fill the control stream for all others.
constexpr std::size_t kMostTextOfTunnel = std::size_t{256} * 1024;

}  // namespace

std::vector<std::string> OwnPresence::update(const std::vector<LinkDirectory::Entry>& links) {
  std::map<std::string, Tunnel> next;
  for (const auto& [link, services, down] : links) {
    const auto state = link->state.load(std::memory_order_relaxed);
    if (state != LinkState::live && state != LinkState::suspect) continue;
    auto& tunnel = next[link->tunnel_id];
    tunnel.services.insert(services.begin(), services.end());
    tunnel.links.insert(link->id);
    if (state == LinkState::live) tunnel.suspect = false;
  }
  std::vector<std::string> changed;
  for (const auto& [id, tunnel] : next) {
    const auto before = now_.find(id);
    const bool same = before != now_.end() && before->second.services == tunnel.services &&
                      before->second.suspect == tunnel.suspect &&
                      std::includes(tunnel.links.begin(), tunnel.links.end(), before->second.links.begin(),
                                    before->second.links.end());
    if (!same) changed.push_back(id);
  }
  for (const auto& [id, tunnel] : now_) {
    if (!next.contains(id)) changed.push_back(id);
  }
  now_ = std::move(next);
  return changed;
}

std::set<std::string> OwnPresence::tunnels() const {
  std::set<std::string> ids;
  for (const auto& [id, tunnel] : now_) ids.insert(ids.end(), id);
  return ids;
}

std::vector<link::Presence> OwnPresence::lines(const std::string& tunnel_id) const {
  std::vector<link::Presence> lines(1);
  lines.back().tunnel = tunnel_id;
  const auto found = now_.find(tunnel_id);
  if (found == now_.end()) return lines;
  lines.back().suspect = found->second.suspect;
  std::size_t text = 0;
  std::size_t all_text = 0;
  for (const auto& service : found->second.services) {
    all_text += service.size() + 3;
    if (all_text > kMostTextOfTunnel) break;
    if (lines.back().services.size() == kMostItems || text + service.size() + 3 > kMostText) {
      lines.push_back({tunnel_id, {}, found->second.suspect, true});
      text = 0;
    }
    text += service.size() + 3;
    lines.back().services.push_back(service);
  }
  return lines;
}

}  // namespace adit::gateway
