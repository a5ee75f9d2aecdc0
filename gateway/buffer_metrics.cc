#include "gateway/buffer_metrics.h"

#include <map>

namespace adit::gateway {

void collect_buffers(const BufferBudgets& budgets, const LinkDirectory& directory, telemetry::Families& families) {
  struct OfTunnel {
    std::uint64_t buffered = 0;
    std::uint64_t windows = 0;
    std::uint64_t held_back = 0;
  };
  std::map<std::string, OfTunnel> tunnels;
  for (const auto& entry : directory.all()) {
    auto& tunnel = tunnels[entry.link->tunnel_name];
    tunnel.buffered += entry.link->buffered.load(std::memory_order_relaxed);
    tunnel.windows += entry.link->window_bytes.load(std::memory_order_relaxed);
    tunnel.held_back += entry.link->credit_withheld.load(std::memory_order_relaxed) ? 1 : 0;
  }
  auto buffered = families.gauge("adit_gateway_buffered_bytes",
                                 "Bytes from the connectors of a tunnel that visitors have not taken yet.");
  for (const auto& [name, tunnel] : tunnels) buffered.add({{"tunnel", name}}, tunnel.buffered);
  auto windows = families.gauge("adit_gateway_window_growth_bytes",
                                "What streams of a tunnel may hold beyond their first windows.");
  for (const auto& [name, tunnel] : tunnels) windows.add({{"tunnel", name}}, tunnel.windows);
  auto held_back = families.gauge("adit_gateway_links_held_back", "Links that get no credit: too much is buffered.");
  for (const auto& [name, tunnel] : tunnels) held_back.add({{"tunnel", name}}, tunnel.held_back);
  auto limits = families.gauge("adit_gateway_buffered_limit_bytes", "Most bytes that may be buffered, by level.");
  limits.add({{"level", "process"}}, budgets.limits().process);
  limits.add({{"level", "tunnel"}}, budgets.limits().tunnel);
  limits.add({{"level", "link"}}, budgets.limits().link);
}

}  // namespace adit::gateway
