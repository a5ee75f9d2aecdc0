#include "connector/status.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/utc.h"
#include "base/version.h"

namespace adit::connector {
namespace {

using Json = nlohmann::ordered_json;

/// RFC 3339 in UTC; null for a time that was never set.
Json time_json(std::chrono::system_clock::time_point time) {
  if (time == std::chrono::system_clock::time_point{}) return nullptr;
  return base::utc_text(time);
}

Json link_json(const LinkStatus& link) {
  Json json{{"slot", link.slot}, {"gateway", link.gateway}, {"state", link.state}, {"since", time_json(link.since)}};
  if (link.state == "up") {
    json["gatewayId"] = link.gateway_id;
    json["remote"] = link.remote;
    json["transport"] = link.transport;
    json["roundTripMicroseconds"] = link.round_trip.count();
    json["bytesIn"] = link.bytes_in;
    json["bytesOut"] = link.bytes_out;
    json["streamsOpen"] = link.streams_open;
    json["streamsOpened"] = link.streams_opened;
  }
  json["retiring"] = link.retiring;
  if (!link.last_error.empty()) {
    json["lastError"] = link.last_error;
    json["lastErrorAt"] = time_json(link.last_error_at);
    json["lastCause"] = link.last_cause;
    if (!link.last_fix.empty()) json["lastFix"] = link.last_fix;
  }
  return json;
}

Json service_json(const Service& service, const std::vector<ProbedService>& probed) {
  Json json{{"name", service.name}, {"url", service.url}};
  if (service.tls && service.tls->insecure_skip_verify) json["insecureSkipVerify"] = true;
  const auto found =
      std::find_if(probed.begin(), probed.end(), [&](const auto& item) { return item.name == service.name; });
  if (found == probed.end()) return json;
  json["probe"] = found->probe;
  json["healthy"] = found->healthy;
  json["healthChangedAt"] = time_json(found->since);
  if (!found->healthy) json["reason"] = found->reason;
  return json;
}

/// Texts of others (reasons, host names) may not be UTF-8.
std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

base::Result<void> readiness(const std::vector<LinkStatus>& links) {
  LinkStatus latest;
  for (const auto& link : links) {
    if (link.state == "up") return {};
    if (link.last_error_at >= latest.last_error_at) latest = link;
  }
  if (latest.state == "stopped" && latest.last_error.empty()) return base::Error{"no link is up: shutting down"};
  if (latest.last_error.empty()) return base::Error{"no link is up yet"};
  return base::Error{"no link is up; gateway " + latest.gateway + ": " + latest.last_error};
}

std::string status_json(const Options& options, const Identity& identity, const std::vector<LinkStatus>& links,
                        const LinkCoordinator::View& coverage, const std::vector<ProbedService>& probed) {
  Json json{{"program", "adit-connector"},
            {"version", base::kVersion},
            {"tunnel", identity.tunnel},
            {"name", identity.name},
            {"instance", identity.instance},
            {"insecure", options.insecure},
            {"proxy", options.proxy.proxy ? Json(options.proxy.proxy->text()) : Json(nullptr)},
            {"services", Json::array()},
            {"gateways", Json::array()},
            {"links", Json::array()}};
  for (const auto& service : options.services.services()) json["services"].push_back(service_json(service, probed));
  for (const auto& row : coverage.gateways) {
    json["gateways"].push_back({{"id", row.gateway}, {"links", row.held}, {"wanted", row.wanted}});
  }
  for (const auto& link : links) json["links"].push_back(link_json(link));
  return dump(json);
}

void collect_links(const Options& options, const std::vector<LinkStatus>& links, const LinkCoordinator::View& coverage,
                   telemetry::Families& families) {
  auto up = families.gauge("adit_connector_links", "Links that are up.");
  for (const auto& gateway : options.gateways) {
    const auto is_up = [&](const LinkStatus& link) { return link.gateway == gateway.text() && link.state == "up"; };
    up.add({{"gateway", gateway.text()}}, std::count_if(links.begin(), links.end(), is_up));
  }
  std::uint64_t buffered = 0;
  for (const auto& link : links) buffered += link.buffered;
  families.gauge("adit_connector_buffered_bytes", "Bytes from gateways that services have not taken yet.")
      .add({}, buffered);
  families.gauge("adit_connector_buffered_limit_bytes", "Most bytes that may be buffered.")
      .add({}, options.most_buffered);
  unsigned gateways = 0;
  unsigned covered = 0;
  for (const auto& row : coverage.gateways) {
    gateways += row.wanted > 0 ? 1 : 0;
    covered += row.wanted > 0 && row.held > 0 ? 1 : 0;
  }
  families.gauge("adit_connector_links_wanted", "Links to keep, to all gateways together.").add({}, coverage.slots);
  families.gauge("adit_connector_gateways_known", "Gateways that were named.").add({}, coverage.gateways.size());
  families.gauge("adit_connector_gateways_wanted", "Those of them to which links are kept.").add({}, gateways);
  families.gauge("adit_connector_gateways_covered", "Those of them to which a link is held.").add({}, covered);
  families.counter("adit_connector_surplus_links_total", "Links that were closed since there were enough.")
      .add({}, coverage.surplus);
}

}  // namespace adit::connector
