#include "control/configuration_log.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "control/gateway_feed.h"

namespace adit::control {
namespace {

bool is_same(const routing::TunnelConfigurationPtr& a, const routing::TunnelConfigurationPtr& b) {
  return a == b || (a && b && *a == *b);
}

}  // namespace

std::vector<std::string> ConfigurationLog::update(std::span<const routing::TunnelConfigurationPtr> configurations,
                                                  std::span<const std::string> keep) {
  filled_ = true;
  std::unordered_set<std::string_view> named;
  std::vector<std::string> changed;
  const auto change = [&](Entry entry) {
    changed.push_back(entry.id);
    append(std::move(entry));
  };
  for (const auto& configuration : configurations) {
    const auto& id = configuration->tunnel->id;
    named.insert(id);
    const Entry* known = find(id);
    if (known != nullptr && is_same(known->configuration, configuration)) continue;
    change({Entry::Kind::tunnel, id, configuration});
  }
  for (const auto& id : keep) {
    // A tombstone stays, too: there is nothing to keep.
    if (named.insert(id).second && find(id) == nullptr) change({Entry::Kind::keep, id, nullptr});
  }
  std::vector<std::string> gone;
  for (const auto& [counter, entry] : entries_) {
    if (entry.kind != Entry::Kind::removed && !named.contains(entry.id)) gone.push_back(entry.id);
  }
  for (auto& id : gone) change({Entry::Kind::removed, std::move(id), nullptr});
  trim();
  return changed;
}

void ConfigurationLog::append(Entry entry) {
  if (const auto former = by_id_.find(entry.id); former != by_id_.end()) {
    tombstones_.erase(former->second->first);
    entries_.erase(former->second);
  }
  ++counter_;
  if (entry.kind == Entry::Kind::removed) tombstones_.insert(counter_);
  const auto added = entries_.emplace_hint(entries_.end(), counter_, std::move(entry));
  by_id_[added->second.id] = added;
}

void ConfigurationLog::set_link_certificate(std::string chain_pem, std::string key_pem) {
  if (link_certificate_ && link_certificate_->chain_pem == chain_pem && link_certificate_->key_pem == key_pem) return;
  link_certificate_ =
      std::make_shared<const LinkCertificateMessage>(LinkCertificateMessage{std::move(chain_pem), std::move(key_pem)});
}

void ConfigurationLog::set_peer_certificate(PeerCertificateMessage message) {
  if (peer_certificate_ && *peer_certificate_ == message) return;
  peer_certificate_ = std::make_shared<const PeerCertificateMessage>(std::move(message));
}

void ConfigurationLog::set_peers(PeersMessage message) {
  if (peers_ && *peers_ == message) return;
  peers_ = std::make_shared<const PeersMessage>(std::move(message));
}

const ConfigurationLog::Entry* ConfigurationLog::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found != by_id_.end() ? &found->second->second : nullptr;
}

std::optional<Version> ConfigurationLog::version_of(std::string_view id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  return Version{term_, found->second->first};
}

routing::TunnelConfigurationPtr ConfigurationLog::configuration_of(std::string_view id) const {
  const Entry* entry = find(id);
  return entry != nullptr ? entry->configuration : nullptr;
}

const ConfigurationLog::Entries::value_type* ConfigurationLog::next(std::uint64_t counter) const {
  const auto found = entries_.upper_bound(counter);
  return found != entries_.end() ? &*found : nullptr;
}

void ConfigurationLog::remove(GatewayFeed& feed) {
  feeds_.erase(&feed);
  trim();
}

void ConfigurationLog::trim() {
  if (tombstones_.empty()) return;
  auto passed = std::numeric_limits<std::uint64_t>::max();
  for (const auto* feed : feeds_) passed = std::min(passed, feed->needs_no_tombstones_to());
  while (!tombstones_.empty() && *tombstones_.begin() <= passed) {
    const auto entry = entries_.find(*tombstones_.begin());
    by_id_.erase(entry->second.id);
    entries_.erase(entry);
    tombstones_.erase(tombstones_.begin());
  }
}

}  // namespace adit::control
