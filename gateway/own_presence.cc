#include "gateway/own_presence.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

namespace adit::gateway {
namespace {

// A control line has 64 KiB and 1000 items.
constexpr std::size_t kMostItems = 1000;
constexpr std::size_t kMostText = std::size_t{48} * 1024;
// Of one tunnel: connectors choose these names, and must not be able to fill the control stream for all others.
constexpr std::size_t kMostTextOfTunnel = std::size_t{256} * 1024;

constexpr std::size_t kMostInstances = 1000;
constexpr std::size_t kMostInstancesOfLine = 500;
constexpr std::size_t kInstanceText = 19;  // with quotation marks and a comma

/// The lines of one tunnel as they are written.
class PresenceLines {
 public:
  explicit PresenceLines(link::Presence blank) : blank_(std::move(blank)) {}

  /// Says that each of `instances` offers each of `services`, as far as there is room.
  void add(const std::set<std::string>& services, std::span<const link::InstanceKey> instances) {
    do {
      const auto some = instances.first(std::min(instances.size(), kMostInstancesOfLine));
      instances = instances.subspan(some.size());
      add_services(services, some);
    } while (!instances.empty());
  }

  std::vector<link::Presence> take() {
    if (lines_.empty()) begin({});
    return std::move(lines_);
  }

 private:
  void add_services(const std::set<std::string>& services, std::span<const link::InstanceKey> instances) {
    std::size_t text = kMostText;  // the first one begins a line
    for (const auto& service : services) {
      const std::size_t size = service.size() + 3;
      if (all_text_ + size > kMostTextOfTunnel) return;
      if (text + size > kMostText || lines_.back().services.size() == kMostItems) {
        begin(instances);
        text = 0;
      }
      text += size;
      all_text_ += size;
      lines_.back().services.push_back(service);
    }
  }

  void begin(std::span<const link::InstanceKey> instances) {
    const bool adds = !lines_.empty();
    lines_.push_back(blank_);
    lines_.back().adds = adds;
    lines_.back().instances.assign(instances.begin(), instances.end());
    all_text_ += instances.size() * kInstanceText;
  }

  const link::Presence blank_;
  std::vector<link::Presence> lines_;
  std::size_t all_text_ = 0;
};

}  // namespace

std::vector<std::string> OwnPresence::update(const std::vector<LinkDirectory::Entry>& links) {
  std::map<std::string, Tunnel> next;
  for (const auto& [link, services, down] : links) {
    const auto state = link->state.load(std::memory_order_relaxed);
    if (state != LinkState::live && state != LinkState::suspect) continue;
    auto& tunnel = next[link->tunnel_id];
    tunnel.services.insert(services.begin(), services.end());
    tunnel.links.insert(link->id);
    if (state != LinkState::live) continue;
    tunnel.suspect = false;
    if (link->instance_key == 0) continue;
    auto& offered = tunnel.instances[link->instance_key];
    const auto is_down = [&down = down](const std::string& service) {
      return std::any_of(down.begin(), down.end(), [&](const ServiceDown& item) { return item.name == service; });
    };
    std::remove_copy_if(services.begin(), services.end(), std::inserter(offered, offered.end()), is_down);
  }
  std::vector<std::string> changed;
  for (const auto& [id, tunnel] : next) {
    const auto before = now_.find(id);
    const bool same = before != now_.end() && before->second.services == tunnel.services &&
                      before->second.suspect == tunnel.suspect && before->second.instances == tunnel.instances &&
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
  link::Presence blank;
  blank.tunnel = tunnel_id;
  const auto found = now_.find(tunnel_id);
  if (found == now_.end()) return {blank};
  const Tunnel& tunnel = found->second;
  blank.suspect = tunnel.suspect;
  PresenceLines lines(blank);
  std::map<std::set<std::string>, std::vector<link::InstanceKey>> groups;
  std::size_t instances = 0;
  for (const auto& [instance, services] : tunnel.instances) {
    if (!services.empty() && instances++ < kMostInstances) groups[services].push_back(instance);
  }
  // Most often all offer the same, and one line says all.
  const bool alike = groups.size() == 1 && groups.begin()->first == tunnel.services;
  if (!alike) lines.add(tunnel.services, {});
  for (const auto& [services, members] : groups) lines.add(services, members);
  return lines.take();
}

}  // namespace adit::gateway
