#include "gateway/peer_dialler.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/version.h"
#include "gateway/peer_session.h"

namespace adit::gateway {

PeerDialler::PeerDialler(net::Loop& loop, Shared& shared, PeerCredentials& credentials, PeerDirectory& directory,
                         PeerMetrics& metrics)
    : loop_(loop),
      shared_(shared),
      credentials_(credentials),
      directory_(directory),
      metrics_(metrics),
      hello_{shared.gateway_id, base::kVersion} {}

PeerDialler::~PeerDialler() = default;

void PeerDialler::want(const std::vector<net::Target>& addresses) {
  if (closing_) return;
  PeerSlotOwner& owner = *this;
  std::set<std::string> wanted;
  for (const auto& address : addresses) {
    const auto text = address.text();
    wanted.insert(text);
    auto& slot = slots_[text];
    if (slot) {
      slot->want(true);
      continue;
    }
    slot = std::make_unique<PeerSlot>(loop_, address, credentials_, hello_, random_, metrics_, owner);
    slot->dial();
  }
  for (auto next = slots_.begin(); next != slots_.end();) {
    auto& slot = *next->second;
    if (!wanted.contains(next->first)) slot.want(false);
    next = !slot.wanted() && slot.link() == nullptr ? slots_.erase(next) : std::next(next);
  }
}

bool PeerDialler::tried() const {
  return std::all_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot.second->tried(); });
}

bool PeerDialler::knows(std::string_view gateway_id) const {
  return gateway_id == shared_.gateway_id || std::any_of(slots_.begin(), slots_.end(), [&](const auto& slot) {
           const auto* link = slot.second->link();
           return link != nullptr && link->gateway_id() == gateway_id;
         });
}

std::vector<std::string> PeerDialler::ready() const {
  std::vector<std::string> ids;
  for (const auto& [address, slot] : slots_) {
    if (slot->link() != nullptr && slot->link()->ready()) ids.push_back(slot->link()->gateway_id());
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

void PeerDialler::shutdown() {
  closing_ = true;
  for (const auto& [address, slot] : slots_) {
    slot->want(false);
    if (slot->link() != nullptr) slot->link()->shutdown();
  }
}

void PeerDialler::close(std::string_view why) {
  shutdown();
  for (const auto& [address, slot] : slots_) {
    if (slot->link() != nullptr) slot->link()->close(why);
  }
  over_.clear();
}

std::size_t PeerDialler::links() const {
  return static_cast<std::size_t>(
      std::count_if(slots_.begin(), slots_.end(), [](const auto& slot) { return slot.second->link() != nullptr; }));
}

std::vector<PeerStatus> PeerDialler::status() const {
  std::vector<PeerStatus> list;
  for (const auto& [address, slot] : slots_) list.push_back(slot->status());
  return list;
}

void PeerDialler::count() {
  std::int64_t known = 0;
  std::int64_t up = 0;
  auto in = ended_bytes_in_;
  auto out = ended_bytes_out_;
  for (const auto& [address, slot] : slots_) {
    known += slot->is_self() ? 0 : 1;
    if (slot->link() == nullptr) continue;
    up += 1;
    in += slot->link()->stats().bytes_in;
    out += slot->link()->stats().bytes_out;
  }
  metrics_.known.set(known);
  metrics_.up.set(up);
  metrics_.ready.set(static_cast<std::int64_t>(ready().size()));
  metrics_.sent_bytes_in.add(in - metrics_.sent_bytes_in.value());
  metrics_.sent_bytes_out.add(out - metrics_.sent_bytes_out.value());
}

link::Stream* PeerDialler::open(std::uint64_t tunnel, const link::Opening& opening, link::StreamHandler& handler) {
  const auto link = by_tunnel_.find(tunnel);
  return link != by_tunnel_.end() ? link->second->open(opening, handler) : nullptr;
}

void PeerDialler::suspect(std::uint64_t tunnel) {
  if (const auto link = by_tunnel_.find(tunnel); link != by_tunnel_.end()) link->second->suspect();
}

void PeerDialler::on_opened(std::uint64_t, int status) {
  auto& counter = status == 200 ? metrics_.sent_served : status == 0 ? metrics_.sent_refused : metrics_.sent_failed;
  counter.add();
}

PeerDialResult PeerDialler::judge(const std::string& gateway_id) {
  if (gateway_id == shared_.gateway_id) return PeerDialResult::self;
  return knows(gateway_id) ? PeerDialResult::duplicate : PeerDialResult::up;
}

std::unique_ptr<PeerLink> PeerDialler::make_link(PeerSlot&, net::StreamPtr stream, std::string gateway_id) {
  PeerLinkOwner& owner = *this;
  return std::make_unique<PeerLink>(loop_, std::move(stream), std::move(gateway_id),
                                    peer_session_options(shared_.buffers), directory_, shared_.directory, owner);
}

void PeerDialler::on_tunnel_changed(const LinkInfo& tunnel) {
  for (Worker* worker : shared_.workers) worker->drop_idle(tunnel.id);
}

void PeerDialler::on_peer_changed(PeerLink& link) {
  if (!link.leaving()) return;
  base::log::info("peer is leaving", {{"peer", link.gateway_id()}});
  for (Worker* worker : shared_.workers) worker->drop_idle_of(link.gateway_id());
}

void PeerDialler::on_peer_link_over(PeerLink& link, std::string_view why) {
  ended_bytes_in_ += link.stats().bytes_in;
  ended_bytes_out_ += link.stats().bytes_out;
  for (const auto& [address, slot] : slots_) {
    if (slot->link() == &link) over_.push_back(slot->on_link_over(why));
  }
  // Another address may still lead to it.
  for (const auto& [address, slot] : slots_) {
    if (slot->is_duplicate_of(link.gateway_id())) slot->dial();
  }
  loop_.defer(*this);
}

void PeerDialler::at_turn_end() {
  over_.clear();
  std::erase_if(slots_, [](const auto& slot) { return !slot.second->wanted() && slot.second->link() == nullptr; });
}

}  // namespace adit::gateway
