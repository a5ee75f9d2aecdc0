#include "gateway/peer_link.h"

#include <limits>
#include <utility>

#include "base/log.h"

namespace adit::gateway {

namespace {

/// In memory, more or less: services are there twice where instances are named.
std::size_t size_of(const link::Presence& presence) {
  std::size_t text = 0;
  for (const auto& service : presence.services) text += service.size();
  if (presence.instances.empty()) return text;
  return 2 * text + presence.instances.size() * sizeof(link::InstanceKey);
}

}  // namespace

PeerLink::PeerLink(net::Loop& loop, net::StreamPtr stream, std::string gateway_id, const link::SessionOptions& options,
                   PeerDirectory& directory, LinkDirectory& next_id, PeerLinkOwner& owner)
    : gateway_id_(std::move(gateway_id)),
      directory_(directory),
      next_id_(next_id),
      owner_(owner),
      driver_(loop, std::move(stream), nullptr, link::Role::gateway, options, *this) {}

PeerLink::~PeerLink() { clear(); }

link::Stream* PeerLink::open(const link::Opening& opening, link::StreamHandler& handler) {
  return driver_.is_open() ? driver_.session().open(opening, handler) : nullptr;
}

void PeerLink::on_link_control(const link::ControlMessage& message) {
  if (const auto* presence = std::get_if<link::Presence>(&message)) {
    take(*presence);
  } else if (const auto* replica = std::get_if<link::Replica>(&message)) {
    ready_ = replica->ready;
    leaving_ = replica->leaving;
    refresh();
    owner_.on_peer_changed(*this);
  }
}

void PeerLink::take(const link::Presence& presence) {
  if (presence.services.empty() && !presence.adds) return withdraw(presence.tunnel);
  if (!has_room(presence)) {
    if (!std::exchange(full_, true)) {
      base::log::warning("peer has more tunnels or services than are remembered", {{"peer", gateway_id_}});
    }
    return withdraw(presence.tunnel);
  }
  const auto [found, is_new] = tunnels_.try_emplace(presence.tunnel);
  auto& tunnel = found->second;
  if (is_new) {
    tunnel.info = std::make_shared<LinkInfo>();
    tunnel.info->id = next_id_.next_id();
    tunnel.info->worker = std::numeric_limits<std::size_t>::max();  // none
    tunnel.info->tunnel_id = presence.tunnel;
    tunnel.info->peer = gateway_id_;
  }
  if (!presence.adds) {
    tunnel.services.clear();
    tunnel.groups.clear();
    text_ -= std::exchange(tunnel.text, 0);
  }
  tunnel.text += size_of(presence);
  text_ += size_of(presence);
  if (!presence.instances.empty()) tunnel.groups.push_back({presence.instances, presence.services});
  tunnel.services.insert(tunnel.services.end(), presence.services.begin(), presence.services.end());
  tunnel.suspect = presence.suspect;
  tunnel.info->state = state_of(tunnel);
  tunnel.info->connector_leaves = leaving_;
  directory_.put(tunnel.info, tunnel.services, tunnel.groups);
  is_new ? owner_.on_tunnel(*this, *tunnel.info) : owner_.on_tunnel_changed(*tunnel.info);
}

bool PeerLink::has_room(const link::Presence& presence) const {
  return text_ + size_of(presence) <= kMostText &&
         (tunnels_.size() < kMostTunnels || tunnels_.contains(presence.tunnel));
}

void PeerLink::withdraw(const std::string& tunnel_id) {
  const auto found = tunnels_.find(tunnel_id);
  if (found == tunnels_.end()) return;
  const auto info = found->second.info;
  text_ -= found->second.text;
  tunnels_.erase(found);
  forget(*info);
  owner_.on_tunnel_changed(*info);
}

void PeerLink::forget(LinkInfo& tunnel) {
  tunnel.state = LinkState::over;
  directory_.remove(tunnel);
  owner_.on_tunnel_gone(tunnel);
}

/// Its streams, the idle ones too, hear of the link's end by themselves.
void PeerLink::clear() {
  for (const auto& [id, tunnel] : tunnels_) forget(*tunnel.info);
  tunnels_.clear();
  text_ = 0;
}

LinkState PeerLink::state_of(const Tunnel& tunnel) const {
  return suspect_ || tunnel.suspect ? LinkState::suspect : LinkState::live;
}

void PeerLink::refresh() {
  for (auto& [id, tunnel] : tunnels_) {
    tunnel.info->state = state_of(tunnel);
    tunnel.info->connector_leaves = leaving_;
  }
  directory_.touch();
}

void PeerLink::on_link_suspect(bool suspect) {
  suspect_ = suspect;
  refresh();
}

void PeerLink::on_link_closed(std::string_view why) {
  clear();
  owner_.on_peer_link_over(*this, why);
}

}  // namespace adit::gateway
