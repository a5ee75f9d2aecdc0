#include "routing/ownership.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include "routing/host_name.h"

namespace adit::routing {
namespace {

/// One claimant that has rules for one host.
struct HostClaim {
  std::string_view host;
  std::size_t claimant;
  std::vector<std::size_t> rules;
  bool is_new;  ///< it is not among the former holders of the host
};

const char* kind_name(Claimant::Kind kind) { return kind == Claimant::Kind::tunnel ? "Tunnel" : "Ingress"; }

class Assignment {
 public:
  Assignment(const std::vector<Claimant>& claimants, const Holders& before) : claimants_(claimants), before_(before) {
    names_.reserve(claimants.size());
    for (const Claimant& claimant : claimants) names_.push_back(claimant.name());
  }

  Ownership run() {
    collect_claims();
    // Former holders first; then by age, which is the order of claimants_.
    std::stable_partition(claims_.begin(), claims_.end(), [](const HostClaim& claim) { return !claim.is_new; });
    for (const HostClaim& claim : claims_) decide(claim);
    for (const auto& [host, claims] : held_) share(host, claims);
    return std::move(result_);
  }

 private:
  using Claims = std::vector<const HostClaim*>;
  /// By path; before a prefix the same path alone.
  using Paths = std::map<std::pair<std::string_view, bool>, std::vector<HeldRule>>;

  void collect_claims() {
    for (std::size_t c = 0; c < claimants_.size(); ++c) {
      std::unordered_map<std::string_view, std::size_t> of_host;
      for (std::size_t r = 0; r < claimants_[c].rules.size(); ++r) {
        const std::string& host = claimants_[c].rules[r]->host;
        const auto [place, is_new] = of_host.try_emplace(host, claims_.size());
        if (is_new) claims_.push_back({.host = host, .claimant = c, .rules = {}, .is_new = !held_before(host, c)});
        claims_[place->second].rules.push_back(r);
      }
    }
  }

  /// `key` as in Holders: a host, or a path of a shared one.
  bool held_before(const std::string& key, std::size_t claimant) const {
    const auto former = before_.find(key);
    return former != before_.end() &&
           std::find(former->second.begin(), former->second.end(), names_[claimant]) != former->second.end();
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

  /// Shares a held host between the claimants of its namespace by path.
  void share(std::string_view host, const Claims& claims) {
    Paths paths;
    for (const HostClaim* claim : claims) {
      for (const std::size_t rule : claim->rules) {
        const HeldRule offered{claim->claimant, rule};
        paths[{spec(offered).path, !spec(offered).is_exact}].push_back(offered);
      }
    }
    HeldHost& held = result_.hosts.emplace_back();
    held.host = host;
    for (auto& [path, offered] : paths) settle(offered, held);
    // By age, and not by who came first: that is not recorded, and a restart must not change the certificate in force.
    std::sort(held.claimants.begin(), held.claimants.end());
    held.claimants.erase(std::unique(held.claimants.begin(), held.claimants.end()), held.claimants.end());
    remember(held);
  }

  /// Of rules for one path: former holders first, then in the order in which they were offered.
  void settle(std::vector<HeldRule>& offered, HeldHost& held) {
    std::stable_partition(offered.begin(), offered.end(),
                          [this](const HeldRule& rule) { return held_path_before(rule); });
    const HeldRule& first = offered.front();
    std::vector<std::size_t> sharers;
    for (const HeldRule& rule : offered) {
      const auto same = std::find(sharers.begin(), sharers.end(), rule.claimant);
      if (same == sharers.end() && (sharers.empty() || shares(rule, first))) {
        sharers.push_back(rule.claimant);
        held.rules.push_back(rule);
        held.claimants.push_back(rule.claimant);
      } else {
        report_loss(rule, first);
      }
    }
  }

  bool shares(const HeldRule& rule, const HeldRule& first) const {
    return spec(rule).weight && spec(first).weight && spec(rule).is_private == spec(first).is_private;
  }

  void report_loss(const HeldRule& loser, const HeldRule& first) {
    if (first.claimant == loser.claimant) {
      return report(loser, ProblemKind::duplicate, "has the host and path of " + field(first) + ": remove one of them");
    }
    const char* noun = of(first).kind == Claimant::Kind::tunnel ? "route" : "rule";
    const std::string whose = std::string("has the host and path of a ") + noun + " of " + of(first).title();
    if (spec(loser).weight && spec(first).weight) {
      return report(loser, ProblemKind::path_held,
                    whose + ", and cannot share it by weight, since its visibility is another: give both the same");
    }
    report(loser, ProblemKind::path_held, whose + ", which came first; it takes over when that one drops it");
  }

  bool held_path_before(const HeldRule& held) const { return held_before(path_key(spec(held)), held.claimant); }

  void remember(const HeldHost& held) {
    auto& names = result_.holders[held.host];
    for (const std::size_t claimant : held.claimants) names.push_back(names_[claimant]);
    std::sort(names.begin(), names.end());
    if (held.claimants.size() < 2) return;
    for (const HeldRule& rule : held.rules) result_.holders[path_key(spec(rule))].push_back(names_[rule.claimant]);
  }

  void refuse(const HostClaim& claim, const HostClaim& holder) {
    const Claimant& loser = claimants_[claim.claimant];
    std::string reason = "is held by " + claimants_[holder.claimant].title();
    if (holder.host != claim.host) reason.append(" through its wildcard ").append(holder.host);
    reason.append(" of another namespace; this ").append(kind_name(loser.kind));
    reason.append(" takes over when that one drops it");
    report({claim.claimant, claim.rules.front()}, ProblemKind::host_held, reason);
  }

  void report(const HeldRule& loser, ProblemKind kind, const std::string& reason) {
    const RouteSpec& rule = spec(loser);
    const bool whole_host = kind == ProblemKind::host_held;
    const std::string what = whole_host ? rule.host : rule.host + rule.path + (rule.is_exact ? " (Exact)" : "");
    result_.losses.push_back({.claimant = loser.claimant,
                              .problem = {.file = rule.place.file(),
                                          .line = rule.place.line,
                                          .object = of(loser).title(),
                                          .field = whole_host ? of(loser).host_field(loser.rule) : field(loser),
                                          .reason = what + " " + reason,
                                          .kind = kind}});
  }

  const Claimant& of(const HeldRule& held) const { return claimants_[held.claimant]; }
  std::string field(const HeldRule& held) const { return of(held).field(held.rule); }
  const std::string& space(const HostClaim& claim) const { return claimants_[claim.claimant].meta->space; }
  const RouteSpec& spec(const HeldRule& held) const { return *of(held).rules[held.rule]; }

  const std::vector<Claimant>& claimants_;
  const Holders& before_;
  std::vector<std::string> names_;
  std::vector<HostClaim> claims_;
  std::map<std::string_view, Claims> held_;
  Ownership result_;
};

}  // namespace

Claimant Claimant::of(const TunnelObject& tunnel) {
  Claimant claimant;
  claimant.meta = &tunnel.meta;
  claimant.rules.reserve(tunnel.routes.size());
  for (const RouteSpec& route : tunnel.routes) claimant.rules.push_back(&route);
  return claimant;
}

std::string Claimant::name() const { return kind == Kind::tunnel ? meta->full_name() : title(); }

std::string Claimant::title() const { return std::string(kind_name(kind)) + " " + meta->full_name(); }

std::string Claimant::field(std::size_t rule) const {
  return fields.empty() ? "spec.routes[" + std::to_string(rule) + "]" : fields[rule];
}

std::string Claimant::host_field(std::size_t rule) const {
  const std::string own = field(rule);
  return (kind == Kind::tunnel ? own : own.substr(0, own.find(".http."))) + ".host";
}

std::string path_key(const RouteSpec& rule) { return rule.host + (rule.is_exact ? "=" : "") + rule.path; }

Ownership assign_hosts(const std::vector<Claimant>& claimants, const Holders& before) {
  return Assignment(claimants, before).run();
}

}  // namespace adit::routing
