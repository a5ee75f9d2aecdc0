#include "routing/ownership.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string_view>
#include <unordered_map>

#include "routing/host_name.h"

namespace adit::routing {
namespace {

/// One Tunnel that has rules for one host.
struct Claim {
  std::string_view host;
  std::size_t tunnel;
  std::vector<std::size_t> routes;
  std::size_t rank;  ///< its place among the former holders of the host; kNewClaim for none
};

constexpr std::size_t kNewClaim = std::numeric_limits<std::size_t>::max();

class Assignment {
 public:
  Assignment(const std::vector<const TunnelObject*>& tunnels, const Holders& before)
      : tunnels_(tunnels), before_(before) {}

  Ownership run() {
    collect_claims();
    // Former holders first, in their order; then by age, which is the order of tunnels_.
    std::stable_sort(claims_.begin(), claims_.end(), [](const Claim& a, const Claim& b) { return a.rank < b.rank; });
    for (const Claim& claim : claims_) decide(claim);
    for (const auto& [host, claims] : held_) share(host, claims);
    return std::move(result_);
  }

 private:
  using Claims = std::vector<const Claim*>;
  using Paths = std::map<std::string_view, HeldRoute>;

  void collect_claims() {
    for (std::size_t t = 0; t < tunnels_.size(); ++t) {
      std::unordered_map<std::string_view, std::size_t> of_host;
      for (std::size_t r = 0; r < tunnels_[t]->routes.size(); ++r) {
        const std::string& host = tunnels_[t]->routes[r].host;
        const auto [place, is_new] = of_host.try_emplace(host, claims_.size());
        if (is_new) claims_.push_back({.host = host, .tunnel = t, .routes = {}, .rank = former_rank(host, t)});
        claims_[place->second].routes.push_back(r);
      }
    }
  }

  std::size_t former_rank(const std::string& host, std::size_t tunnel) const {
    const auto former = before_.find(host);
    if (former == before_.end()) return kNewClaim;
    const auto& names = former->second;
    const auto found = std::find(names.begin(), names.end(), tunnels_[tunnel]->meta.full_name());
    return found == names.end() ? kNewClaim : static_cast<std::size_t>(found - names.begin());
  }

  void decide(const Claim& claim) {
    const auto held = held_.find(claim.host);
    if (held != held_.end()) {
      const Claim& first = *held->second.front();
      if (space(first) == space(claim)) {
        held->second.push_back(&claim);
      } else {
        refuse(claim, first);
      }
      return;
    }
    const Claim* wildcard = claim.rank == kNewClaim ? foreign_wildcard(claim) : nullptr;
    if (wildcard != nullptr) {
      refuse(claim, *wildcard);
    } else {
      held_[claim.host].push_back(&claim);
    }
  }

  /// The first claim on a wildcard above the host that another namespace holds.
  const Claim* foreign_wildcard(const Claim& claim) const {
    for (auto wide = wider_wildcard(claim.host); !wide.empty(); wide = wider_wildcard(wide)) {
      const auto held = held_.find(wide);
      if (held != held_.end() && space(*held->second.front()) != space(claim)) return held->second.front();
    }
    return nullptr;
  }

  /// Shares a held host between the Tunnels of its namespace by path.
  void share(std::string_view host, const Claims& claims) {
    Paths paths;
    for (const Claim* claim : claims) {
      for (const std::size_t route : claim->routes) offer(paths, {claim->tunnel, route});
    }
    HeldHost& held = result_.hosts.emplace_back();
    held.host = host;
    for (const Claim* claim : claims) {
      const bool has_path = std::any_of(paths.begin(), paths.end(),
                                        [&](const auto& entry) { return entry.second.tunnel == claim->tunnel; });
      if (has_path) held.tunnels.push_back(claim->tunnel);
    }
    for (const auto& [path, route] : paths) held.routes.push_back(route);
    remember(held);
  }

  void offer(Paths& paths, HeldRoute offered) {
    const RouteSpec& route = spec(offered);
    const auto [holder, is_new] = paths.try_emplace(route.path, offered);
    if (is_new) return;
    if (held_before(offered) && !held_before(holder->second)) std::swap(holder->second, offered);
    const bool is_own = holder->second.tunnel == offered.tunnel;
    report(offered, is_own ? "has the host and path of " + field(holder->second.route) + ": remove one of them"
                           : "has the host and path of a route of " + title(holder->second.tunnel) +
                                 ", which came first; it takes over when that one drops it");
  }

  bool held_before(const HeldRoute& held) const {
    const auto former = before_.find(spec(held).host + spec(held).path);
    return former != before_.end() && !former->second.empty() &&
           former->second.front() == tunnels_[held.tunnel]->meta.full_name();
  }

  void remember(const HeldHost& held) {
    auto& names = result_.holders[held.host];
    for (const std::size_t tunnel : held.tunnels) names.push_back(tunnels_[tunnel]->meta.full_name());
    if (held.tunnels.size() < 2) return;
    for (const HeldRoute& route : held.routes) {
      result_.holders[held.host + spec(route).path] = {tunnels_[route.tunnel]->meta.full_name()};
    }
  }

  void refuse(const Claim& claim, const Claim& holder) {
    std::string reason = "is held by " + title(holder.tunnel);
    if (holder.host != claim.host) reason.append(" through its wildcard ").append(holder.host);
    reason.append(" of another namespace; this Tunnel takes over when that one drops it");
    report({claim.tunnel, claim.routes.front()}, std::move(reason), ".host");
  }

  void report(const HeldRoute& loser, std::string reason, const char* subfield = "") {
    const RouteSpec& route = spec(loser);
    result_.problems.push_back(
        {.file = route.place.file,
         .line = route.place.line,
         .object = title(loser.tunnel),
         .field = field(loser.route) + subfield,
         .reason = route.host + (*subfield == '\0' ? route.path : "") + " " + std::move(reason)});
  }

  static std::string field(std::size_t route) { return "spec.routes[" + std::to_string(route) + "]"; }
  std::string title(std::size_t tunnel) const { return "Tunnel " + tunnels_[tunnel]->meta.full_name(); }
  const std::string& space(const Claim& claim) const { return tunnels_[claim.tunnel]->meta.space; }
  const RouteSpec& spec(const HeldRoute& held) const { return tunnels_[held.tunnel]->routes[held.route]; }

  const std::vector<const TunnelObject*>& tunnels_;
  const Holders& before_;
  std::vector<Claim> claims_;
  std::map<std::string_view, Claims> held_;
  Ownership result_;
};

}  // namespace

Ownership assign_hosts(const std::vector<const TunnelObject*>& tunnels, const Holders& before) {
  return Assignment(tunnels, before).run();
}

}  // namespace adit::routing
