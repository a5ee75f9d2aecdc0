#include "routing/table_builder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "routing/url_path.h"

namespace adit::routing {

void TableBuilder::reserve(std::size_t tunnels) {
  table_->tunnels_.reserve(tunnels);
  drafts_.reserve(tunnels);
}

bool TableBuilder::add_tunnel(std::shared_ptr<const Tunnel> tunnel) {
  const auto [place, is_new] = table_->tunnels_.try_emplace(tunnel->id);
  if (is_new) place->second = std::move(tunnel);
  return is_new;
}

void TableBuilder::add_route(Route route) {
  if (route.weight) weighted_[route.host + route.path].push_back(route);
  drafts_[route.host].routes.push_back(std::move(route));
}

void TableBuilder::add_certificate(const std::string& host, std::shared_ptr<const Certificate> certificate,
                                   std::shared_ptr<const Tunnel> tunnel) {
  const auto found = drafts_.find(host);
  if (found == drafts_.end()) return;
  Draft& draft = found->second;
  if (draft.certificate_tunnel && draft.certificate_tunnel != tunnel) return;
  draft.certificates.push_back(std::move(certificate));
  draft.certificate_tunnel = std::move(tunnel);
}

std::shared_ptr<const Table> TableBuilder::build() {
  std::size_t routes = 0;
  for (auto& [name, draft] : drafts_) {
    put_in_order(draft.routes);
    routes += draft.routes.size();
  }
  table_->routes_.reserve(routes);
  table_->shorter_.reserve(routes);
  table_->hosts_.reserve(drafts_.size());
  table_->index_.reset(drafts_.size());
  for (auto& [name, draft] : drafts_) add_host(name, draft);
  link_shares();
  return std::exchange(table_, nullptr);
}

/// By path; of rules for the same path the first stays.
void TableBuilder::put_in_order(std::vector<Route>& routes) {
  std::stable_sort(routes.begin(), routes.end(),
                   [](const Route& a, const Route& b) { return compare_paths(a.path, b.path) < 0; });
  const auto repeated =
      std::unique(routes.begin(), routes.end(), [](const Route& a, const Route& b) { return a.path == b.path; });
  routes.erase(repeated, routes.end());
}

void TableBuilder::add_host(const std::string& name, Draft& draft) {
  Table& table = *table_;
  const auto number = static_cast<std::uint32_t>(table.hosts_.size());
  Table::Host host;
  host.name = static_cast<std::uint32_t>(table.names_.size());
  host.name_size = static_cast<std::uint32_t>(name.size());
  host.first = static_cast<std::uint32_t>(table.routes_.size());
  host.rules = static_cast<std::uint32_t>(draft.routes.size());
  host.only_private =
      std::all_of(draft.routes.begin(), draft.routes.end(), [](const Route& route) { return route.is_private; });
  if (name == "*" && !host.only_private) table.default_certificates_ = draft.certificates;
  if (!draft.certificates.empty()) {
    host.certificate = static_cast<std::uint32_t>(table.certificates_.size());
    table.certificates_.push_back({std::move(draft.certificates), std::move(draft.certificate_tunnel)});
  }
  table.names_ += name;
  std::move(draft.routes.begin(), draft.routes.end(), std::back_inserter(table.routes_));
  link_prefixes(host);
  table.hosts_.push_back(host);
  table.index_.add(HostKey(name).text(), number);
  if (name == "*") {
    table.any_ = number;
  } else if (name.starts_with("*.")) {
    table.wildcard_labels_.set(static_cast<std::size_t>(std::count(name.begin(), name.end(), '.')));
  }
}

/// Those of the same visibility as the first share with it.
void TableBuilder::link_shares() {
  auto& shares = table_->shares_;
  std::size_t most = 0;
  for (const auto& [key, group] : weighted_) most += group.size();
  shares.reserve(most);  // rules point to them
  for (Route& route : table_->routes_) {
    if (!route.weight) continue;
    const auto first = shares.size();
    for (const Route& share : weighted_.at(route.host + route.path)) {
      if (share.is_private == route.is_private) shares.push_back(share);
    }
    if (shares.size() - first < 2) {
      shares.resize(first);
    } else {
      route.first_share = &shares[first];
      route.share_count = shares.size() - first;
    }
  }
}

void TableBuilder::link_prefixes(const Table::Host& host) {
  const auto& routes = table_->routes_;
  auto& shorter = table_->shorter_;
  shorter.resize(routes.size(), Table::kNone);
  for (std::uint32_t i = host.first + 1; i < host.first + host.rules; ++i) {
    std::uint32_t prefix = i - 1;
    while (prefix != Table::kNone && !is_path_prefix(routes[prefix].path, routes[i].path)) prefix = shorter[prefix];
    shorter[i] = prefix;
  }
}

}  // namespace adit::routing
