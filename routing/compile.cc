#include "routing/compile.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "routing/certificates.h"
#include "routing/connector_token.h"
#include "routing/ownership.h"
#include "routing/table_builder.h"

namespace adit::routing {
namespace {

std::string title(const TunnelObject& tunnel) { return "Tunnel " + tunnel.meta.full_name(); }

std::string place_text(const Place& place) {
  return place.file.empty() ? std::string("another object") : place.file + " line " + std::to_string(place.line);
}

class Compilation {
 public:
  Compilation(const Objects& objects, const Holders& before) : objects_(objects), before_(before) {}

  Compiled run() {
    index_secrets();
    accept_tunnels();
    std::vector<std::shared_ptr<const Tunnel>> built;
    built.reserve(accepted_.size());
    for (const TunnelObject* object : accepted_) {
      built.push_back(build_tunnel(*object));
      builder_.add_tunnel(built.back());
    }
    Ownership ownership = assign_hosts(accepted_, before_);
    for (auto& problem : ownership.problems) problems_.push_back(std::move(problem));
    for (const HeldHost& host : ownership.hosts) {
      add_routes(host, built);
      add_certificate(host, built);
    }
    std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
      return std::tie(a.file, a.line) < std::tie(b.file, b.line);
    });
    return {builder_.build(), std::move(problems_), std::move(ownership.holders)};
  }

 private:
  void report(const Place& place, std::string object, std::string field, std::string reason, bool warning = false) {
    problems_.push_back({place.file, place.line, std::move(object), std::move(field), std::move(reason), warning});
  }

  void index_secrets() {
    for (const SecretObject& secret : objects_.secrets) {
      const auto [first, is_new] = secrets_.try_emplace(secret.meta.full_name(), &secret);
      if (is_new) continue;
      report(secret.meta.place, "Secret " + secret.meta.full_name(), "metadata.name",
             "is defined already in " + place_text(first->second->meta.place) + ": remove one of them");
    }
  }

  /// Leaves out a second object of a name and a second one of an id, and orders the rest by age.
  void accept_tunnels() {
    std::unordered_map<std::string, const TunnelObject*> by_name;
    for (const TunnelObject& tunnel : objects_.tunnels) {
      const auto [first, is_new] = by_name.try_emplace(tunnel.meta.full_name(), &tunnel);
      if (is_new) {
        accepted_.push_back(&tunnel);
        continue;
      }
      report(tunnel.meta.place, title(tunnel), "metadata.name",
             "is defined already in " + place_text(first->second->meta.place) + ": remove one of them");
    }
    std::sort(accepted_.begin(), accepted_.end(), is_older);
    refuse_repeated_ids();
  }

  /// An object of unknown age is younger than all that have one.
  static bool is_older(const TunnelObject* a, const TunnelObject* b) {
    const auto key = [](const TunnelObject& t) {
      return std::make_tuple(t.meta.created.empty(), std::string_view(t.meta.created), t.meta.full_name());
    };
    return key(*a) < key(*b);
  }

  void refuse_repeated_ids() {
    std::unordered_set<std::string_view> former;  // holding a host, so in force: a newcomer cannot take their id
    for (const auto& [host, names] : before_) former.insert(names.begin(), names.end());
    std::unordered_map<std::string_view, const TunnelObject*> holders;
    for (const bool in_force : {true, false}) {
      for (const TunnelObject* tunnel : accepted_) {
        if (former.contains(tunnel->meta.full_name()) == in_force) holders.try_emplace(tunnel->id, tunnel);
      }
    }
    std::erase_if(accepted_, [&](const TunnelObject* tunnel) {
      const TunnelObject* holder = holders.at(tunnel->id);
      if (holder == tunnel) return false;
      report(tunnel->meta.place, title(*tunnel), "spec.id",
             tunnel->id + " is the id of " + title(*holder) + " already: give each Tunnel its own, or none");
      return true;
    });
  }

  const SecretObject* find_secret(const TunnelObject& tunnel, const std::string& name) const {
    const auto found = secrets_.find(tunnel.meta.space + "/" + name);
    return found == secrets_.end() ? nullptr : found->second;
  }

  std::shared_ptr<const Tunnel> build_tunnel(const TunnelObject& object) {
    auto tunnel = std::make_shared<Tunnel>();
    tunnel->id = object.id;
    tunnel->name = object.meta.full_name();
    for (std::size_t i = 0; i < object.token_secrets.size(); ++i) {
      if (const auto hash = token_hash(object, i)) tunnel->tokens.push_back(*hash);
    }
    return tunnel;
  }

  std::optional<TokenHash> token_hash(const TunnelObject& object, std::size_t i) {
    const std::string& name = object.token_secrets[i];
    const bool is_default = name == object.meta.name + "-connector" && object.token_secrets.size() == 1;
    const std::string field =
        is_default ? "spec.connectorTokens" : "spec.connectorTokens[" + std::to_string(i) + "].secretName";
    const std::string secret_title = "Secret " + object.meta.space + "/" + name;
    const SecretObject* secret = find_secret(object, name);
    if (secret == nullptr) {
      report(object.tokens_place, title(object), field,
             secret_title + " does not exist: no connector can link with its token");
      return std::nullopt;
    }
    const auto hash = read_connector_token(*secret);
    if (hash) return *hash;
    report(object.tokens_place, title(object), field, secret_title + " " + hash.error());
    return std::nullopt;
  }

  void add_routes(const HeldHost& host, const std::vector<std::shared_ptr<const Tunnel>>& built) {
    for (const HeldRoute& held : host.routes) {
      const RouteSpec& spec = accepted_[held.tunnel]->routes[held.route];
      builder_.add_route({built[held.tunnel], host.host, spec.path, spec.service, spec.is_private});
    }
  }

  /// That of the first holder that has one; all holders are told when theirs is not for this host.
  void add_certificate(const HeldHost& host, const std::vector<std::shared_ptr<const Tunnel>>& built) {
    bool is_set = false;
    for (const std::size_t t : host.tunnels) {
      const TunnelObject& object = *accepted_[t];
      const KeyPair* pair = key_pair(object);
      if (pair == nullptr) continue;
      if (!is_set) builder_.set_certificate(host.host, pair->certificate(), built[t]);
      is_set = true;
      if (pair->covers(host.host)) continue;
      report(object.tls_place, title(object), "spec.tls.secretName",
             "Secret " + pair->certificate()->name + " has a certificate that does not cover " + host.host +
                 ": clients will refuse it",
             true);
    }
  }

  /// Read once for each Tunnel; nullptr when it has none or it was reported.
  const KeyPair* key_pair(const TunnelObject& object) {
    if (object.tls_secret.empty()) return nullptr;
    const auto [known, is_new] = key_pairs_.try_emplace(&object, nullptr);
    if (is_new) known->second = read_key_pair(object);
    return known->second;
  }

  const KeyPair* read_key_pair(const TunnelObject& object) {
    const std::string secret_title = "Secret " + object.meta.space + "/" + object.tls_secret;
    const SecretObject* secret = find_secret(object, object.tls_secret);
    if (secret == nullptr) {
      report(object.tls_place, title(object), "spec.tls.secretName",
             secret_title + " does not exist: the hosts have no certificate");
      return nullptr;
    }
    auto& shared = read_secrets_[secret];
    if (!shared) shared = KeyPair::read(*secret);
    if (*shared) return &**shared;  // stays where it is: the map's nodes do not move
    report(object.tls_place, title(object), "spec.tls.secretName", secret_title + " " + shared->error());
    return nullptr;
  }

  const Objects& objects_;
  const Holders& before_;
  std::unordered_map<std::string, const SecretObject*> secrets_;
  std::vector<const TunnelObject*> accepted_;
  std::unordered_map<const SecretObject*, std::optional<base::Result<KeyPair>>> read_secrets_;
  std::unordered_map<const TunnelObject*, const KeyPair*> key_pairs_;
  TableBuilder builder_;
  std::vector<Problem> problems_;
};

}  // namespace

Compiled compile(const Objects& objects, const Holders& before) { return Compilation(objects, before).run(); }

}  // namespace adit::routing
