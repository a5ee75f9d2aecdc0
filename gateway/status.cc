#include "gateway/status.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include "base/version.h"
#include "gateway/peers.h"

namespace adit::gateway {
namespace {

using Json = nlohmann::ordered_json;

std::string_view state_name(LinkState state) {
  switch (state) {
    case LinkState::starting:
      return "starting";
    case LinkState::live:
      return "live";
    case LinkState::suspect:
      return "suspect";
    case LinkState::over:
      return "leaving";
  }
  return "";
}

using Wall = std::chrono::system_clock;

/// RFC 3339 in UTC.
std::string time_text(Wall::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(Wall::to_time_t(time)));
}

/// Of a time on the steady clock; null if that was never.
Json past_json(base::TimePoint time) {
  if (time == base::TimePoint{}) return nullptr;
  return time_text(Wall::now() - std::chrono::duration_cast<Wall::duration>(base::Clock::now() - time));
}

/// A number of bytes for people: "1.5 MiB".
std::string size_text(std::uint64_t bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024; ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

/// name → why
Json down_json(const std::vector<ServiceDown>& services) {
  auto json = Json::object();
  for (const auto& service : services) json[service.name] = service.reason;
  return json;
}

Json link_json(const LinkDirectory::Entry& entry) {
  const auto& link = *entry.link;
  const auto in = link.bytes_in.load();
  const auto out = link.bytes_out.load();
  return {{"connector", link.connector},
          {"instance", link.instance},
          {"version", link.version},
          {"remote", link.remote},
          {"transport", name_of(link.transport)},
          {"since", time_text(link.since)},
          {"state", state_name(link.state)},
          {"services", entry.services},
          {"servicesDown", down_json(entry.down)},
          {"worker", link.worker},
          {"requests", link.requests.load()},
          {"streamsOpen", link.streams_open.load()},
          {"streamsOpened", link.streams_opened.load()},
          {"bytesIn", in},
          {"bytesOut", out},
          {"received", size_text(in)},
          {"sent", size_text(out)},
          {"roundTripMicroseconds", link.round_trip_us.load()},
          {"lastHeard", past_json(link.last_received.load())},
          {"lastPing", past_json(link.last_ping.load())}};
}

/// A connector that has links, or had some.
Json connector_json(const ConnectorRecord& record) {
  auto in = record.bytes_in;
  auto out = record.bytes_out;
  for (const auto& link : record.links) {
    in += link->bytes_in;
    out += link->bytes_out;
  }
  Json json = {{"connector", record.connector},
               {"instance", record.instance},
               {"version", record.version},
               {"remote", record.remote},
               {"connected", !record.links.empty()},
               {"links", record.links.size()},
               {"firstConnected", time_text(record.first_connected)},
               {"lastConnected", time_text(record.last_connected)},
               {"reconnects", record.reconnects},
               {"bytesIn", in},
               {"bytesOut", out},
               {"received", size_text(in)},
               {"sent", size_text(out)}};
  if (record.links.empty()) json["gone"] = time_text(record.gone);
  if (record.ended != 0) {
    json["lastEnd"] = name_of(record.cause);
    json["lastReason"] = record.reason;
  }
  return json;
}

/// Those that are there first, then by when they came first.
Json connectors_json(std::vector<ConnectorRecord>& records) {
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return std::tuple(a.links.empty(), a.first_connected, std::string_view(a.instance)) <
           std::tuple(b.links.empty(), b.first_connected, std::string_view(b.instance));
  });
  auto items = Json::array();
  for (const auto& record : records) items.push_back(connector_json(record));
  return items;
}

Json operator_json(const OperatorStatus& status) {
  return {{"url", status.url},         {"connected", status.connected}, {"remote", status.remote},
          {"synced", status.synced},   {"version", status.version},     {"tunnels", status.tunnels},
          {"refused", status.refused}, {"problem", status.problem}};
}

Json peers_json(const PeersStatus& status) {
  auto items = Json::array();
  for (const auto& peer : status.peers) {
    Json item = {{"address", peer.address}, {"state", peer.state}, {"id", peer.id}, {"lastError", peer.last_error}};
    if (peer.state == "up") {
      item.update({{"ready", peer.ready},
                   {"leaving", peer.leaving},
                   {"since", time_text(peer.since)},
                   {"tunnels", peer.tunnels},
                   {"streamsOpen", peer.streams_open},
                   {"streamsOpened", peer.streams_opened},
                   {"bytesIn", peer.bytes_in},
                   {"bytesOut", peer.bytes_out}});
    }
    items.push_back(std::move(item));
  }
  return items;
}

/// Those that have dialled this gateway.
Json guests_json(const PeersStatus& status) {
  auto items = Json::array();
  for (const auto& guest : status.guests) {
    items.push_back({{"id", guest.id},
                     {"version", guest.version},
                     {"remote", guest.remote},
                     {"since", time_text(guest.since)},
                     {"streamsOpen", guest.streams_open},
                     {"bytesIn", guest.bytes_in},
                     {"bytesOut", guest.bytes_out}});
  }
  return items;
}

}  // namespace

std::string status_json(const Shared& shared, bool draining, const std::optional<OperatorStatus>& with_operator) {
  std::map<std::string, std::vector<LinkDirectory::Entry>> links;
  for (auto& entry : shared.directory.all()) links[entry.link->tunnel_id].push_back(entry);
  std::map<std::string, std::vector<ConnectorRecord>> known;
  for (auto& record : shared.directory.history().connectors()) known[record.tunnel_id].push_back(std::move(record));
  const auto table = shared.table.get();
  auto tunnels = Json::array();
  for (const auto& tunnel : table->all_tunnels()) {
    Json item = {{"name", tunnel->name}, {"id", tunnel->id}};
    std::set<std::string> instances;
    auto items = Json::array();
    for (const auto& entry : links[tunnel->id]) {
      if (entry.link->state == LinkState::live) instances.insert(entry.link->instance);
      items.push_back(link_json(entry));
    }
    item["connectors"] = instances.size();
    item["links"] = std::move(items);
    item["knownConnectors"] = connectors_json(known[tunnel->id]);
    tunnels.push_back(std::move(item));
  }
  Json status = {{"program", "adit-gateway"}, {"version", base::kVersion}, {"id", shared.gateway_id},
                 {"draining", draining},      {"routes", table->routes()}, {"tunnels", std::move(tunnels)}};
  if (with_operator) status["operator"] = operator_json(*with_operator);
  if (shared.peers != nullptr) {
    const auto peers = shared.peers->status();
    status["peers"] = peers_json(peers);
    status["peerLinksAccepted"] = guests_json(peers);
  }
  // Names that a connector gave need not be UTF-8.
  return status.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace adit::gateway
