// Metrics of links and connectors, made from the directory and its history when somebody asks.

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "gateway/metrics.h"

namespace adit::gateway {
namespace {

using telemetry::Families;

/// All links of one connector instance, those that have ended included: so its counters never fall.
struct PerConnector {
  explicit PerConnector(ConnectorRecord&& from) : record(std::move(from)) {
    for (const auto& link : record.links) {
      record.bytes_in += link->bytes_in.load(std::memory_order_relaxed);
      record.bytes_out += link->bytes_out.load(std::memory_order_relaxed);
      record.streams += link->streams_opened.load(std::memory_order_relaxed);
      streams_open += link->streams_open.load(std::memory_order_relaxed);
      services_down = std::max(services_down, link->services_down.load(std::memory_order_relaxed));
      round_trip_us = std::max(round_trip_us, link->round_trip_us.load(std::memory_order_relaxed));
    }
  }

  ConnectorRecord record;
  std::uint64_t streams_open = 0;
  std::int64_t round_trip_us = 0;  ///< the longest
  std::uint32_t services_down = 0;
};

using Links = std::vector<LinkDirectory::Entry>;

/// A tunnel of the table without any link has 0 connectors: that is what somebody wants to be woken by.
void collect_by_tunnel(const Links& all, const routing::Table& table, Families& families) {
  struct PerTunnel {
    std::size_t links = 0;
    std::set<std::string> connectors;
    std::uint64_t open = 0;
  };
  std::map<std::string, PerTunnel> tunnels;
  for (const auto& entry : all) {
    auto& tunnel = tunnels[entry.link->tunnel_name];
    tunnel.open += entry.link->streams_open.load(std::memory_order_relaxed);
    if (entry.link->state.load() != LinkState::live) continue;
    tunnel.links += 1;
    tunnel.connectors.insert(entry.link->instance);
  }
  auto links = families.gauge("adit_gateway_links", "Live links of a tunnel.");
  for (const auto& [name, tunnel] : tunnels) links.add({{"tunnel", name}}, tunnel.links);
  const auto configured = table.all_tunnels();
  auto connectors = families.gauge("adit_gateway_connectors", "Connector instances with a live link, by tunnel.");
  for (const auto& tunnel : configured) {
    if (!tunnels.contains(tunnel->name)) connectors.add({{"tunnel", tunnel->name}}, 0);
  }
  for (const auto& [name, tunnel] : tunnels) connectors.add({{"tunnel", name}}, tunnel.connectors.size());
  auto open = families.gauge("adit_gateway_streams_open", "Streams open on the links of a tunnel, idle ones included.");
  for (const auto& [name, tunnel] : tunnels) open.add({{"tunnel", name}}, tunnel.open);
}

void collect_ends(const LinkHistory& history, Families& families) {
  const auto tunnels = history.tunnels();
  const auto by_cause = [&](const char* name, const char* help, auto counts_of) {
    auto family = families.counter(name, help);
    for (const auto& tunnel : tunnels) {
      const auto& counts = counts_of(tunnel);
      for (std::size_t i = 0; i < counts.size(); ++i) {
        family.add({{"tunnel", tunnel.tunnel}, {"cause", kLinkCauseNames[i]}}, counts[i]);
      }
    }
  };
  by_cause(
      "adit_gateway_links_ended_total", "Links that have ended, by cause.",
      [](const TunnelLinkEnds& ends) -> const auto& { return ends.ended; });
  by_cause(
      "adit_gateway_link_reconnects_total", "Links of connectors that had lost one before, by the cause of that end.",
      [](const TunnelLinkEnds& ends) -> const auto& { return ends.reconnects; });
}

/// Those that have a link, in the order in which they came first.
std::vector<PerConnector> connectors_of(const LinkHistory& history) {
  std::vector<PerConnector> connectors;
  for (auto& record : history.connectors()) {
    if (!record.links.empty()) connectors.emplace_back(std::move(record));
  }
  std::sort(connectors.begin(), connectors.end(), [](const auto& a, const auto& b) {
    return std::tie(a.record.first_connected, a.record.instance) <
           std::tie(b.record.first_connected, b.record.instance);
  });
  return connectors;
}

/// Cuts the list at what a page shows; returns the number of links that are not on it.
std::size_t limit(std::vector<PerConnector>& connectors) {
  std::map<std::string, std::size_t> of_tunnel;
  std::size_t listed = 0;
  std::size_t unlisted_links = 0;
  std::erase_if(connectors, [&](const PerConnector& connector) {
    const bool fits = listed < kMostConnectors && of_tunnel[connector.record.tunnel_id] < kMostConnectorsOfTunnel;
    if (!fits) {
      unlisted_links += connector.record.links.size();
      return true;
    }
    listed += 1;
    of_tunnel[connector.record.tunnel_id] += 1;
    return false;
  });
  return unlisted_links;
}

void collect_connectors(const std::vector<PerConnector>& connectors, Families& families) {
  const auto each = [&](telemetry::Family family, auto value_of) {
    for (const auto& connector : connectors) {
      const auto& record = connector.record;
      family.add({{"tunnel", record.tunnel}, {"connector", record.connector}, {"instance", record.instance}},
                 value_of(connector));
    }
  };
  each(families.gauge("adit_gateway_connector_links", "Links of a connector, whatever their state."),
       [](const auto& c) { return c.record.links.size(); });
  each(families.gauge("adit_gateway_connector_round_trip_seconds",
                      "The longest round trip of a connector's links; 0: not measured yet."),
       [](const auto& c) { return static_cast<double>(c.round_trip_us) / 1e6; });
  each(families.counter("adit_gateway_connector_received_bytes_total", "Bytes received on a connector's links."),
       [](const auto& c) { return c.record.bytes_in; });
  each(families.counter("adit_gateway_connector_sent_bytes_total", "Bytes sent on a connector's links."),
       [](const auto& c) { return c.record.bytes_out; });
  each(families.gauge("adit_gateway_connector_streams_open", "Streams open on a connector's links."),
       [](const auto& c) { return c.streams_open; });
  each(families.counter("adit_gateway_connector_streams_total", "Streams opened on a connector's links."),
       [](const auto& c) { return c.record.streams; });
  each(
      families.gauge("adit_gateway_connector_connected_timestamp_seconds",
                     "When a connector came first, in seconds since the Unix epoch."),
      [](const auto& c) { return std::chrono::duration<double>(c.record.first_connected.time_since_epoch()).count(); });
  each(families.gauge("adit_gateway_connector_services_down", "Services that a connector says are down."),
       [](const auto& c) { return c.services_down; });
  each(families.counter("adit_gateway_connector_reconnects_total",
                        "Links of a connector that came after it had lost one."),
       [](const auto& c) { return c.record.reconnects; });
}

}  // namespace

void collect_links(const LinkDirectory& directory, const routing::Table& table, Families& families) {
  const auto all = directory.all();
  collect_by_tunnel(all, table, families);
  collect_ends(directory.history(), families);
  auto connectors = connectors_of(directory.history());
  const auto unlisted = limit(connectors);
  collect_connectors(connectors, families);
  families.gauge("adit_gateway_unlisted_links", "Links of connectors that are too many to be listed one by one.")
      .add({}, unlisted);
}

}  // namespace adit::gateway
