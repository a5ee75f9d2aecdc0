#include "routing/compile.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "routing/ownership.h"
#include "routing/secret_references.h"

namespace adit::routing {
namespace {

class Compilation {
 public:
  Compilation(const Objects& objects, const Holders& before, KeyPairs& memo)
      : objects_(objects),
        before_(before),
        memo_(memo),
        secrets_(objects, memo, compiled_),
        drafts_(objects.tunnels.size()) {
    compiled_.outcomes.resize(objects.tunnels.size());
  }

  Compiled run() {
    accept_tunnels();
    for (const std::size_t t : accepted_) begin_configuration(t);
    assign();
    memo_.drop_unused();
    finish();
    return std::move(compiled_);
  }

 private:
  const TunnelObject& object(std::size_t t) const { return objects_.tunnels[t]; }
  const std::string& name(std::size_t t) const { return compiled_.outcomes[t].name; }

  void report(std::size_t t, const Place& place, std::string field, std::string reason, ProblemKind kind) {
    routing::report(compiled_.outcomes[t], place, std::move(field), std::move(reason), kind);
  }

  /// Leaves out a second object of a name and a second one of an id, and orders the rest by age.
  void accept_tunnels() {
    std::unordered_map<std::string_view, std::size_t> by_name;
    by_name.reserve(objects_.tunnels.size());
    for (std::size_t t = 0; t < objects_.tunnels.size(); ++t) {
      compiled_.outcomes[t].name = object(t).meta.full_name();
      const auto [first, is_new] = by_name.try_emplace(name(t), t);
      if (is_new) {
        accepted_.push_back(t);
        continue;
      }
      report(t, object(t).meta.place, "metadata.name",
             "is defined already in " + object(first->second).meta.place.text() + ": remove one of them",
             ProblemKind::duplicate);
    }
    std::sort(accepted_.begin(), accepted_.end(), [this](std::size_t a, std::size_t b) { return age(a) < age(b); });
    refuse_repeated_ids();
  }

  /// An object of unknown age is younger than all that have one.
  std::tuple<bool, std::string_view, std::string_view> age(std::size_t t) const {
    const std::string_view created = object(t).meta.created;
    return {created.empty(), created, name(t)};
  }

  void refuse_repeated_ids() {
    std::unordered_set<std::string_view> former;  // holding a host, so in force: a newcomer cannot take their id
    for (const auto& [host, names] : before_) former.insert(names.begin(), names.end());
    std::unordered_map<std::string_view, std::size_t> owners;
    owners.reserve(accepted_.size());
    for (const bool in_force : {true, false}) {
      for (const std::size_t t : accepted_) {
        if (former.contains(name(t)) == in_force) owners.try_emplace(object(t).id, t);
      }
    }
    std::erase_if(accepted_, [&](std::size_t t) {
      const std::size_t owner = owners.at(object(t).id);
      if (owner == t) return false;
      report(t, object(t).meta.place, "spec.id",
             object(t).id + " is the id of Tunnel " + name(owner) + " already: give each Tunnel its own, or none",
             ProblemKind::duplicate_id);
      return true;
    });
  }

  void begin_configuration(std::size_t t) {
    auto tunnel = std::make_shared<Tunnel>();
    tunnel->id = object(t).id;
    tunnel->name = name(t);
    tunnel->tokens = secrets_.tokens(t);
    tunnel->limits = object(t).limits;
    tunnel->redirect_to_https = object(t).redirect_to_https;
    tunnel->offline_page = object(t).offline_page;
    tunnel->affinity = object(t).affinity;
    drafts_[t] = std::make_shared<TunnelConfiguration>();
    drafts_[t]->tunnel = std::move(tunnel);
  }

  void assign() {
    std::vector<Claimant> by_age;
    by_age.reserve(accepted_.size());
    for (const std::size_t t : accepted_) by_age.push_back(Claimant::of(object(t)));
    Ownership ownership = assign_hosts(by_age, before_);
    for (Loss& loss : ownership.losses) {
      compiled_.outcomes[accepted_[loss.claimant]].problems.push_back(std::move(loss.problem));
    }
    for (const HeldHost& host : ownership.hosts) {
      add_rules(host);
      add_certificates(host);
    }
    compiled_.holders = std::move(ownership.holders);
  }

  void add_rules(const HeldHost& host) {
    for (const std::size_t holder : host.claimants) compiled_.outcomes[accepted_[holder]].hosts.push_back(host.host);
    for (const HeldRule& held : host.rules) {
      const std::size_t t = accepted_[held.claimant];
      const RouteSpec& spec = object(t).routes[held.rule];
      drafts_[t]->rules.push_back(
          {host.host, spec.path, spec.service, spec.is_private, secrets_.filters(t, spec), spec.weight});
      if (host.claimants.size() > 1) compiled_.outcomes[t].shared.push_back(path_key(spec));
    }
    for (auto first = host.rules.begin(); first != host.rules.end();) {
      const auto last = std::find_if(first, host.rules.end(), [&](const HeldRule& held) {
        return path_key(spec_of(held)) != path_key(spec_of(*first));
      });
      tell_of_sharing({first, last});
      first = last;
    }
  }

  const RouteSpec& spec_of(const HeldRule& held) const { return object(accepted_[held.claimant]).routes[held.rule]; }

  /// Tunnels that have one rule by weight are told of each other.
  void tell_of_sharing(std::span<const HeldRule> sharers) {
    if (sharers.size() < 2) return;
    std::uint64_t total = 0;
    for (const HeldRule& held : sharers) total += spec_of(held).weight.value_or(0);
    for (const HeldRule& held : sharers) {
      std::string others;
      for (const HeldRule& other : sharers) {
        if (other.claimant == held.claimant) continue;
        others.append(others.empty() ? " is shared with Tunnel " : ", ").append(name(accepted_[other.claimant]));
      }
      const RouteSpec& spec = spec_of(held);
      compiled_.outcomes[accepted_[held.claimant]].sharing.push_back(spec.host + spec.path + others + " by weight (" +
                                                                     std::to_string(spec.weight.value_or(0)) + " of " +
                                                                     std::to_string(total) + " requests come here)");
    }
  }

  /// Those of the oldest holder that has any; all holders are told when theirs are not for this host.
  void add_certificates(const HeldHost& host) {
    bool is_set = false;
    for (const std::size_t holder : host.claimants) {
      const std::size_t t = accepted_[holder];
      const auto& pairs = secrets_.key_pairs(t);
      for (const KeyPair* pair : pairs) {
        if (!is_set) drafts_[t]->certificates.push_back({host.host, pair->certificate()});
        if (!pair->covers(host.host)) report_mismatch(t, *pair, host.host);
      }
      is_set = is_set || !pairs.empty();
    }
  }

  void report_mismatch(std::size_t t, const KeyPair& pair, const std::string& host) {
    const auto& names = object(t).tls_secrets;
    const auto& secret = pair.certificate()->name;
    const auto is_it = [&](const std::string& name) { return secret == object(t).meta.space + "/" + name; };
    const auto index = static_cast<std::size_t>(std::find_if(names.begin(), names.end(), is_it) - names.begin());
    report(t, object(t).tls_place, tls_field(object(t), index),
           "Secret " + secret + " has a certificate that does not cover " + host + ": clients will refuse it",
           ProblemKind::certificate_mismatch);
  }

  void finish() {
    for (std::size_t t = 0; t < drafts_.size(); ++t) {
      Outcome& outcome = compiled_.outcomes[t];
      outcome.configuration = std::move(drafts_[t]);
      compiled_.problems.insert(compiled_.problems.end(), outcome.problems.begin(), outcome.problems.end());
    }
    std::stable_sort(compiled_.problems.begin(), compiled_.problems.end(), [](const Problem& a, const Problem& b) {
      return std::tie(a.file, a.line, a.object) < std::tie(b.file, b.line, b.object);
    });
  }

  const Objects& objects_;
  const Holders& before_;
  KeyPairs& memo_;
  Compiled compiled_;
  SecretReferences secrets_;
  std::vector<std::size_t> accepted_;                         ///< indices of objects_.tunnels, by age
  std::vector<std::shared_ptr<TunnelConfiguration>> drafts_;  ///< of each Tunnel object; nullptr when left out
};

}  // namespace

Compiled compile(const Objects& objects, const Holders& before, KeyPairs& memo) {
  return Compilation(objects, before, memo).run();
}

Compiled compile(const Objects& objects, const Holders& before) {
  KeyPairs fresh;
  return compile(objects, before, fresh);
}

std::vector<TunnelConfigurationPtr> configurations(const Compiled& compiled) {
  std::vector<TunnelConfigurationPtr> all;
  all.reserve(compiled.outcomes.size());
  for (const Outcome& outcome : compiled.outcomes) {
    if (outcome.configuration != nullptr) all.push_back(outcome.configuration);
  }
  return all;
}

}  // namespace adit::routing
