#include "operator/catalogue.h"

#include <algorithm>
#include <utility>

namespace adit::controller {
namespace {

using kube::Json;

/// Removes the element at `at` of a list whose order means nothing; `moved` is told of the one that takes its place.
template <class T, class Moved>
void swap_out(std::vector<T>& list, std::size_t at, Moved moved) {
  if (at + 1 != list.size()) {
    list[at] = std::move(list.back());
    moved(list[at], at);
  }
  list.pop_back();
}

/// What a Tunnel that cannot be read holds according to its status, so that nobody takes it meanwhile.
routing::TunnelObject ghost_of(const Json& object, const std::string& id) {
  routing::TunnelObject ghost;
  const auto name = kube::name_of(object);
  ghost.meta.space = name.space;
  ghost.meta.name = name.name;
  ghost.meta.created = kube::text_at(object, {"metadata", "creationTimestamp"});
  ghost.id = id;
  const auto claim = recorded_claim(object);
  const auto add = [&ghost](const std::string& host, const std::string& path) {
    routing::RouteSpec route;
    route.host = host;
    route.path = path;
    ghost.routes.push_back(std::move(route));
  };
  for (const auto& host : claim.hosts) {
    bool is_shared = false;
    for (const auto& path : claim.shared) {
      if (!path.starts_with(host + "/")) continue;
      is_shared = true;
      add(host, path.substr(host.size()));
    }
    if (!is_shared) add(host, "/");
  }
  return ghost;
}

bool same(const TunnelFacts& a, const TunnelFacts& b) {
  const auto same_configuration = [](const routing::TunnelConfigurationPtr& x,
                                     const routing::TunnelConfigurationPtr& y) {
    return x == y || (x && y && *x == *y);
  };
  return a.uid == b.uid && a.generation == b.generation && a.id == b.id && a.refused == b.refused &&
         a.unreadable == b.unreadable && a.waiting == b.waiting && a.keeps_key_pair == b.keeps_key_pair &&
         a.outcome.problems == b.outcome.problems && a.outcome.hosts == b.outcome.hosts &&
         a.outcome.shared == b.outcome.shared && a.outcome.sharing == b.outcome.sharing &&
         same_configuration(a.outcome.configuration, b.outcome.configuration);
}

}  // namespace

bool Catalogue::set_tunnel(const Json& object) {
  const auto key = kube::name_of(object).key();
  const auto uid = kube::uid_of(object);
  const auto generation = kube::generation_of(object);
  Entry& entry = tunnels_[key];
  if (entry.uid == uid && entry.generation == generation && !uid.empty()) return false;
  if (entry.uid != uid) {  // a namesake: neither what was good of its predecessor nor its id are its own
    drop_tunnel(entry);
    entry = {};
  }
  entry.uid = uid;
  entry.generation = generation;
  auto parsed = routing::parse_object(object);
  entry.refused = std::move(parsed.problems);
  if (parsed.objects.tunnels.empty()) {
    if (entry.id.empty()) entry.id = kube::text_at(object, {"status", "id"});
    if (entry.id.empty()) entry.id = uid;
    if (!entry.is_there) {
      entry.is_ghost = true;
      put_tunnel(entry, ghost_of(object, entry.id));
    }
    return true;
  }
  auto& tunnel = parsed.objects.tunnels.front();
  entry.id = tunnel.id;
  entry.is_ghost = false;
  entry.forbidden = policy_.enforce(tunnel);
  put_tunnel(entry, std::move(tunnel));
  return true;
}

void Catalogue::put_tunnel(Entry& entry, routing::TunnelObject tunnel) {
  if (std::exchange(entry.is_there, true)) {
    objects_.tunnels[entry.at] = std::move(tunnel);
    return;
  }
  entry.at = objects_.tunnels.size();
  objects_.tunnels.push_back(std::move(tunnel));
}

bool Catalogue::erase_tunnel(const std::string& key) {
  const auto found = tunnels_.find(key);
  if (found == tunnels_.end()) return false;
  drop_tunnel(found->second);
  tunnels_.erase(found);
  return true;
}

void Catalogue::drop_tunnel(Entry& entry) {
  if (!std::exchange(entry.is_there, false)) return;
  swap_out(objects_.tunnels, entry.at,
           [this](const routing::TunnelObject& moved, std::size_t at) { tunnels_.at(moved.meta.full_name()).at = at; });
}

void Catalogue::drop_secret(Secret& secret) {
  secret.problem.clear();
  if (!std::exchange(secret.is_good, false)) return;
  swap_out(objects_.secrets, secret.at,
           [this](const routing::SecretObject& moved, std::size_t at) { secrets_.at(moved.meta.full_name()).at = at; });
}

void Catalogue::set_secret(const std::string& key, const SecretState& state) {
  Secret& secret = secrets_[key];
  drop_secret(secret);
  secret.state = state;
  if (state.kind != SecretState::Kind::present) return;
  auto parsed = routing::parse_object(*state.object);
  if (parsed.objects.secrets.empty()) {
    secret.problem = parsed.problems.empty() ? "is no Secret" : parsed.problems.front().text();
    return;
  }
  secret.is_good = true;
  secret.at = objects_.secrets.size();
  objects_.secrets.push_back(std::move(parsed.objects.secrets.front()));
}

std::set<std::string> Catalogue::named_secrets() const {
  std::set<std::string> names;
  for (const auto& tunnel : objects_.tunnels) {
    for (const auto& name : routing::secrets_of(tunnel)) names.insert(tunnel.meta.space + "/" + name);
  }
  return names;
}

bool Catalogue::is_unknown(const std::string& secret) const {
  const auto found = secrets_.find(secret);
  return found == secrets_.end() || found->second.state.kind == SecretState::Kind::unknown;
}

bool Catalogue::is_waiting() const {
  const auto names = named_secrets();
  return std::any_of(names.begin(), names.end(), [this](const std::string& name) { return is_unknown(name); });
}

void Catalogue::look_at_secrets(const routing::TunnelObject& tunnel, TunnelFacts& facts) const {
  auto& reasons = facts.unreadable;
  const auto check = [&](const std::string& name) {
    const auto key = tunnel.meta.space + "/" + name;
    const auto found = secrets_.find(key);
    if (is_unknown(key)) {
      facts.waiting = true;
      reasons.push_back("Secret " + key + " has not been read yet");
    } else if (found->second.state.kind == SecretState::Kind::unreadable) {
      reasons.push_back("Secret " + key + " cannot be read: " + found->second.state.reason);
    } else if (!found->second.problem.empty()) {
      reasons.push_back("Secret " + key + " cannot be understood: " + found->second.problem);
    }
  };
  for (const auto& name : routing::secrets_of(tunnel)) check(name);
}

TunnelFactsPtr Catalogue::facts_of(const std::string& key, const Entry& entry, const routing::Outcome* outcome) const {
  auto facts = std::make_shared<TunnelFacts>();
  facts->uid = entry.uid;
  facts->generation = entry.generation;
  facts->id = entry.id;
  facts->refused = entry.refused;
  facts->outcome.name = key;
  if (outcome != nullptr) facts->outcome = *outcome;
  facts->outcome.problems.insert(facts->outcome.problems.end(), entry.forbidden.begin(), entry.forbidden.end());
  if (entry.is_ghost) {
    facts->outcome.configuration.reset();
    facts->outcome.problems.clear();
  }
  facts->keeps_key_pair = facts->outcome.lacks_key_pair && inherited_.contains(key);
  if (entry.is_there) look_at_secrets(objects_.tunnels[entry.at], *facts);
  const auto before = facts_.find(key);
  return before != facts_.end() && same(*before->second, *facts) ? before->second : facts;
}

Compilation Catalogue::compile() {
  const auto names = named_secrets();
  for (auto it = secrets_.begin(); it != secrets_.end();) {
    if (names.contains(it->first)) {
      ++it;
      continue;
    }
    drop_secret(it->second);
    it = secrets_.erase(it);
  }
  auto compiled = routing::compile(objects_, holders_, key_pairs_);
  holders_ = std::move(compiled.holders);
  std::unordered_map<std::string_view, const routing::Outcome*> outcomes;
  for (const auto& outcome : compiled.outcomes) outcomes.emplace(outcome.name, &outcome);

  Compilation result;
  for (const auto& [key, entry] : tunnels_) {
    const auto outcome = outcomes.find(key);
    auto facts = facts_of(key, entry, outcome == outcomes.end() ? nullptr : outcome->second);
    if (entry.is_ghost || !facts->unreadable.empty() || facts->keeps_key_pair) {
      result.keep.push_back(entry.id);
    } else if (facts->outcome.configuration) {
      inherited_.erase(key);
      result.configurations.push_back(facts->outcome.configuration);
    }
    const auto before = facts_.find(key);
    if (before == facts_.end() || before->second != facts) result.changed.push_back(key);
    result.facts.emplace(key, std::move(facts));
  }
  for (const auto& [key, facts] : facts_) {
    if (!result.facts.contains(key)) result.changed.push_back(key);
  }
  facts_ = result.facts;
  return result;
}

}  // namespace adit::controller
