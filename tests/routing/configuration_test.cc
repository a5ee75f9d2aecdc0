// Configurations: when two are the same, and the table of sets that contradict themselves.

#include "routing/configuration.h"

#include <functional>

#include "tests/routing/objects.h"

namespace adit::routing {
namespace {

std::shared_ptr<const Certificate> certificate(std::string fingerprint) {
  return std::make_shared<const Certificate>(Certificate{"a/tls", "chain", "key", std::move(fingerprint)});
}

TunnelConfiguration configuration(const std::string& id, std::vector<Rule> rules,
                                  std::vector<HostCertificate> certificates = {}) {
  return {std::make_shared<const Tunnel>(Tunnel{id, "a/" + id, {TokenHash{1}}}), std::move(rules),
          std::move(certificates)};
}

TunnelConfigurationPtr shared(TunnelConfiguration value) {
  return std::make_shared<const TunnelConfiguration>(std::move(value));
}

TEST(Configuration, SameInEveryPart) {
  const auto make = [] {
    return configuration("one", {{"x.io", "/", "web"}, {"x.io", "/api", "api", true}}, {{"x.io", certificate("f1")}});
  };
  EXPECT_TRUE(make() == make()) << "pointers do not count";

  using Change = std::function<void(TunnelConfiguration&, Tunnel&)>;
  const std::pair<const char*, Change> changes[] = {
      {"id", [](auto&, Tunnel& t) { t.id = "two"; }},
      {"name", [](auto&, Tunnel& t) { t.name = "b/one"; }},
      {"a token more", [](auto&, Tunnel& t) { t.tokens.push_back(TokenHash{2}); }},
      {"another token", [](auto&, Tunnel& t) { t.tokens[0] = TokenHash{2}; }},
      {"a rule less", [](auto& c, Tunnel&) { c.rules.pop_back(); }},
      {"host", [](auto& c, Tunnel&) { c.rules[0].host = "y.io"; }},
      {"path", [](auto& c, Tunnel&) { c.rules[1].path = "/v2"; }},
      {"service", [](auto& c, Tunnel&) { c.rules[0].service = "other"; }},
      {"visibility", [](auto& c, Tunnel&) { c.rules[1].is_private = false; }},
      {"weight", [](auto& c, Tunnel&) { c.rules[1].weight = 1; }},
      {"affinity", [](auto&, Tunnel& t) { t.affinity.mode = Affinity::Mode::address; }},
      {"no certificate", [](auto& c, Tunnel&) { c.certificates.clear(); }},
      {"host of the certificate", [](auto& c, Tunnel&) { c.certificates[0].host = "y.io"; }},
      {"certificate", [](auto& c, Tunnel&) { c.certificates[0].certificate = certificate("f2"); }},
  };
  for (const auto& [what, change] : changes) {
    TunnelConfiguration other = make();
    Tunnel tunnel = *other.tunnel;
    change(other, tunnel);
    other.tunnel = std::make_shared<const Tunnel>(tunnel);
    EXPECT_FALSE(make() == other) << what;
    EXPECT_FALSE(other == make()) << what;
  }
}

TEST(Configuration, TableOfNothing) {
  const auto table = build_table({});
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->find("x.io", "/"), nullptr);
}

TEST(Configuration, OfWhatContradictsItselfTheFirstStands) {
  const std::vector<TunnelConfigurationPtr> all = {
      shared(configuration("one", {{"x.io", "/", "first"}}, {{"x.io", certificate("f1")}})),
      shared(configuration("one", {{"y.io", "/", "same-id"}}, {{"x.io", certificate("f2")}})),
      shared(configuration("two", {{"x.io", "/api", "api"}, {"x.io", "/", "second"}, {"x.io", "/api", "again"}},
                           {{"x.io", certificate("f3")}, {"nobodys.io", certificate("f4")}})),
  };
  const auto table = build_table(all);
  EXPECT_EQ(table->tunnels(), 2U);
  EXPECT_EQ(table->routes(), 2U);
  EXPECT_EQ(table->find("x.io", "/")->service, "first");
  EXPECT_EQ(table->find("x.io", "/api")->service, "api");
  EXPECT_EQ(table->find("y.io", "/"), nullptr) << "the second of an id is left out whole";
  EXPECT_EQ(table->server_name("x.io").first()->fingerprint, "f1");
  EXPECT_FALSE(table->server_name("nobodys.io").only_private) << "a certificate makes no host";
}

TEST(Configuration, CertificateBeforeTheRulesOfItsHost) {
  const auto table = build_table(std::vector{shared(configuration("one", {}, {{"x.io", certificate("f1")}})),
                                             shared(configuration("two", {{"x.io", "/", "web"}}))});
  EXPECT_EQ(table->server_name("x.io").first()->fingerprint, "f1");
  EXPECT_EQ(table->server_name("x.io").tunnel->id, "one");
}

}  // namespace
}  // namespace adit::routing
