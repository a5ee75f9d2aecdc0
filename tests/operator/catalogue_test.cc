#include "operator/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/digest.h"
#include "tests/operator/objects.h"
#include "tests/routing/test_certificate.h"

namespace adit::controller {
namespace {

using kube::Json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kHash = "$2y$10$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ01234";
constexpr const char* kId = "4d21094e-b74c-4916-86c1-d9fa36ea677b";

SecretState present(Json object) {
  return {SecretState::Kind::present, std::make_shared<const Json>(std::move(object)), {}};
}

SecretState token() {
  return present(secret_object("shop-connector", "adit.dev/connector-token",
                               {{"token", routing::encode_base64("0123456789abcdef")}}));
}

Json edited(Json tunnel, const std::string& host) {
  tunnel["metadata"]["generation"] = kube::generation_of(tunnel) + 1;
  tunnel["spec"]["routes"][0]["host"] = host;
  return tunnel;
}

class CatalogueTest : public testing::Test {
 protected:
  void SetUp() override {
    EXPECT_TRUE(catalogue_.set_tunnel(tunnel_));
    catalogue_.set_secret("team-a/shop-connector", token());
  }
  Catalogue catalogue_;
  Json tunnel_ = tunnel_object();
};

TEST_F(CatalogueTest, CompilesWhatItHas) {
  EXPECT_THAT(catalogue_.named_secrets(), ElementsAre("team-a/shop-connector"));
  EXPECT_FALSE(catalogue_.is_waiting());
  const auto compilation = catalogue_.compile();
  ASSERT_THAT(compilation.configurations, SizeIs(1));
  EXPECT_EQ(compilation.configurations[0]->tunnel->id, kId);
  EXPECT_THAT(compilation.configurations[0]->tunnel->tokens, SizeIs(1));
  EXPECT_THAT(compilation.changed, ElementsAre("team-a/shop"));
  EXPECT_EQ(compilation.facts.at("team-a/shop")->generation, 1);
}

TEST_F(CatalogueTest, TellsOnlyWhatChanged) {
  const auto first = catalogue_.compile();
  Json other = edited(tunnel_object(), "other.example.com");
  other["metadata"]["name"] = "other";
  other["metadata"]["uid"] = "00000000-0000-0000-0000-000000000001";
  EXPECT_TRUE(catalogue_.set_tunnel(other));
  const auto second = catalogue_.compile();
  EXPECT_THAT(second.changed, ElementsAre("team-a/other"));
  EXPECT_EQ(second.facts.at("team-a/shop"), first.facts.at("team-a/shop"));  // the same, not only equal
  EXPECT_TRUE(catalogue_.erase_tunnel("team-a/shop"));
  EXPECT_FALSE(catalogue_.erase_tunnel("team-a/shop"));
  EXPECT_THAT(catalogue_.compile().changed, ElementsAre("team-a/shop"));
}

TEST_F(CatalogueTest, ANamesakeThatIsRefusedKeepsNothingOfItsPredecessor) {
  catalogue_.compile();
  Json namesake = tunnel_object("not a host");
  namesake["metadata"]["uid"] = "00000000-0000-4000-8000-000000000001";
  namesake["spec"]["routes"] = "nonsense";
  EXPECT_TRUE(catalogue_.set_tunnel(namesake));
  const auto compilation = catalogue_.compile();
  EXPECT_THAT(compilation.configurations, IsEmpty());
  EXPECT_EQ(std::count(compilation.keep.begin(), compilation.keep.end(), kId), 0);
  EXPECT_EQ(compilation.facts.at("team-a/shop")->id, "00000000-0000-4000-8000-000000000001");
}

TEST_F(CatalogueTest, StatusAndAnnotationsCallForNothing) {
  catalogue_.compile();
  tunnel_["status"]["connectors"] = 5;
  tunnel_["metadata"]["annotations"]["a"] = "b";
  tunnel_["metadata"]["resourceVersion"] = "8";
  EXPECT_FALSE(catalogue_.set_tunnel(tunnel_));
}

TEST_F(CatalogueTest, ABadGenerationKeepsTheGoodOneInForce) {
  catalogue_.compile();
  EXPECT_TRUE(catalogue_.set_tunnel(edited(tunnel_, "no host!")));
  const auto compilation = catalogue_.compile();
  const auto& facts = *compilation.facts.at("team-a/shop");
  EXPECT_EQ(facts.generation, 2);
  EXPECT_THAT(facts.refused, SizeIs(1));
  ASSERT_THAT(compilation.configurations, SizeIs(1));
  EXPECT_EQ(compilation.configurations[0]->rules[0].host, "shop.example.com");
  EXPECT_THAT(compilation.keep, IsEmpty());
}

TEST(CatalogueOfANewLeader, ABadGenerationIsKeptAsGatewaysHaveIt) {
  Catalogue catalogue;
  catalogue.set_tunnel(edited(tunnel_object(), "no host!"));
  const auto compilation = catalogue.compile();
  EXPECT_THAT(compilation.configurations, IsEmpty());
  EXPECT_THAT(compilation.keep, ElementsAre(kId));
}

TEST(CatalogueOfANewLeader, WhatABadGenerationHeldIsNotTakenByOthers) {
  Catalogue catalogue;
  Json bad = edited(tunnel_object(), "no host!");
  bad["status"] = {{"hosts", Json::array({"shop.example.com", "two.example.com"})},
                   {"sharedRoutes", Json::array({"two.example.com/api"})}};
  Json other = tunnel_object();
  other["metadata"]["namespace"] = "team-b";
  other["metadata"]["uid"] = "00000000-0000-0000-0000-000000000004";
  other["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z";
  catalogue.restore({recorded_claim(bad), recorded_claim(other)});
  catalogue.set_tunnel(bad);
  catalogue.set_tunnel(other);
  for (const char* name : {"team-a/shop-connector", "team-b/shop-connector"}) {
    catalogue.set_secret(name, {SecretState::Kind::absent, nullptr, {}});
  }
  const auto compilation = catalogue.compile();
  EXPECT_THAT(compilation.facts.at("team-b/shop")->outcome.hosts, IsEmpty());
  const auto& facts = *compilation.facts.at("team-a/shop");
  EXPECT_THAT(facts.outcome.hosts, ElementsAre("shop.example.com", "two.example.com"));  // its status goes on saying so
  EXPECT_EQ(facts.outcome.configuration, nullptr);
  EXPECT_THAT(compilation.keep, ElementsAre(kId));
  catalogue.set_tunnel(edited(bad, "shop.example.com"));
  catalogue.set_secret("team-a/shop-connector", {SecretState::Kind::absent, nullptr, {}});
  EXPECT_THAT(catalogue.compile().configurations, SizeIs(2));
}

TEST_F(CatalogueTest, ANamesakeStartsFromNothing) {
  catalogue_.compile();
  Json namesake = edited(tunnel_, "no host!");
  namesake["metadata"]["uid"] = "00000000-0000-0000-0000-000000000002";
  EXPECT_TRUE(catalogue_.set_tunnel(namesake));
  EXPECT_THAT(catalogue_.compile().configurations, IsEmpty());
}

TEST_F(CatalogueTest, SecretsThatCannotBeToldKeepTheTunnelAsItIs) {
  catalogue_.set_secret("team-a/shop-connector", {});
  EXPECT_TRUE(catalogue_.is_waiting());
  auto compilation = catalogue_.compile();
  EXPECT_THAT(compilation.keep, ElementsAre(kId));
  EXPECT_TRUE(compilation.facts.at("team-a/shop")->waiting);
  catalogue_.set_secret("team-a/shop-connector", {SecretState::Kind::unreadable, nullptr, "forbidden"});
  compilation = catalogue_.compile();
  EXPECT_FALSE(catalogue_.is_waiting());
  EXPECT_THAT(compilation.keep, ElementsAre(kId));
  EXPECT_THAT(compilation.configurations, IsEmpty());
  EXPECT_FALSE(compilation.facts.at("team-a/shop")->waiting);
  EXPECT_THAT(compilation.facts.at("team-a/shop")->unreadable,
              ElementsAre("Secret team-a/shop-connector cannot be read: forbidden"));
}

TEST_F(CatalogueTest, AnAbsentSecretIsTold) {
  catalogue_.set_secret("team-a/shop-connector", {SecretState::Kind::absent, nullptr, {}});
  const auto compilation = catalogue_.compile();
  EXPECT_THAT(compilation.configurations, SizeIs(1));  // routes stand; nobody can link
  ASSERT_THAT(compilation.facts.at("team-a/shop")->outcome.problems, SizeIs(1));
  EXPECT_EQ(compilation.facts.at("team-a/shop")->outcome.problems[0].kind, routing::ProblemKind::secret_missing);
}

TEST_F(CatalogueTest, NamesEverySecretOfATunnel) {
  tunnel_["metadata"]["generation"] = 2;
  tunnel_["spec"]["tls"] = {{"secretNames", Json::array({"ec", "rsa"})}};
  tunnel_["spec"]["routes"][0]["filters"] =
      Json::array({{{"type", "BasicAuth"}, {"basicAuth", {{"secretName", "staff"}}}}});
  EXPECT_TRUE(catalogue_.set_tunnel(tunnel_));
  EXPECT_THAT(catalogue_.named_secrets(),
              ElementsAre("team-a/ec", "team-a/rsa", "team-a/shop-connector", "team-a/staff"));
  EXPECT_TRUE(catalogue_.is_waiting());
  for (const char* name : {"team-a/ec", "team-a/rsa", "team-a/staff"}) {
    EXPECT_THAT(catalogue_.compile().keep, ElementsAre(kId)) << name;
    catalogue_.set_secret(name, {SecretState::Kind::absent, nullptr, {}});
  }
  EXPECT_FALSE(catalogue_.is_waiting());
  const auto compilation = catalogue_.compile();
  ASSERT_THAT(compilation.configurations, SizeIs(1));
  const auto& filters = compilation.configurations[0]->rules[0].filters;
  ASSERT_TRUE(filters && filters->basic_auth);
  EXPECT_THAT(filters->basic_auth->logins, IsEmpty());
  catalogue_.set_secret("team-a/staff",
                        present(secret_object("staff", "Opaque", {{"auth", routing::encode_base64("ann:" + kHash)}})));
  EXPECT_THAT(catalogue_.compile().configurations[0]->rules[0].filters->basic_auth->logins, SizeIs(1));
}

/// What becomes of a key pair when its Secret turns bad.
class TlsSecret : public CatalogueTest {
 protected:
  void SetUp() override {
    tunnel_["spec"]["tls"] = {{"secretName", "shop-tls"}};
    CatalogueTest::SetUp();
  }
  void set_pair(const std::map<std::string, std::string>& data) {
    Json encoded = Json::object();
    for (const auto& [key, value] : data) encoded[key] = routing::encode_base64(value);
    catalogue_.set_secret("team-a/shop-tls", present(secret_object("shop-tls", "kubernetes.io/tls", encoded)));
  }
  /// Another leader took over from one that had all this in force.
  void inherit() {
    Json recorded = tunnel_;
    recorded["status"]["hosts"] = Json::array({"shop.example.com"});
    catalogue_.restore({recorded_claim(recorded)});
  }
  std::string certificate_in_force() {
    const auto compilation = catalogue_.compile();
    if (compilation.configurations.empty()) return "kept";
    const auto& certificates = compilation.configurations[0]->certificates;
    return certificates.empty() ? "" : certificates[0].certificate->fingerprint;
  }

  const std::map<std::string, std::string> good_ = routing::tls_data("DNS:shop.example.com");
  const std::map<std::string, std::string> bad_ = {{"tls.crt", good_.at("tls.crt")}, {"tls.key", "nonsense"}};
};

TEST_F(TlsSecret, ThatTurnsBadTakesNothingAway) {
  set_pair(good_);
  const auto first = certificate_in_force();
  set_pair(bad_);
  EXPECT_EQ(certificate_in_force(), first);
  const auto& problems = catalogue_.compile().facts.at("team-a/shop")->outcome.problems;
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].kind, routing::ProblemKind::secret_invalid);
  catalogue_.set_secret("team-a/shop-tls", {SecretState::Kind::absent, nullptr, {}});
  EXPECT_EQ(certificate_in_force(), "") << "who deletes it, withdraws it";
}

TEST_F(TlsSecret, ThatIsBadWhenALeaderComesIsKeptAsGatewaysHaveIt) {
  inherit();
  set_pair(bad_);
  EXPECT_EQ(certificate_in_force(), "kept");
  const auto compilation = catalogue_.compile();
  EXPECT_THAT(compilation.keep, ElementsAre(kId));
  EXPECT_TRUE(compilation.facts.at("team-a/shop")->keeps_key_pair);
  set_pair(good_);
  const auto first = certificate_in_force();
  EXPECT_NE(first, "kept");
  EXPECT_FALSE(catalogue_.compile().facts.at("team-a/shop")->keeps_key_pair);
  set_pair(bad_);
  EXPECT_EQ(certificate_in_force(), first) << "from now on it is known here, too";
}

TEST_F(TlsSecret, OfAFormerTermIsNotTrustedToBeTheLatest) {
  set_pair(good_);
  catalogue_.compile();
  inherit();
  set_pair(bad_);
  EXPECT_EQ(certificate_in_force(), "kept") << "the leader in between may have read a newer one";
}

TEST_F(TlsSecret, ThatNeverWasGoodHoldsNothingUp) {
  set_pair(bad_);
  EXPECT_EQ(certificate_in_force(), "") << "a new Tunnel serves HTTP";
}

TEST_F(CatalogueTest, ManyComeAndGoInAnyOrder) {
  constexpr int kMany = 50;
  const auto object = [](int i) {
    const auto number = std::to_string(i);
    Json tunnel = tunnel_object("h" + number + ".example.com");
    tunnel["metadata"]["name"] = "t" + number;
    tunnel["metadata"]["uid"] = "00000000-0000-0000-0000-" + std::string(12 - number.size(), '0') + number;
    return tunnel;
  };
  for (int i = 0; i < kMany; ++i) catalogue_.set_tunnel(object(i));
  for (int i = 0; i < kMany; i += 2) EXPECT_TRUE(catalogue_.erase_tunnel("team-a/t" + std::to_string(i)));
  const auto compilation = catalogue_.compile();
  EXPECT_THAT(compilation.facts, SizeIs(kMany / 2 + 1));
  for (int i = 1; i < kMany; i += 2) {
    const auto& facts = *compilation.facts.at("team-a/t" + std::to_string(i));
    EXPECT_THAT(facts.outcome.hosts, ElementsAre("h" + std::to_string(i) + ".example.com"));
  }
}

TEST(Restored, HoldersOfFormerTermsKeepTheirHosts) {
  Catalogue catalogue;
  Json old = tunnel_object();
  Json holder = tunnel_object();
  holder["metadata"]["namespace"] = "team-b";
  holder["metadata"]["uid"] = "00000000-0000-0000-0000-000000000003";
  holder["metadata"]["creationTimestamp"] = "2026-06-01T00:00:00Z";  // younger, but it held the host
  holder["status"]["hosts"] = Json::array({"shop.example.com"});
  catalogue.restore({recorded_claim(old), recorded_claim(holder)});
  catalogue.set_tunnel(old);
  catalogue.set_tunnel(holder);
  const auto compilation = catalogue.compile();
  EXPECT_THAT(compilation.facts.at("team-b/shop")->outcome.hosts, ElementsAre("shop.example.com"));
  EXPECT_THAT(compilation.facts.at("team-a/shop")->outcome.hosts, IsEmpty());
}

}  // namespace
}  // namespace adit::controller
