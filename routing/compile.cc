#include "routing/compile.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "routing/connector_token.h"
#include "routing/ownership.h"

namespace adit::routing {
namespace {

std::string place_text(const Place& place) {
  return place.file.empty() ? std::string("another object") : place.file + " line " + std::to_string(place.line);
}

/// What one field of a Tunnel says of a Secret.
struct SecretUse {
  std::size_t tunnel;  ///< its index in the objects
  const std::string& name;
  const Place& place;
  std::string field;
};

class Compilation {
 public:
  Compilation(const Objects& objects, const Holders& before, KeyPairs& memo)
      : objects_(objects), before_(before), memo_(memo), drafts_(objects.tunnels.size()) {
    compiled_.outcomes.resize(objects.tunnels.size());
  }

  Compiled run() {
    index_secrets();
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
    compiled_.outcomes[t].problems.push_back({.file = place.file,
                                              .line = place.line,
                                              .object = "Tunnel " + name(t),
                                              .field = std::move(field),
                                              .reason = std::move(reason),
                                              .warning = kind == ProblemKind::certificate_mismatch,
                                              .kind = kind});
  }

  void index_secrets() {
    secrets_.reserve(objects_.secrets.size());
    for (const SecretObject& secret : objects_.secrets) {
      const auto [first, is_new] = secrets_.try_emplace(secret.meta.full_name(), &secret);
      if (is_new) continue;
      compiled_.problems.push_back(
          {.file = secret.meta.place.file,
           .line = secret.meta.place.line,
           .object = "Secret " + first->first,
           .field = "metadata.name",
           .reason = "is defined already in " + place_text(first->second->meta.place) + ": remove one of them",
           .kind = ProblemKind::duplicate});
    }
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
             "is defined already in " + place_text(object(first->second).meta.place) + ": remove one of them",
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
    const auto& secrets = object(t).token_secrets;
    for (std::size_t i = 0; i < secrets.size(); ++i) {
      const bool is_default = secrets.size() == 1 && secrets[i] == object(t).meta.name + "-connector";
      add_tokens(*tunnel, {.tunnel = t,
                           .name = secrets[i],
                           .place = object(t).tokens_place,
                           .field = is_default ? std::string("spec.connectorTokens")
                                               : "spec.connectorTokens[" + std::to_string(i) + "].secretName"});
    }
    drafts_[t] = std::make_shared<TunnelConfiguration>();
    drafts_[t]->tunnel = std::move(tunnel);
  }

  void add_tokens(Tunnel& tunnel, const SecretUse& use) {
    const SecretObject* secret = find_secret(use, "no connector can link with its token");
    if (secret == nullptr) return;
    const auto hashes = read_connector_token(*secret);
    if (hashes) {
      tunnel.tokens.insert(tunnel.tokens.end(), hashes->begin(), hashes->end());
    } else {
      report_secret(use, hashes.error(), ProblemKind::secret_invalid);
    }
  }

  /// nullptr when it does not exist, which is reported with what follows from it.
  const SecretObject* find_secret(const SecretUse& use, const char* consequence) {
    const auto found = secrets_.find(object(use.tunnel).meta.space + "/" + use.name);
    if (found != secrets_.end()) return found->second;
    report_secret(use, std::string("does not exist: ") + consequence, ProblemKind::secret_missing);
    return nullptr;
  }

  void report_secret(const SecretUse& use, const std::string& reason, ProblemKind kind) {
    report(use.tunnel, use.place, use.field, "Secret " + object(use.tunnel).meta.space + "/" + use.name + " " + reason,
           kind);
  }

  void assign() {
    std::vector<const TunnelObject*> by_age;
    by_age.reserve(accepted_.size());
    for (const std::size_t t : accepted_) by_age.push_back(&object(t));
    Ownership ownership = assign_hosts(by_age, before_);
    for (Loss& loss : ownership.losses) {
      compiled_.outcomes[accepted_[loss.tunnel]].problems.push_back(std::move(loss.problem));
    }
    for (const HeldHost& host : ownership.hosts) {
      add_rules(host);
      add_certificate(host);
    }
    compiled_.holders = std::move(ownership.holders);
  }

  void add_rules(const HeldHost& host) {
    for (const std::size_t holder : host.tunnels) compiled_.outcomes[accepted_[holder]].hosts.push_back(host.host);
    for (const HeldRoute& held : host.routes) {
      const std::size_t t = accepted_[held.tunnel];
      const RouteSpec& spec = object(t).routes[held.route];
      drafts_[t]->rules.push_back({host.host, spec.path, spec.service, spec.is_private, nullptr});
      if (host.tunnels.size() > 1) compiled_.outcomes[t].shared.push_back(host.host + spec.path);
    }
  }

  /// That of the oldest holder that has one; all holders are told when theirs is not for this host.
  void add_certificate(const HeldHost& host) {
    bool is_set = false;
    for (const std::size_t holder : host.tunnels) {
      const std::size_t t = accepted_[holder];
      const KeyPair* pair = key_pair(t);
      if (pair == nullptr) continue;
      if (!is_set) drafts_[t]->certificates.push_back({host.host, pair->certificate()});
      is_set = true;
      if (pair->covers(host.host)) continue;
      report(t, object(t).tls_place, "spec.tls.secretName",
             "Secret " + pair->certificate()->name + " has a certificate that does not cover " + host.host +
                 ": clients will refuse it",
             ProblemKind::certificate_mismatch);
    }
  }

  /// Read once for each Tunnel; nullptr when it has none or it was reported.
  const KeyPair* key_pair(std::size_t t) {
    if (object(t).tls_secret.empty()) return nullptr;
    const auto [known, is_new] = key_pairs_.try_emplace(t, nullptr);
    if (is_new) known->second = read_key_pair(t);
    return known->second;
  }

  const KeyPair* read_key_pair(std::size_t t) {
    const SecretUse use{
        .tunnel = t, .name = object(t).tls_secret, .place = object(t).tls_place, .field = "spec.tls.secretName"};
    const SecretObject* secret = find_secret(use, "the hosts have no certificate");
    if (secret == nullptr) return nullptr;
    const auto& pair = memo_.read(*secret);
    if (pair) return &*pair;
    report_secret(use, pair.error(), ProblemKind::secret_invalid);
    return nullptr;
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
  std::unordered_map<std::string, const SecretObject*> secrets_;
  std::vector<std::size_t> accepted_;                         ///< indices of objects_.tunnels, by age
  std::vector<std::shared_ptr<TunnelConfiguration>> drafts_;  ///< of each Tunnel object; nullptr when left out
  std::unordered_map<std::size_t, const KeyPair*> key_pairs_;
  Compiled compiled_;
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
