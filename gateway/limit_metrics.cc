#include "gateway/limit_metrics.h"

#include <vector>

namespace adit::gateway {

void collect_limits(const routing::Table& table, const EdgeSettings& settings, const TunnelGates& gates,
                    telemetry::Families& families) {
  families.gauge("adit_gateway_tunnels", "Tunnels that are configured.").add({}, table.tunnels());
  auto connections =
      families.gauge("adit_gateway_connections_limit", "Most connections of visitors; absent: any number.");
  if (settings.connections != 0) connections.add({}, settings.connections);

  struct Limited {
    const routing::Tunnel& tunnel;
    std::uint32_t connections;
  };
  const auto tunnels = table.all_tunnels();
  std::vector<Limited> limited;
  for (const auto& tunnel : tunnels) {
    const auto most = tunnel->limits.connections.value_or(settings.tunnel_limits.connections.value_or(0));
    if (most != 0) limited.push_back({*tunnel, most});
  }
  auto under_way = families.gauge("adit_gateway_tunnel_connections_open",
                                  "Requests and upgraded connections under way, of tunnels with a limit for them.");
  for (const auto& one : limited) under_way.add({{"tunnel", one.tunnel.name}}, gates.under_way(one.tunnel.id));
  auto limits = families.gauge("adit_gateway_tunnel_connections_limit", "The limit for those.");
  for (const auto& one : limited) limits.add({{"tunnel", one.tunnel.name}}, one.connections);
}

}  // namespace adit::gateway
