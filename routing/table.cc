#include "routing/table.h"

#include <algorithm>

#include "base/text.h"
#include "routing/host_name.h"
#include "routing/url_path.h"

namespace adit::routing {
namespace {

/// A host in lower case and without final dot, on the stack.
class LowerHost {
 public:
  explicit LowerHost(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.size() > kLongestHost) return;
    std::transform(host.begin(), host.end(), room_.begin(), base::to_lower);
    text_ = std::span<char>(room_.data(), host.size());
    fits_ = true;
  }

  bool fits() const { return fits_; }
  std::span<char> text() const { return text_; }

 private:
  std::array<char, kLongestHost> room_;
  std::span<char> text_;
  bool fits_ = false;
};

std::string_view view(std::span<char> text) { return {text.data(), text.size()}; }

}  // namespace

const Route* Table::Host::best(std::string_view path) const {
  const auto after = std::upper_bound(
      routes.begin(), routes.end(), path,
      [](std::string_view wanted, const Route& route) { return compare_paths(wanted, route.path) < 0; });
  if (after == routes.begin()) return nullptr;
  // Every prefix of `path` is the route before it in order, or one of that route's own prefixes.
  auto at = static_cast<std::uint32_t>(after - routes.begin() - 1);
  while (!is_path_prefix(routes[at].path, path)) {
    if (shorter.empty() || shorter[at] == kNone) return nullptr;
    at = shorter[at];
  }
  return &routes[at];
}

const Table::Host* Table::named_host(std::span<char> lower_case) const {
  if (const auto exact = hosts_.find(view(lower_case)); exact != hosts_.end()) return &exact->second;
  if (wildcard_labels_.none()) return nullptr;
  auto labels = static_cast<std::size_t>(std::count(lower_case.begin(), lower_case.end(), '.'));
  for (std::size_t i = 1; i < lower_case.size(); ++i) {
    if (lower_case[i] != '.') continue;
    if (labels < wildcard_labels_.size() && wildcard_labels_[labels]) {
      lower_case[i - 1] = '*';  // "shop.example.com" becomes "…*.example.com": no copy for the key
      if (const auto found = hosts_.find(view(lower_case.subspan(i - 1))); found != hosts_.end()) return &found->second;
    }
    --labels;
  }
  return nullptr;
}

const Table::Host* Table::host(std::span<char> lower_case) const {
  if (const Host* named = named_host(lower_case)) return named;
  const auto any = hosts_.find(std::string_view("*"));
  return any == hosts_.end() ? nullptr : &any->second;
}

const Route* Table::find(std::string_view host_name, std::string_view path) const {
  const LowerHost lower(host_name);
  const Host* found = lower.fits() ? host(lower.text()) : nullptr;
  if (found == nullptr) return nullptr;
  PathRoom room;
  const auto canonical = request_path(path, room);
  return canonical ? found->best(*canonical) : nullptr;
}

const std::shared_ptr<const Tunnel>* Table::tunnel(std::string_view id) const {
  const auto found = tunnels_.find(id);
  return found == tunnels_.end() ? nullptr : &found->second;
}

ServerName Table::server_name(std::string_view name) const {
  const LowerHost lower(name);
  const Host* found = lower.fits() ? named_host(lower.text()) : nullptr;
  if (found == nullptr) return {};
  if (found->only_private) return {.certificate = nullptr, .tunnel = nullptr, .only_private = true};
  return {.certificate = found->certificate, .tunnel = found->certificate_tunnel, .only_private = false};
}

std::vector<std::shared_ptr<const Tunnel>> Table::all_tunnels() const {
  std::vector<std::shared_ptr<const Tunnel>> all;
  all.reserve(tunnels_.size());
  for (const auto& [id, tunnel] : tunnels_) all.push_back(tunnel);
  return all;
}

}  // namespace adit::routing
