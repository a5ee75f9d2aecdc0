#include "gateway/link_table.h"

#include <algorithm>

#include "base/log.h"

namespace adit::gateway {

LinkTable::LinkTable(net::Loop& loop, LinkDirectory& directory, BufferBudgets& buffers, std::string gateway_id,
                     Leaving leaving, Doubtful doubtful)
    : loop_(loop),
      directory_(directory),
      buffers_(buffers),
      gateways_{{std::move(gateway_id)}},
      leaving_(std::move(leaving)),
      doubtful_(std::move(doubtful)) {}

LinkTable::~LinkTable() = default;

void LinkTable::adopt(net::StreamPtr stream, const std::shared_ptr<LinkInfo>& info) {
  GatewayLinkOwner& owner = *this;
  std::unique_ptr<link::WebSocket> web_socket;
  if (info->transport == link::Transport::websocket) {
    web_socket = std::make_unique<link::WebSocket>(link::WebSocketEnd::server, random_);
  }
  auto link = std::make_unique<GatewayLink>(loop_, std::move(stream), std::move(web_socket), info, owner,
                                            buffers_.session_options(info->tunnel_id));
  GatewayLink& added = *link;
  by_tunnel_[info->tunnel_id].push_back(&added);
  by_id_.emplace(info->id, std::move(link));
  base::log::info("link is up", {{"tunnel", info->tunnel_name},
                                 {"connector", info->connector},
                                 {"instance", info->instance},
                                 {"remote", info->remote},
                                 {"transport", name_of(info->transport)},
                                 {"worker", info->worker}});
  added.start();
  if (draining_) added.leave("gateway is shutting down");
}

GatewayLink* LinkTable::pick(std::string_view tunnel_id, std::string_view service,
                             const std::vector<std::uint64_t>& tried, const Ejections* ejections,
                             link::InstanceKey only) {
  const auto links = by_tunnel_.find(tunnel_id);
  if (links == by_tunnel_.end()) return nullptr;
  const auto now = net::Loop::now();
  const auto turn = only != 0 ? turn_ : turn_++;  // with whom it was chosen for, an instance has taken its turn
  const auto choice = choose_link(links->second, turn, [&](const GatewayLink* link) -> std::optional<LinkStanding> {
    if (only != 0 && link->info()->instance_key != only) return std::nullopt;
    const auto state = link->state();
    if ((state != LinkState::live && state != LinkState::suspect) || !link->offers(service)) return std::nullopt;
    if (std::find(tried.begin(), tried.end(), link->info()->id) != tried.end()) return std::nullopt;
    return link->standing(service, ejections, now);
  });
  return choice ? links->second[choice->index] : nullptr;
}

bool LinkTable::serves(std::string_view tunnel_id, std::string_view service) const {
  const auto links = by_tunnel_.find(tunnel_id);
  return links != by_tunnel_.end() &&
         std::any_of(links->second.begin(), links->second.end(), [&](const GatewayLink* link) {
           return link->state() == LinkState::live && link->offers(service);
         });
}

GatewayLink* LinkTable::find(std::uint64_t id) {
  const auto link = by_id_.find(id);
  return link != by_id_.end() ? link->second.get() : nullptr;
}

link::Stream* LinkTable::open(std::uint64_t link_id, const link::Opening& opening, link::StreamHandler& handler) {
  GatewayLink* link = find(link_id);
  return link != nullptr ? link->open(opening, handler) : nullptr;
}

void LinkTable::suspect(std::uint64_t link_id) {
  if (GatewayLink* link = find(link_id)) link->suspect();
}

void LinkTable::announce(link::Gateways gateways) {
  gateways_ = std::move(gateways);
  for (const auto& [id, link] : by_id_) link->announce(gateways_);
}

void LinkTable::slot_taken(std::uint64_t id, bool unheard) {
  GatewayLink* link = find(id);
  if (link == nullptr) return;
  unheard ? link->close("newer links of its slot have come", LinkCause::replaced) : link->doubt();
}

void LinkTable::ask(std::string_view tunnel_id, std::string_view instance) {
  const auto links = by_tunnel_.find(tunnel_id);
  if (links == by_tunnel_.end()) return;
  for (GatewayLink* link : links->second) {
    if (link->info()->instance == instance) link->ask();
  }
}

void LinkTable::revoke(const routing::Table& table) {
  std::vector<GatewayLink*> revoked;
  for (const auto& [id, link] : by_id_) {
    const auto* tunnel = table.tunnel(link->info()->tunnel_id);
    const bool valid = tunnel != nullptr && std::find((*tunnel)->tokens.begin(), (*tunnel)->tokens.end(),
                                                      link->info()->token) != (*tunnel)->tokens.end();
    if (!valid) revoked.push_back(link.get());
  }
  for (GatewayLink* link : revoked) link->close("its token is no longer valid", LinkCause::revoked);
}

void LinkTable::leave(std::string_view reason) {
  if (std::exchange(draining_, true)) return;
  for (const auto& [id, link] : by_id_) link->leave(reason);
}

void LinkTable::shutdown() {
  for (const auto& [id, link] : by_id_) link->shutdown();
}

void LinkTable::close(std::string_view why) {
  while (!by_id_.empty()) by_id_.begin()->second->close(why);
}

void LinkTable::publish() {
  for (const auto& [id, link] : by_id_) link->publish();
}

void LinkTable::on_link_changed(GatewayLink& link) {
  directory_.offers(link.info()->id, link.info()->tunnel_id, link.services());
  directory_.health(link.info()->id, link.info()->tunnel_id, link.services_down());
  if (link.state() == LinkState::over) leaving_(link.info()->id);
  if (link.state() == LinkState::suspect && doubtful_) doubtful_(*link.info());
}

void LinkTable::on_link_over(GatewayLink& link, std::string_view why) {
  const auto info = link.info();
  base::log::info("link is down", {{"tunnel", info->tunnel_name},
                                   {"connector", info->connector},
                                   {"instance", info->instance},
                                   {"remote", info->remote},
                                   {"cause", name_of(link.cause())},
                                   {"reason", why}});
  directory_.history().ended(*info, link.cause(), why);
  directory_.remove(info->id, info->tunnel_id);
  if (link.cause() != LinkCause::shutdown && directory_.count(info->tunnel_id, {}).of_tunnel == 0) {
    base::log::warning("tunnel has no connector any more",
                       {{"tunnel", info->tunnel_name}, {"cause", name_of(directory_.why_unserved(info->tunnel_id))}});
  }
  auto& links = by_tunnel_[info->tunnel_id];
  std::erase(links, &link);
  if (links.empty()) by_tunnel_.erase(info->tunnel_id);
  const auto owned = by_id_.find(info->id);
  over_.push_back(std::move(owned->second));
  by_id_.erase(owned);
  loop_.defer(*this);
}

}  // namespace adit::gateway
