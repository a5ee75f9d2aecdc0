#include "routing/table.h"

#include <algorithm>

namespace adit::routing {

const Route* Table::best(const Host& host, std::string_view path) const {
  const auto rules = routes_.begin() + host.first;
  if (host.rules == 1) return is_path_prefix(rules->path, path) ? &*rules : nullptr;
  const auto after = std::upper_bound(rules, rules + host.rules, path, [](std::string_view wanted, const Route& route) {
    return compare_paths(wanted, route.path) < 0;
  });
  if (after == rules) return nullptr;
  // Every prefix of `path` is the route before it in order, or one of that route's own prefixes.
  auto at = static_cast<std::uint32_t>(after - routes_.begin() - 1);
  while (!is_path_prefix(routes_[at].path, path)) {
    at = shorter_[at];
    if (at == kNone) return nullptr;
  }
  return &routes_[at];
}

/// In a function of its own, so that the usual request has no room for a second path on its stack.
[[gnu::noinline]] const Route* Table::best_literally(const Host& host, std::string_view path) const {
  PathRoom room;
  return best(host, literal_path(path, room));
}

const Table::Host* Table::find_host(std::string_view key) const {
  const auto number = index_.find(key, [&](std::uint32_t other) { return name_of(hosts_[other]) == key; });
  return number == kNone ? nullptr : &hosts_[number];
}

const Table::Host* Table::named_host(HostKey& key) const {
  if (const Host* exact = find_host(key.text())) return exact;
  if (wildcard_labels_.none()) return nullptr;
  const auto name = key.text();
  auto labels = static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
  for (std::size_t i = 1; i < name.size(); ++i) {
    if (name[i] != '.') continue;
    if (labels < wildcard_labels_.size() && wildcard_labels_[labels]) {
      if (const Host* found = find_host(key.to_wildcard(i))) return found;
    }
    --labels;
  }
  return nullptr;
}

Match Table::match(std::string_view host_name, std::string_view path, PathRoom& room) const {
  HostKey key(host_name);
  if (!key.fits()) return {};
  const Host* found = named_host(key);
  if (found == nullptr && any_ != kNone) found = &hosts_[any_];
  if (found == nullptr) return {};
  const auto canonical = request_path(path, room);
  if (!canonical) return {.route = nullptr, .path = {}, .is_ambiguous = true};
  const Route* route = best(*found, *canonical);
  const bool was_canonical = canonical->data() != room.data();
  if (!was_canonical && best_literally(*found, path) != route)
    return {.route = nullptr, .path = {}, .is_ambiguous = true};
  return {.route = route, .path = *canonical};
}

const Route* Table::find(std::string_view host, std::string_view path) const {
  PathRoom room;
  return match(host, path, room).route;
}

const std::shared_ptr<const Tunnel>* Table::tunnel(std::string_view id) const {
  const auto found = tunnels_.find(id);
  return found == tunnels_.end() ? nullptr : &found->second;
}

ServerName Table::server_name(std::string_view name) const {
  HostKey key(name);
  const Host* found = key.fits() ? named_host(key) : nullptr;
  if (found == nullptr) return {};
  if (found->only_private) return {.certificates = {}, .tunnel = nullptr, .only_private = true};
  if (found->certificate == kNone) return {};
  const auto& [certificates, tunnel] = certificates_[found->certificate];
  return {.certificates = certificates, .tunnel = tunnel, .only_private = false};
}

std::vector<std::shared_ptr<const Tunnel>> Table::all_tunnels() const {
  std::vector<std::shared_ptr<const Tunnel>> all;
  all.reserve(tunnels_.size());
  for (const auto& [id, tunnel] : tunnels_) all.push_back(tunnel);
  return all;
}

std::vector<Table::CertificateUse> Table::all_certificates() const {
  std::vector<CertificateUse> all;
  for (const auto& host : certificates_) {
    for (const auto& certificate : host.certificates) all.push_back({certificate, host.tunnel});
  }
  const auto key = [](const CertificateUse& use) { return std::pair(use.certificate.get(), use.tunnel.get()); };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  all.erase(std::unique(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }),
            all.end());
  return all;
}

}  // namespace adit::routing
