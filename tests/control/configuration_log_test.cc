// The operator's log: what gets a new counter, and what is forgotten.

#include "control/configuration_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/gateway_feed.h"
#include "tests/control/tunnels.h"

namespace adit::control::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Set = std::vector<TunnelConfigurationPtr>;
using Ids = std::vector<std::string>;

TEST(ConfigurationLog, OnlyWhatDiffersGetsANewCounter) {
  ConfigurationLog log(3);
  EXPECT_FALSE(log.is_filled());
  const auto a = tunnel("a", {"a.example.com"});
  const auto b = tunnel("b", {"b.example.com"});
  EXPECT_THAT(log.update(Set{a, b}, {}), ElementsAre(id_of("a"), id_of("b")));
  EXPECT_TRUE(log.is_filled());
  EXPECT_EQ(log.head(), (Version{3, 2}));
  EXPECT_THAT(log.update(Set{a, b}, {}), IsEmpty());
  EXPECT_THAT(log.update(Set{tunnel("a", {"a.example.com"}), tunnel("b", {"b.example.com"})}, {}), IsEmpty())
      << "equal values";
  EXPECT_EQ(log.head(), (Version{3, 2}));
  EXPECT_THAT(log.update(Set{b, tunnel("a", {"a.example.com"}, "other")}, {}), ElementsAre(id_of("a")));
  EXPECT_EQ(log.version_of(id_of("a")), (Version{3, 3}));
  EXPECT_EQ(log.version_of(id_of("b")), (Version{3, 2}));
  EXPECT_EQ(log.configuration_of(id_of("b")), b);
  EXPECT_EQ(log.version_of(id_of("c")), std::nullopt);
  EXPECT_EQ(log.tunnels(), 2U);
}

TEST(ConfigurationLog, RenewedCertificateIsAChange) {
  ConfigurationLog log(1);
  const auto with = [](const std::shared_ptr<const routing::Certificate>& key) {
    return Set{tunnel("a", {"a.example.com"}, "default", {{"a.example.com", key}})};
  };
  const auto key = certificate("DNS:a.example.com");
  log.update(with(key), {});
  EXPECT_THAT(log.update(with(std::make_shared<const routing::Certificate>(*key)), {}), IsEmpty());
  EXPECT_THAT(log.update(with(certificate("DNS:a.example.com")), {}), ElementsAre(id_of("a")));
}

TEST(ConfigurationLog, RemovedOnesAreTombstonesWhileSomebodyNeedsThem) {
  ConfigurationLog log(1);
  log.update(Set{tunnel("a", {"a.example.com"})}, {});
  {
    const GatewayFeed behind(log);
    log.update({}, {});
    EXPECT_EQ(log.tombstones(), 1U);
    EXPECT_EQ(log.tunnels(), 0U);
    EXPECT_EQ(log.configuration_of(id_of("a")), nullptr);
    EXPECT_EQ(log.version_of(id_of("a")), (Version{1, 2}));
    const GatewayFeed began_later(log);
    EXPECT_EQ(log.tombstones(), 1U);
  }
  EXPECT_EQ(log.tombstones(), 0U) << "nobody is behind it any more";
  EXPECT_EQ(log.version_of(id_of("a")), std::nullopt);
  log.update(Set{tunnel("a", {"a.example.com"})}, {});
  EXPECT_EQ(log.version_of(id_of("a")), (Version{1, 3})) << "counters never come again";
}

TEST(ConfigurationLog, KeptOnesStayAsTheyAre) {
  ConfigurationLog log(1);
  const auto a = tunnel("a", {"a.example.com"});
  EXPECT_THAT(log.update(Set{a}, Ids{id_of("b")}), UnorderedElementsAre(id_of("a"), id_of("b")));
  EXPECT_THAT(log.update({}, Ids{id_of("a"), id_of("b")}), IsEmpty());
  EXPECT_EQ(log.configuration_of(id_of("a")), a);
  EXPECT_EQ(log.configuration_of(id_of("b")), nullptr);
  EXPECT_THAT(log.update(Set{a}, Ids{id_of("a")}), ElementsAre(id_of("b"))) << "b is gone; a is in both";
  const GatewayFeed feed(log);
  log.update({}, {});
  EXPECT_THAT(log.update({}, Ids{id_of("a")}), IsEmpty()) << "it is gone: there is nothing to keep";
}

}  // namespace
}  // namespace adit::control::test
