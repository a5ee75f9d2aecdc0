// What is remembered of links, and what is shown of connectors.

#include "gateway/link_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/certificate_expiry.h"
#include "gateway/link_directory.h"
#include "gateway/metrics.h"
#include "tests/routing/objects.h"

namespace adit::gateway::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Histories : public testing::Test {
 protected:
  std::shared_ptr<LinkInfo> begin(const std::string& instance, const std::string& tunnel = "t") {
    auto info = std::make_shared<LinkInfo>();
    info->id = directory_.next_id();
    info->tunnel_id = tunnel;
    info->tunnel_name = "team/" + tunnel;
    info->connector = "home";
    info->instance = instance;
    info->since = now_;
    info->state = LinkState::live;
    directory_.add(info);
    return info;
  }
  void end(const std::shared_ptr<LinkInfo>& link, LinkCause cause = LinkCause::lost, std::string_view why = "why") {
    directory_.history().ended(*link, cause, why);
    directory_.remove(link->id, link->tunnel_id);
  }
  ConnectorRecord record(const std::string& instance) {
    for (auto& record : directory_.history().connectors()) {
      if (record.instance == instance) return record;
    }
    return {};
  }
  std::string page() {
    telemetry::Registry registry;
    registry.add([this](telemetry::Families& families) { collect_links(directory_, *table_, families); });
    return registry.text();
  }

  ConnectorRecord::Time now_{std::chrono::hours(1)};
  LinkDirectory directory_;
  std::shared_ptr<const routing::Table> table_ = routing::compile_table({}, {}).table;
};

TEST_F(Histories, TotalsOutliveTheLinks) {
  const auto first = begin("i");
  first->bytes_in = 100;
  first->streams_opened = 3;
  end(first, LinkCause::silent, "the peer is silent");
  auto known = record("i");
  EXPECT_TRUE(known.links.empty());
  EXPECT_EQ(known.bytes_in, 100U);
  EXPECT_EQ(known.streams, 3U);
  EXPECT_EQ(known.reason, "the peer is silent");
  now_ += std::chrono::minutes(1);
  begin("i")->bytes_in = 11;
  known = record("i");
  EXPECT_EQ(known.links.size(), 1U);
  EXPECT_EQ(known.reconnects, 1U);
  EXPECT_EQ(known.last_connected - known.first_connected, std::chrono::minutes(1));
  EXPECT_THAT(page(), HasSubstr("adit_gateway_connector_received_bytes_total{tunnel=\"team/t\",connector=\"home\","
                                "instance=\"i\"} 111\n"));
  EXPECT_THAT(page(), HasSubstr("adit_gateway_link_reconnects_total{tunnel=\"team/t\",cause=\"silent\"} 1\n"));
  EXPECT_THAT(page(), HasSubstr("adit_gateway_links_ended_total{tunnel=\"team/t\",cause=\"silent\"} 1\n"));
}

TEST_F(Histories, AnotherLinkIsNoReconnect) {
  begin("i");
  begin("i");
  EXPECT_EQ(record("i").reconnects, 0U);
  const auto third = begin("i");
  end(third);
  begin("i");
  begin("i");
  EXPECT_EQ(record("i").reconnects, 1U);
  EXPECT_EQ(record("i").links.size(), 4U);
}

TEST_F(Histories, WhoIsGoneLongestIsForgottenFirst) {
  for (std::size_t i = 0; i < LinkHistory::kMostGoneOfTunnel + 10; ++i) end(begin(std::to_string(i)));
  EXPECT_EQ(directory_.history().connectors().size(), LinkHistory::kMostGoneOfTunnel);
  EXPECT_EQ(record("0").instance, "");
  EXPECT_EQ(record("59").instance, "59");
  begin("59");
  end(begin("more"));
  EXPECT_EQ(record("59").links.size(), 1U) << "those that are there are not forgotten";
}

TEST_F(Histories, AllTunnelsTogetherAreBounded) {
  for (std::size_t i = 0; i < LinkHistory::kMostGone + 10; ++i) {
    end(begin(std::to_string(i), "t" + std::to_string(i / 10)));
  }
  EXPECT_EQ(directory_.history().connectors().size(), LinkHistory::kMostGone);
}

TEST_F(Histories, ReasonsAreBounded) {
  end(begin("i"), LinkCause::misbehaved, std::string(100'000, 'x'));
  EXPECT_LE(record("i").reason.size(), 200U);
}

TEST_F(Histories, TunnelsThatAreGoneAreForgotten) {
  end(begin("gone"));
  const auto live = begin("live");
  directory_.history().forget_gone(*routing::compile_table({}, {}).table);
  EXPECT_EQ(record("gone").instance, "");
  EXPECT_EQ(record("live").links.size(), 1U);
  EXPECT_TRUE(directory_.history().tunnels().empty());
  end(live);
}

TEST_F(Histories, SeriesOfConnectorsAreBounded) {
  for (std::size_t i = 0; i < kMostConnectorsOfTunnel + 7; ++i) {
    begin("i" + std::to_string(i));
    now_ += std::chrono::seconds(1);
  }
  begin("other", "u");
  const auto text = page();
  EXPECT_THAT(text, HasSubstr("adit_gateway_unlisted_links 7\n"));
  EXPECT_THAT(text, HasSubstr("instance=\"i99\""));
  EXPECT_THAT(text, Not(HasSubstr("instance=\"i100\""))) << "those that came first stay";
  EXPECT_THAT(text, HasSubstr("instance=\"other\"")) << "of another tunnel";
  EXPECT_THAT(text, HasSubstr("adit_gateway_links{tunnel=\"team/t\"} 107\n")) << "counted all the same";
}

TEST_F(Histories, ATunnelWithoutAConnectorIsShown) {
  routing::Objects objects;
  objects.tunnels = {routing::tunnel("team/t", {"t.test"}), routing::tunnel("team/lonely", {"l.test"})};
  table_ = routing::compile_table(objects, {}).table;
  begin("i");
  const auto text = page();
  EXPECT_THAT(text, HasSubstr("adit_gateway_connectors{tunnel=\"team/t\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("adit_gateway_connectors{tunnel=\"team/lonely\"} 0\n"));
}

TEST(TunnelMetrics, CellsOfATunnelAreSmall) { EXPECT_LE(sizeof(TunnelCells), 256U); }

TEST(TunnelMetrics, TunnelsThatAreGoneAreNoLongerShown) {
  TunnelMetrics metrics;
  const auto held = metrics.cells("t", "team/t");
  metrics.forget_gone(*routing::compile_table({}, {}).table);
  std::size_t shown = 0;
  metrics.for_each([&](const TunnelCells&) { ++shown; });
  EXPECT_EQ(shown, 0U);
  held->requests[2].add();  // an exchange under way may still count
}

TEST(CertificateExpiry, OfNoCertificate) {
  for (const auto* text : {"", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    EXPECT_EQ(expiry_of(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace adit::gateway::test
