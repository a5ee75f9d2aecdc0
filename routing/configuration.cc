#include "routing/configuration.h"

#include <algorithm>
#include <tuple>

#include "routing/table_builder.h"

namespace adit::routing {
namespace {

bool is_same(const Tunnel& a, const Tunnel& b) {
  return std::tie(a.id, a.name, a.tokens, a.limits, a.redirect_to_https, a.offline_page, a.affinity) ==
         std::tie(b.id, b.name, b.tokens, b.limits, b.redirect_to_https, b.offline_page, b.affinity);
}

bool is_same(const FiltersPtr& a, const FiltersPtr& b) { return a == b || (a && b && *a == *b); }

bool is_same(const HostCertificate& a, const HostCertificate& b) {
  return a.host == b.host && a.certificate->fingerprint == b.certificate->fingerprint;
}

}  // namespace

bool operator==(const Rule& a, const Rule& b) {
  return std::tie(a.host, a.path, a.service, a.is_private, a.weight) ==
             std::tie(b.host, b.path, b.service, b.is_private, b.weight) &&
         is_same(a.filters, b.filters);
}

bool operator==(const TunnelConfiguration& a, const TunnelConfiguration& b) {
  return is_same(*a.tunnel, *b.tunnel) && a.rules == b.rules &&
         std::equal(a.certificates.begin(), a.certificates.end(), b.certificates.begin(), b.certificates.end(),
                    [](const HostCertificate& x, const HostCertificate& y) { return is_same(x, y); });
}

std::shared_ptr<const Table> build_table(std::span<const TunnelConfigurationPtr> configurations) {
  TableBuilder builder;
  builder.reserve(configurations.size());
  std::vector<const TunnelConfiguration*> taken;
  taken.reserve(configurations.size());
  for (const auto& configuration : configurations) {
    if (!builder.add_tunnel(configuration->tunnel)) continue;
    taken.push_back(configuration.get());
    for (const Rule& rule : configuration->rules) {
      builder.add_route(
          {configuration->tunnel, rule.host, rule.path, rule.service, rule.is_private, rule.filters, rule.weight});
    }
  }
  // A certificate may stand before the rules of the host's other Tunnels.
  for (const TunnelConfiguration* configuration : taken) {
    for (const auto& [host, certificate] : configuration->certificates) {
      builder.add_certificate(host, certificate, configuration->tunnel);
    }
  }
  return builder.build();
}

}  // namespace adit::routing
