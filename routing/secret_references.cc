#include "routing/secret_references.h"

#include <algorithm>
#include <memory>

#include "routing/connector_token.h"
#include "routing/logins.h"

namespace adit::routing {
namespace {

/// Of one Tunnel, over all its routes: each route has a list of its own.
constexpr std::size_t kMostLoginsOfTunnel = 10'000;

}  // namespace

void report(Outcome& outcome, const Place& place, std::string field, std::string reason, ProblemKind kind) {
  outcome.problems.push_back(
      {.file = place.file(),
       .line = place.line,
       .object = "Tunnel " + outcome.name,
       .field = std::move(field),
       .reason = std::move(reason),
       .warning = kind == ProblemKind::certificate_mismatch || kind == ProblemKind::staple_invalid,
       .kind = kind});
}

SecretReferences::SecretReferences(const Objects& objects, KeyPairs& memo, Compiled& compiled)
    : objects_(objects), memo_(memo), compiled_(compiled) {
  index_secrets();
}

void SecretReferences::index_secrets() {
  secrets_.reserve(objects_.secrets.size());
  for (const SecretObject& secret : objects_.secrets) {
    const auto [first, is_new] = secrets_.try_emplace(secret.meta.full_name(), &secret);
    if (is_new) continue;
    compiled_.problems.push_back(
        {.file = secret.meta.place.file(),
         .line = secret.meta.place.line,
         .object = "Secret " + first->first,
         .field = "metadata.name",
         .reason = "is defined already in " + first->second->meta.place.text() + ": remove one of them",
         .kind = ProblemKind::duplicate});
  }
}

const SecretObject* SecretReferences::find(std::size_t tunnel, const SecretField& field, const char* consequence) {
  const auto found = secrets_.find(object(tunnel).meta.space + "/" + field.name);
  if (found != secrets_.end()) return found->second;
  report_secret(tunnel, field, std::string("does not exist: ") + consequence, ProblemKind::secret_missing);
  return nullptr;
}

void SecretReferences::report_secret(std::size_t tunnel, const SecretField& field, const std::string& reason,
                                     ProblemKind kind) {
  report(compiled_.outcomes[tunnel], field.place, field.field,
         "Secret " + object(tunnel).meta.space + "/" + field.name + " " + reason, kind);
}

std::vector<TokenHash> SecretReferences::tokens(std::size_t tunnel) {
  std::vector<TokenHash> tokens;
  const TunnelObject& from = object(tunnel);
  const auto& names = from.token_secrets;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_default = names.size() == 1 && names[i] == from.meta.name + "-connector";
    const SecretField field{
        names[i],
        is_default ? std::string("spec.connectorTokens") : "spec.connectorTokens[" + std::to_string(i) + "].secretName",
        from.tokens_place};
    const SecretObject* secret = find(tunnel, field, "no connector can link with its token");
    if (secret == nullptr) continue;
    const auto hashes = read_connector_token(*secret);
    if (hashes) {
      tokens.insert(tokens.end(), hashes->begin(), hashes->end());
    } else {
      report_secret(tunnel, field, hashes.error(), ProblemKind::secret_invalid);
    }
  }
  return tokens;
}

const std::vector<const KeyPair*>& SecretReferences::key_pairs(std::size_t tunnel) {
  const auto [known, is_new] = key_pairs_.try_emplace(tunnel);
  if (is_new) known->second = read_key_pairs(tunnel);
  return known->second;
}

std::vector<const KeyPair*> SecretReferences::read_key_pairs(std::size_t tunnel) {
  std::vector<const KeyPair*> pairs;
  const auto& names = object(tunnel).tls_secrets;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const SecretField field{names[i], tls_field(object(tunnel), i), object(tunnel).tls_place};
    const KeyPair* pair = read_key_pair(tunnel, field);
    if (pair == nullptr) continue;
    const auto same = std::find_if(pairs.begin(), pairs.end(),
                                   [&](const KeyPair* other) { return other->key_type() == pair->key_type(); });
    if (same == pairs.end()) {
      pairs.push_back(pair);
    } else {
      report_secret(tunnel, field,
                    "has a key of type " + pair->key_type() + " as Secret " + (*same)->certificate()->name +
                        " has: it is not served; name key pairs of different types, such as ECDSA and RSA",
                    ProblemKind::secret_invalid);
    }
  }
  return pairs;
}

const KeyPair* SecretReferences::read_key_pair(std::size_t tunnel, const SecretField& field) {
  const SecretObject* secret = find(tunnel, field, "the hosts have no certificate of it");
  if (secret == nullptr) return nullptr;
  const KnownKeyPair& known = memo_.read(*secret);
  if (!known.fault.empty()) {
    report_secret(tunnel, field, known.fault + (known.pair ? "; its former key pair stays in service" : ""),
                  ProblemKind::secret_invalid);
    if (!known.pair) compiled_.outcomes[tunnel].lacks_key_pair = true;
  } else if (!known.pair->staple_fault().empty()) {
    report_secret(tunnel, field, known.pair->staple_fault() + "; none is stapled", ProblemKind::staple_invalid);
  }
  return known.pair ? &*known.pair : nullptr;
}

FiltersPtr SecretReferences::filters(std::size_t tunnel, const RouteSpec& route) {
  if (route.logins.name.empty()) return route.filters;
  auto filters = std::make_shared<Filters>(*route.filters);
  const SecretObject* secret = find(tunnel, route.logins, "nobody can log in");
  if (secret == nullptr) return filters;
  auto logins = read_logins(*secret);
  if (!logins) {
    report_secret(tunnel, route.logins, logins.error() + ": nobody can log in", ProblemKind::secret_invalid);
  } else if ((logins_[tunnel] += logins->size()) > kMostLoginsOfTunnel) {
    report_secret(tunnel, route.logins, "brings the logins of all routes to more than 10000: nobody can log in here",
                  ProblemKind::secret_invalid);
  } else {
    filters->basic_auth->logins = std::move(*logins);
  }
  return filters;
}

}  // namespace adit::routing
