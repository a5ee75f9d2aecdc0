#include "control/claims.h"

#include <algorithm>

namespace adit::control {
namespace {

std::string key(const routing::Rule& rule) { return rule.host + rule.path; }

}  // namespace

void Claims::add(const routing::TunnelConfiguration& configuration) {
  for (const auto& rule : configuration.rules)
    rules_.emplace(key(rule), RuleOwner{configuration.tunnel, rule.weight.has_value(), rule.is_private});
  for (const auto& certificate : configuration.certificates) hosts_.emplace(certificate.host, configuration.tunnel);
}

void Claims::remove(const routing::TunnelConfiguration& configuration) {
  for (const auto& rule : configuration.rules) {
    const auto [first, last] = rules_.equal_range(key(rule));
    const auto own =
        std::find_if(first, last, [&](const auto& item) { return item.second.tunnel == configuration.tunnel; });
    if (own != last) rules_.erase(own);
  }
  for (const auto& certificate : configuration.certificates) hosts_.erase(certificate.host);
}

const Claims::Owner* Claims::rival(const routing::Rule& rule) const {
  const auto [first, last] = rules_.equal_range(key(rule));
  const auto found = std::find_if(first, last, [&](const auto& item) {
    const bool share = item.second.has_weight && rule.weight && item.second.is_private == rule.is_private;
    return !share;
  });
  return found != last ? &found->second.tunnel : nullptr;
}

const Claims::Owner* Claims::owner(const std::string& host) const {
  const auto found = hosts_.find(host);
  return found != hosts_.end() ? &found->second : nullptr;
}

std::string Claims::contradiction(const routing::TunnelConfiguration& configuration) const {
  for (const auto& rule : configuration.rules) {
    if (const auto* other = rival(rule)) return rule.host + rule.path + " belongs to " + (*other)->name;
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
  std::erase_if(rest.rules, [&](const auto& rule) { return rival(rule) != nullptr; });
  std::erase_if(rest.certificates, [&](const auto& certificate) {
    const auto has_host = [&](const auto& rule) { return rule.host == certificate.host; };
    return owner(certificate.host) != nullptr || std::none_of(rest.rules.begin(), rest.rules.end(), has_host);
  });
  return rest;
}

}  // namespace adit::control
