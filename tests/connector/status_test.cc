#include "connector/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "connector/metrics.h"

namespace adit::connector::test {
namespace {

using testing::HasSubstr;

LinkStatus link(const std::string& state, const std::string& error = {}, int at = 0) {
  LinkStatus status;
  status.gateway = "edge.test:7443";
  status.state = state;
  status.last_error = error;
  status.last_error_at = std::chrono::system_clock::time_point(std::chrono::seconds(at));
  return status;
}

TEST(Readiness, NeedsOneLink) {
  std::vector<LinkStatus> links;
  EXPECT_FALSE(readiness(links));
  links.push_back(link("waiting", "connect: refused", 1));
  links.push_back(link("waiting", "tls: certificate refused", 2));
  links.push_back(link("dialing"));
  EXPECT_EQ(readiness(links).error(), "no link is up; gateway edge.test:7443: tls: certificate refused");
  links.push_back(link("up"));
  EXPECT_TRUE(readiness(links));
}

TEST(Readiness, SaysThatNothingHasHappenedYetOrAnyMore) {
  std::vector<LinkStatus> links;
  links.push_back(link("dialing"));
  EXPECT_EQ(readiness(links).error(), "no link is up yet");
  links[0] = link("stopped");
  EXPECT_EQ(readiness(links).error(), "no link is up: shutting down");
}

TEST(Status, IsJsonWithServicesAndLinks) {
  Options options;
  options.token_file = "/etc/token";
  ASSERT_TRUE(options.services.add(*parse_service("web=https://web?insecureSkipVerify=true")));
  const Identity identity{"4d21094e-b74c-4916-86c1-d9fa36ea677b", "blue", "0123"};
  std::vector<LinkStatus> links;
  auto up = link("up");
  up.gateway_id = "gw-1";
  up.round_trip = std::chrono::microseconds(250);
  links.push_back(up);
  links.push_back(link("waiting", "handshake: bytes \xff that are no text", 1));
  const LinkCoordinator::View coverage{{{"gw-1", 1, 4}}, 0, 4};
  const ProbedService probed{"web", "tcp", false, "refused"};
  const auto json = nlohmann::json::parse(status_json(options, identity, links, coverage, {probed}));
  EXPECT_EQ(json["services"][0]["healthy"], false);
  EXPECT_EQ(json["services"][0]["reason"], "refused");
  EXPECT_EQ(json["tunnel"], identity.tunnel);
  EXPECT_EQ(json["services"][0]["name"], "web");
  EXPECT_EQ(json["services"][0]["insecureSkipVerify"], true);
  EXPECT_EQ(json["gateways"], nlohmann::json::parse(R"([{"id": "gw-1", "links": 1, "wanted": 4}])"));
  EXPECT_EQ(json["links"][0]["gatewayId"], "gw-1");
  EXPECT_EQ(json["links"][0]["roundTripMicroseconds"], 250);
  EXPECT_FALSE(json["links"][0].contains("lastError"));
  EXPECT_THAT(json["links"][1]["lastError"].get<std::string>(), HasSubstr("handshake: bytes"));
  EXPECT_EQ(json["links"][1]["lastErrorAt"], "1970-01-01T00:00:01Z");
}

TEST(Metrics, CountLinksByGatewayAndFailuresByReason) {
  Options options;
  options.gateways.push_back(*parse_gateway_address("edge.test"));
  ASSERT_TRUE(options.services.add(*parse_service("web=http://web")));
  std::vector<LinkStatus> links;
  links.push_back(link("up"));
  links.push_back(link("waiting"));
  const LinkCoordinator::View coverage{{{"gw-1", 4, 4}, {"gw-2", 0, 4}, {"gw-3", 1, 0}}, 7, 8};
  ConnectorMetrics metrics;
  for (int worker = 0; worker < 2; ++worker) {
    metrics.push_back(std::make_unique<WorkerMetrics>(1));
    metrics.back()->dial_failed(Cause::connect_timeout).add();
    metrics.back()->lost(LinkLoss::silent).add();
    metrics.back()->not_offered.add();
    metrics.back()->services[0].streams.add(3);
  }
  telemetry::Registry registry;
  registry.add([&](telemetry::Families& families) {
    collect_links(options, links, coverage, families);
    collect(metrics, options.services, families);
  });
  const auto page = registry.text();
  for (const char* line :
       {"adit_connector_links{gateway=\"edge.test:7443\"} 1", "adit_connector_links_wanted 8",
        "adit_connector_gateways_known 3", "adit_connector_gateways_wanted 2", "adit_connector_gateways_covered 1",
        "adit_connector_surplus_links_total 7", "adit_connector_buffered_limit_bytes 268435456",
        "adit_connector_dials_total{result=\"connect_timeout\"} 2",
        "adit_connector_reconnects_total{cause=\"silent\"} 2", "adit_connector_streams_total{service=\"web\"} 6",
        "adit_connector_stream_failures_total{service=\"\",reason=\"not_offered\"} 2"}) {
    EXPECT_THAT(page, HasSubstr(line));
  }
}

}  // namespace
}  // namespace adit::connector::test
