#include "control/claims.h"

#include <algorithm>

namespace adit::control {
namespace {

std::string key(const routing::Rule& rule) { return rule.host + rule.path; }

}  // namespace

const Claims::Owner* Claims::owner(const std::string& key) const {
  const auto found = owners_.find(key);
  return found != owners_.end() ? &found->second : nullptr;
}

void Claims::add(const routing::TunnelConfiguration& configuration) {
  for (const auto& rule : configuration.rules) owners_.emplace(key(rule), configuration.tunnel);
  for (const auto& certificate : configuration.certificates) owners_.emplace(certificate.host, configuration.tunnel);
}

void Claims::remove(const routing::TunnelConfiguration& configuration) {
  for (const auto& rule : configuration.rules) owners_.erase(key(rule));
  for (const auto& certificate : configuration.certificates) owners_.erase(certificate.host);
}

std::string Claims::contradiction(const routing::TunnelConfiguration& configuration) const {
  for (const auto& rule : configuration.rules) {
    if (const auto* other = owner(key(rule))) return rule.host + rule.path + " belongs to " + (*other)->name;
  }
  for (const auto& certificate : configuration.certificates) {
    if (const auto* other = owner(certificate.host)) {
      return "the certificate of " + certificate.host + " belongs to " + (*other)->name;
    }
  }
  return {};
}

routing::TunnelConfiguration Claims::without_contradictions(const routing::TunnelConfiguration& configuration) const {
  auto rest = configuration;
  std::erase_if(rest.rules, [&](const auto& rule) { return owner(key(rule)) != nullptr; });
  std::erase_if(rest.certificates, [&](const auto& certificate) {
    const auto has_host = [&](const auto& rule) { return rule.host == certificate.host; };
    return owner(certificate.host) != nullptr || std::none_of(rest.rules.begin(), rest.rules.end(), has_host);
  });
  return rest;
}

}  // namespace adit::control
