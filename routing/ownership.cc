#include "routing/ownership.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include "routing/host_name.h"

namespace adit::routing {
namespace {

/// One Tunnel that has rules for one host.
struct HostClaim {
  std::string_view host;
  std::size_t tunnel;
  std::vector<std::size_t> routes;
  bool is_new;  ///< it is not among the former holders of the host
};

class Assignment {
 public:
  Assignment(const std::vector<const TunnelObject*>& tunnels, const Holders& before)
      : tunnels_(tunnels), before_(before) {
    names_.reserve(tunnels.size());
    for (const TunnelObject* tunnel : tunnels) names_.push_back(tunnel->meta.full_name());
  }

  Ownership run() {
    collect_claims();
    // Former holders first; then by age, which is the order of tunnels_.
    std::stable_partition(claims_.begin(), claims_.end(), [](const HostClaim& claim) { return !claim.is_new; });
    for (const HostClaim& claim : claims_) decide(claim);
    for (const auto& [host, claims] : held_) share(host, claims);
    return std::move(result_);
  }

 private:
  using Claims = std::vector<const HostClaim*>;
  using Paths = std::map<std::string_view, HeldRoute>;

  void collect_claims() {
    for (std::size_t t = 0; t < tunnels_.size(); ++t) {
      std::unordered_map<std::string_view, std::size_t> of_host;
      for (std::size_t r = 0; r < tunnels_[t]->routes.size(); ++r) {
        const std::string& host = tunnels_[t]->routes[r].host;
        const auto [place, is_new] = of_host.try_emplace(host, claims_.size());
        if (is_new) claims_.push_back({.host = host, .tunnel = t, .routes = {}, .is_new = !held_before(host, t)});
        claims_[place->second].routes.push_back(r);
      }
    }
  }

  /// `key` as in Holders: a host, or a path of a shared one.
  bool held_before(const std::string& key, std::size_t tunnel) const {
    const auto former = before_.find(key);
    return former != before_.end() &&
           std::find(former->second.begin(), former->second.end(), names_[tunnel]) != former->second.end();
  }

  void decide(const HostClaim& claim) {
    const auto held = held_.find(claim.host);
    if (held != held_.end()) {
      const HostClaim& first = *held->second.front();
      if (space(first) == space(claim)) {
        held->second.push_back(&claim);
      } else {
        refuse(claim, first);
      }
      return;
    }
    const HostClaim* wildcard = claim.is_new ? foreign_wildcard(claim) : nullptr;
    if (wildcard != nullptr) {
      refuse(claim, *wildcard);
    } else {
      held_[claim.host].push_back(&claim);
    }
  }

  /// The first claim on the next wildcard above the host that anybody holds, if that is another namespace.
  const HostClaim* foreign_wildcard(const HostClaim& claim) const {
    for (auto wide = wider_wildcard(claim.host); !wide.empty(); wide = wider_wildcard(wide)) {
      const auto held = held_.find(wide);
      if (held == held_.end()) continue;
      const HostClaim* holder = held->second.front();
      return space(*holder) == space(claim) ? nullptr : holder;
    }
    return nullptr;
  }

  /// Shares a held host between the Tunnels of its namespace by path.
  void share(std::string_view host, const Claims& claims) {
    Paths paths;
    for (const HostClaim* claim : claims) {
      for (const std::size_t route : claim->routes) offer(paths, {claim->tunnel, route});
    }
    HeldHost& held = result_.hosts.emplace_back();
    held.host = host;
    for (const auto& [path, route] : paths) {
      held.routes.push_back(route);
      held.tunnels.push_back(route.tunnel);
    }
    // By age, and not by who came first: that is not recorded, and a restart must not change the certificate in force.
    std::sort(held.tunnels.begin(), held.tunnels.end());
    held.tunnels.erase(std::unique(held.tunnels.begin(), held.tunnels.end()), held.tunnels.end());
    remember(held);
  }

  void offer(Paths& paths, HeldRoute offered) {
    const RouteSpec& route = spec(offered);
    const auto [holder, is_new] = paths.try_emplace(route.path, offered);
    if (is_new) return;
    if (held_path_before(offered) && !held_path_before(holder->second)) std::swap(holder->second, offered);
    if (holder->second.tunnel == offered.tunnel) {
      report(offered, ProblemKind::duplicate,
             "has the host and path of " + field(holder->second.route) + ": remove one of them");
    } else {
      report(offered, ProblemKind::path_held,
             "has the host and path of a route of " + title(holder->second.tunnel) +
                 ", which came first; it takes over when that one drops it");
    }
  }

  bool held_path_before(const HeldRoute& held) const {
    return held_before(spec(held).host + spec(held).path, held.tunnel);
  }

  void remember(const HeldHost& held) {
    auto& names = result_.holders[held.host];
    for (const std::size_t tunnel : held.tunnels) names.push_back(names_[tunnel]);
    std::sort(names.begin(), names.end());
    if (held.tunnels.size() < 2) return;
    for (const HeldRoute& route : held.routes) {
      result_.holders[held.host + spec(route).path] = {names_[route.tunnel]};
    }
  }

  void refuse(const HostClaim& claim, const HostClaim& holder) {
    std::string reason = "is held by " + title(holder.tunnel);
    if (holder.host != claim.host) reason.append(" through its wildcard ").append(holder.host);
    reason.append(" of another namespace; this Tunnel takes over when that one drops it");
    report({claim.tunnel, claim.routes.front()}, ProblemKind::host_held, reason);
  }

  void report(const HeldRoute& loser, ProblemKind kind, const std::string& reason) {
    const RouteSpec& route = spec(loser);
    const bool whole_host = kind == ProblemKind::host_held;
    result_.losses.push_back({.tunnel = loser.tunnel,
                              .problem = {.file = route.place.file(),
                                          .line = route.place.line,
                                          .object = title(loser.tunnel),
                                          .field = field(loser.route) + (whole_host ? ".host" : ""),
                                          .reason = route.host + (whole_host ? "" : route.path) + " " + reason,
                                          .kind = kind}});
  }

  static std::string field(std::size_t route) { return "spec.routes[" + std::to_string(route) + "]"; }
  std::string title(std::size_t tunnel) const { return "Tunnel " + names_[tunnel]; }
  const std::string& space(const HostClaim& claim) const { return tunnels_[claim.tunnel]->meta.space; }
  const RouteSpec& spec(const HeldRoute& held) const { return tunnels_[held.tunnel]->routes[held.route]; }

  const std::vector<const TunnelObject*>& tunnels_;
  const Holders& before_;
  std::vector<std::string> names_;
  std::vector<HostClaim> claims_;
  std::map<std::string_view, Claims> held_;
  Ownership result_;
};

}  // namespace

Ownership assign_hosts(const std::vector<const TunnelObject*>& tunnels, const Holders& before) {
  return Assignment(tunnels, before).run();
}

}  // namespace adit::routing
