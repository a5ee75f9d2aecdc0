// What the operator is told of links.

#include "gateway/link_reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/gateway_feed.h"

namespace adit::gateway::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

LinkDirectory::Entry link(const std::string& tunnel, const std::string& instance, std::vector<std::string> services,
                          LinkState state = LinkState::live) {
  auto info = std::make_shared<LinkInfo>();
  info->tunnel_id = tunnel;
  info->instance = instance;
  info->connector = "home";
  info->state = state;
  return {info, std::move(services)};
}

/// Each report as "TUNNEL: INSTANCE=SERVICE,… …".
std::vector<std::string> told(LinkReports& reports) {
  std::vector<std::string> all;
  while (const auto text = reports.next_message()) {
    const auto message = control::read_gateway_message(*text);
    const auto& links = std::get<control::LinksMessage>(**message);
    auto line = links.id + ":";
    for (const auto& connector : links.connectors) {
      line += " " + connector.instance + "=";
      for (const auto& service : connector.services) line += service + ",";
    }
    all.push_back(line);
  }
  return all;
}

TEST(LinkReports, TellWhatHasChanged) {
  LinkReports reports;
  reports.update({link("t1", "i", {"web"}), link("t2", "i", {})});
  EXPECT_THAT(told(reports), ElementsAre("t1: i=web,", "t2: i="));
  reports.update({link("t1", "i", {"web"}), link("t2", "i", {"api"})});
  EXPECT_THAT(told(reports), ElementsAre("t2: i=api,"));
  reports.update({link("t2", "i", {"api"})});
  reports.update({link("t2", "i", {"api"})});
  EXPECT_THAT(told(reports), ElementsAre("t1:"));
  EXPECT_THAT(told(reports), IsEmpty());
}

TEST(LinkReports, OneConnectorForAllLinksOfAnInstance) {
  LinkReports reports;
  reports.update({link("t", "b", {"web"}), link("t", "a", {"web"}), link("t", "b", {"api", "web"})});
  EXPECT_THAT(told(reports), ElementsAre("t: a=web, b=api,web,"));
}

TEST(LinkReports, OnlyLinksThatCarryStreamsCount) {
  LinkReports reports;
  reports.update({link("t", "starting", {}, LinkState::starting), link("t", "over", {"web"}, LinkState::over)});
  EXPECT_THAT(told(reports), IsEmpty());
  reports.update({link("t", "live", {"web"}), link("t", "doubtful", {"web"}, LinkState::suspect)});
  EXPECT_THAT(told(reports), ElementsAre("t: doubtful=web, live=web,"));
}

TEST(LinkReports, NewSessionIsToldAll) {
  LinkReports reports;
  reports.update({link("t1", "i", {"web"}), link("t2", "i", {"web"})});
  told(reports);
  reports.update({link("t2", "i", {"web"})});
  reports.restart();
  EXPECT_THAT(told(reports), ElementsAre("t2: i=web,")) << "of t1 there is nothing to tell any more";
}

TEST(LinkReports, TenantCannotMakeThemTooLarge) {
  LinkReports reports;
  std::vector<LinkDirectory::Entry> links;
  for (int i = 0; i < 3000; ++i) {
    links.push_back(link("t", std::to_string(i) + std::string(5000, '\xff'), {std::string(253, '\1')}));
  }
  reports.update(links);
  const auto text = reports.next_message();
  ASSERT_TRUE(text);
  EXPECT_LT(text->size(), control::kMostMessageBytes);
  control::ConfigurationLog log(1);
  control::GatewayFeed feed(log);
  ASSERT_TRUE(feed.take(write(control::GatewayMessage(control::HelloMessage{"g", "0.1.0", {}}))));
  auto named = *text;
  named.replace(named.find("\"t\""), 3, "\"4d21094e-b74c-4916-86c1-d9fa36ea677b\"");
  const auto taken = feed.take(named);
  EXPECT_TRUE(taken) << taken.error().message;
}

}  // namespace
}  // namespace adit::gateway::test
