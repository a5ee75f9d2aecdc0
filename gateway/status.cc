#include "gateway/status.h"

#include <map>
#include <set>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include "base/version.h"

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

Json link_json(const LinkDirectory::Entry& entry) {
  const auto& link = *entry.link;
  return {
      {"connector", link.connector},
      {"instance", link.instance},
      {"version", link.version},
      {"remote", link.remote},
      {"transport", name_of(link.transport)},
      {"since", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(link.since)))},
      {"state", state_name(link.state)},
      {"services", entry.services},
      {"worker", link.worker},
      {"streamsOpen", link.streams_open.load()},
      {"streamsOpened", link.streams_opened.load()},
      {"bytesIn", link.bytes_in.load()},
      {"bytesOut", link.bytes_out.load()},
      {"roundTripMicroseconds", link.round_trip_us.load()}};
}

Json operator_json(const OperatorStatus& status) {
  return {{"url", status.url},         {"connected", status.connected}, {"remote", status.remote},
          {"synced", status.synced},   {"version", status.version},     {"tunnels", status.tunnels},
          {"refused", status.refused}, {"problem", status.problem}};
}

}  // namespace

std::string status_json(const Shared& shared, bool draining, const std::optional<OperatorStatus>& with_operator) {
  std::map<std::string, std::vector<LinkDirectory::Entry>> links;
  for (auto& entry : shared.directory.all()) links[entry.link->tunnel_id].push_back(entry);
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
    tunnels.push_back(std::move(item));
  }
  Json status = {{"program", "adit-gateway"}, {"version", base::kVersion}, {"id", shared.gateway_id},
                 {"draining", draining},      {"routes", table->routes()}, {"tunnels", std::move(tunnels)}};
  if (with_operator) status["operator"] = operator_json(*with_operator);
  // Names that a connector gave need not be UTF-8.
  return status.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace adit::gateway
