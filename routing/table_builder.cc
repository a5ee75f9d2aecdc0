#include "routing/table_builder.h"

#include <algorithm>
#include <utility>

#include "routing/url_path.h"

namespace adit::routing {

void TableBuilder::reserve(std::size_t tunnels) {
  table_->tunnels_.reserve(tunnels);
  table_->hosts_.reserve(tunnels);
}

bool TableBuilder::add_tunnel(std::shared_ptr<const Tunnel> tunnel) {
  const auto [place, is_new] = table_->tunnels_.try_emplace(tunnel->id);
  if (is_new) place->second = std::move(tunnel);
  return is_new;
}

void TableBuilder::add_route(Route route) { table_->hosts_[route.host].routes.push_back(std::move(route)); }

void TableBuilder::set_certificate(const std::string& host, std::shared_ptr<const Certificate> certificate,
                                   std::shared_ptr<const Tunnel> tunnel) {
  const auto entry = table_->hosts_.find(host);
  if (entry == table_->hosts_.end() || entry->second.certificate != nullptr) return;
  entry->second.certificate = std::move(certificate);
  entry->second.certificate_tunnel = std::move(tunnel);
}

std::shared_ptr<const Table> TableBuilder::build() {
  for (auto& [name, host] : table_->hosts_) {
    finish(host);
    table_->routes_count_ += host.routes.size();
    if (name.starts_with("*.")) {
      const auto labels = static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
      table_->wildcard_labels_.set(labels);
    }
  }
  const auto any = table_->hosts_.find(std::string_view("*"));
  if (any != table_->hosts_.end() && !any->second.only_private) {
    table_->default_certificate_ = any->second.certificate;
  }
  return std::exchange(table_, nullptr);
}

void TableBuilder::finish(Table::Host& host) {
  std::stable_sort(host.routes.begin(), host.routes.end(),
                   [](const Route& a, const Route& b) { return compare_paths(a.path, b.path) < 0; });
  const auto repeated = std::unique(host.routes.begin(), host.routes.end(),
                                    [](const Route& a, const Route& b) { return a.path == b.path; });
  host.routes.erase(repeated, host.routes.end());
  host.routes.shrink_to_fit();
  host.only_private = std::all_of(host.routes.begin(), host.routes.end(), [](const Route& r) { return r.is_private; });
  if (host.routes.size() < 2) return;
  host.shorter.assign(host.routes.size(), Table::kNone);
  for (std::uint32_t i = 1; i < host.routes.size(); ++i) {
    std::uint32_t prefix = i - 1;
    while (prefix != Table::kNone && !is_path_prefix(host.routes[prefix].path, host.routes[i].path)) {
      prefix = host.shorter[prefix];
    }
    host.shorter[i] = prefix;
  }
}

}  // namespace adit::routing
