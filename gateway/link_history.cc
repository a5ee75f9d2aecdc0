#include "gateway/link_history.h"

#include <algorithm>

#include "gateway/link_directory.h"

namespace adit::gateway {
namespace {

constexpr std::size_t kMostReason = 200;  // a peer's words may be in it

std::string key_of(const LinkInfo& link) { return link.tunnel_id + '\n' + link.instance; }

Unserved meaning_of(const LinkInfo& link, LinkCause cause) {
  if (cause == LinkCause::revoked) return Unserved::revoked;
  return link.connector_leaves ? Unserved::left : Unserved::lost;
}

}  // namespace

void LinkHistory::began(const std::shared_ptr<const LinkInfo>& begun) {
  const auto& link = *begun;
  const std::lock_guard lock(mutex_);
  auto& ends = by_tunnel_[link.tunnel_id];
  ends.tunnel = link.tunnel_name;
  const auto [found, is_new] = by_instance_.try_emplace(key_of(link));
  auto& record = found->second;
  if (is_new) {
    record.tunnel_id = link.tunnel_id;
    record.instance = link.instance;
    record.first_connected = link.since;
  } else if (record.missing != 0) {
    record.missing -= 1;
    record.reconnects += 1;
    ends.reconnects[static_cast<std::size_t>(record.cause)] += 1;
  }
  record.tunnel = link.tunnel_name;
  record.connector = link.connector;
  record.version = link.version;
  record.remote = link.remote;
  record.last_connected = link.since;
  record.links.push_back(begun);
}

void LinkHistory::ended(const LinkInfo& link, LinkCause cause, std::string_view why) {
  const std::lock_guard lock(mutex_);
  auto& ends = by_tunnel_[link.tunnel_id];
  ends.ended[static_cast<std::size_t>(cause)] += 1;
  ends.last = meaning_of(link, cause);
  const auto found = by_instance_.find(key_of(link));
  if (found == by_instance_.end()) return;
  auto& record = found->second;
  std::erase_if(record.links, [&](const auto& held) { return held->id == link.id; });
  record.ended += 1;
  record.missing += 1;
  record.bytes_in += link.bytes_in;
  record.bytes_out += link.bytes_out;
  record.streams += link.streams_opened;
  record.cause = cause;
  record.reason = why.substr(0, kMostReason);
  if (!record.links.empty()) return;
  record.gone = std::chrono::system_clock::now();
  limit_gone(link.tunnel_id);
}

/// After one connector more of that tunnel is gone.
void LinkHistory::limit_gone(const std::string& tunnel_id) {
  std::size_t all = 0;
  std::size_t of_tunnel = 0;
  auto oldest = by_instance_.end();
  auto oldest_of_tunnel = by_instance_.end();
  const auto take_older = [&](auto& kept, auto candidate) {
    if (kept == by_instance_.end() || candidate->second.gone < kept->second.gone) kept = candidate;
  };
  for (auto next = by_instance_.begin(); next != by_instance_.end(); ++next) {
    if (!next->second.links.empty()) continue;
    all += 1;
    take_older(oldest, next);
    if (next->second.tunnel_id != tunnel_id) continue;
    of_tunnel += 1;
    take_older(oldest_of_tunnel, next);
  }
  if (of_tunnel > kMostGoneOfTunnel) {
    by_instance_.erase(oldest_of_tunnel);
  } else if (all > kMostGone) {
    by_instance_.erase(oldest);
  }
}

void LinkHistory::forget_gone(const routing::Table& table) {
  const std::lock_guard lock(mutex_);
  std::erase_if(by_instance_, [&](const auto& item) {
    return item.second.links.empty() && table.tunnel(item.second.tunnel_id) == nullptr;
  });
  std::erase_if(by_tunnel_, [&](const auto& item) { return table.tunnel(item.first) == nullptr; });
}

Unserved LinkHistory::last_end(const std::string& tunnel_id) const {
  const std::lock_guard lock(mutex_);
  const auto ends = by_tunnel_.find(tunnel_id);
  return ends != by_tunnel_.end() ? ends->second.last : Unserved::never_connected;
}

std::vector<ConnectorRecord> LinkHistory::connectors() const {
  std::vector<ConnectorRecord> records;
  const std::lock_guard lock(mutex_);
  records.reserve(by_instance_.size());
  for (const auto& [key, record] : by_instance_) records.push_back(record);
  return records;
}

std::vector<TunnelLinkEnds> LinkHistory::tunnels() const {
  std::vector<TunnelLinkEnds> tunnels;
  const std::lock_guard lock(mutex_);
  tunnels.reserve(by_tunnel_.size());
  for (const auto& [id, ends] : by_tunnel_) tunnels.push_back(ends);
  return tunnels;
}

}  // namespace adit::gateway
