// What the compiler makes of filters, limits, logins and several key pairs, and what stays while a TLS Secret is bad.

#include "routing/compile.h"
#include "routing/digest.h"
#include "tests/routing/objects.h"
#include "tests/routing/test_ocsp.h"

namespace adit::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kHash = "$2y$10$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ01234";

std::map<std::string, std::string> rsa_data(const std::string& names) {
  const TestKey key = rsa_key(2048);
  return {{"tls.crt", certificate_pem(key, names)}, {"tls.key", key_pem(key)}};
}

SecretObject tls(const std::string& name, std::map<std::string, std::string> data) {
  return secret(name, "kubernetes.io/tls", std::move(data));
}

TunnelObject with_tls(TunnelObject object, std::vector<std::string> names) {
  object.tls_secrets = std::move(names);
  return object;
}

/// Its first route asks for a login from Secret `name`.
TunnelObject with_auth(TunnelObject object, const std::string& name) {
  Filters filters;
  filters.basic_auth = BasicAuth{"Staff", {}};
  object.routes[0].filters = std::make_shared<const Filters>(std::move(filters));
  object.routes[0].logins = {name, "spec.routes[0].filters[0].basicAuth.secretName", {}};
  return object;
}

std::vector<std::string> names_of(std::span<const std::shared_ptr<const Certificate>> certificates) {
  std::vector<std::string> names;
  for (const auto& certificate : certificates) names.push_back(certificate->name);
  return names;
}

TEST(CompileEdge, WhatATunnelSaysIsCarried) {
  TunnelObject object = tunnel("a/t", {"x.io", "x.io/api"});
  object.limits = {10, 0};
  object.redirect_to_https = true;
  object.offline_page = "<p>";
  Filters filters;
  filters.most_body = 5;
  object.routes[1].filters = std::make_shared<const Filters>(filters);
  const auto compiled = compile_table({{object}, {}}, {});
  const Route* route = compiled.table->find("x.io", "/api");
  EXPECT_EQ(route->filters, object.routes[1].filters) << "the very same";
  EXPECT_EQ(compiled.table->find("x.io", "/")->filters, nullptr);
  EXPECT_EQ(route->tunnel->limits, (TunnelLimits{10, 0}));
  EXPECT_TRUE(route->tunnel->redirect_to_https);
  EXPECT_EQ(route->tunnel->offline_page, "<p>");
}

TEST(CompileEdge, LoginsComeFromTheirSecret) {
  const Objects objects{{with_auth(tunnel("a/t", {"x.io"}), "staff")},
                        {secret("a/staff", "Opaque", {{"auth", "ann:" + kHash}})}};
  const auto compiled = compile_table(objects, {});
  EXPECT_THAT(texts(compiled.problems), IsEmpty());
  EXPECT_EQ(compiled.table->find("x.io", "/")->filters->basic_auth, (BasicAuth{"Staff", {{"ann", kHash}}}));
  EXPECT_EQ(*compile(objects, {}).outcomes[0].configuration, *compiled.outcomes[0].configuration);
}

TEST(CompileEdge, WithoutLoginsNobodyGetsIn) {
  const std::tuple<SecretObject, std::string, ProblemKind> cases[] = {
      {secret("b/staff", "Opaque", {{"auth", "ann:" + kHash}}), "Secret a/staff does not exist: nobody can log in",
       ProblemKind::secret_missing},
      {secret("a/staff", "Opaque", {{"auth", "ann:" + kHash + "\nbob:secret"}}),
       "Secret a/staff has line 2 of auth, which must have a bcrypt hash", ProblemKind::secret_invalid},
      {secret("a/staff", "adit.dev/connector-token", {{"token", "0123456789abcdef"}}), "not Opaque",
       ProblemKind::secret_invalid},
  };
  for (const auto& [object, reason, kind] : cases) {
    const auto compiled = compile_table({{with_auth(tunnel("a/t", {"x.io"}), "staff")}, {object}}, {});
    ASSERT_THAT(compiled.problems, SizeIs(1)) << reason;
    EXPECT_EQ(compiled.problems[0].field, "spec.routes[0].filters[0].basicAuth.secretName");
    EXPECT_THAT(compiled.problems[0].reason, HasSubstr(reason));
    EXPECT_EQ(compiled.problems[0].kind, kind);
    const Route* route = compiled.table->find("x.io", "/");
    ASSERT_TRUE(route->filters && route->filters->basic_auth) << "the login is still asked for";
    EXPECT_THAT(route->filters->basic_auth->logins, IsEmpty());
  }
}

TEST(CompileEdge, LoginsOfAllRoutesAreLimited) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "u" + std::to_string(i) + ":" + kHash + "\n";
  TunnelObject object = tunnel("a/t", {});
  for (int i = 0; i < 11; ++i) {
    object.routes.push_back(with_auth(tunnel("a/t", {"x.io/" + std::to_string(i)}), "staff").routes[0]);
  }
  const auto compiled = compile_table({{object}, {secret("a/staff", "Opaque", {{"auth", many}})}}, {});
  ASSERT_THAT(compiled.problems, SizeIs(1));
  EXPECT_THAT(compiled.problems[0].reason, HasSubstr("to more than 10000"));
  std::size_t logins = 0;
  for (const auto& rule : compiled.outcomes[0].configuration->rules) logins += rule.filters->basic_auth->logins.size();
  EXPECT_EQ(logins, 10'000U);
}

TEST(CompileEdge, KeyPairsOfDifferentTypesStandSideBySide) {
  const auto compiled = compile_table({{with_tls(tunnel("a/t", {"x.io", "*"}), {"ec", "rsa"})},
                                       {tls("a/ec", tls_data("DNS:x.io")), tls("a/rsa", rsa_data("DNS:x.io"))}},
                                      {});
  EXPECT_THAT(texts(compiled.problems), IsEmpty());
  EXPECT_THAT(names_of(compiled.table->server_name("x.io").certificates), ElementsAre("a/ec", "a/rsa"));
  EXPECT_THAT(names_of(compiled.table->default_certificates()), ElementsAre("a/ec", "a/rsa"));
}

TEST(CompileEdge, OfOneTypeTheFirstIsServed) {
  const auto compiled =
      compile_table({{with_tls(tunnel("a/t", {"x.io", "y.io"}), {"one", "two"})},
                     {tls("a/one", tls_data("DNS:x.io,DNS:y.io")), tls("a/two", tls_data("DNS:x.io"))}},
                    {});
  ASSERT_THAT(texts(compiled.problems), SizeIs(1));
  EXPECT_EQ(compiled.problems[0].field, "spec.tls.secretNames[1]");
  EXPECT_THAT(compiled.problems[0].reason, HasSubstr("Secret a/two has a key of type EC as Secret a/one has"));
  EXPECT_THAT(names_of(compiled.table->server_name("x.io").certificates), ElementsAre("a/one"));
}

TEST(CompileEdge, EachKeyPairIsAskedWhetherItCovers) {
  const auto compiled = compile_table({{with_tls(tunnel("a/t", {"x.io"}), {"ec", "rsa"})},
                                       {tls("a/ec", tls_data("DNS:x.io")), tls("a/rsa", rsa_data("DNS:y.io"))}},
                                      {});
  ASSERT_THAT(texts(compiled.problems), SizeIs(1));
  EXPECT_EQ(compiled.problems[0].field, "spec.tls.secretNames[1]");
  EXPECT_EQ(compiled.problems[0].kind, ProblemKind::certificate_mismatch);
  EXPECT_THAT(names_of(compiled.table->server_name("x.io").certificates), ElementsAre("a/ec", "a/rsa"));
}

TEST(CompileEdge, OneOfTwoKeyPairsIsMissing) {
  const auto compiled =
      compile_table({{with_tls(tunnel("a/t", {"x.io"}), {"gone", "rsa"})}, {tls("a/rsa", rsa_data("DNS:x.io"))}}, {});
  ASSERT_THAT(texts(compiled.problems), SizeIs(1));
  EXPECT_EQ(compiled.problems[0].field, "spec.tls.secretNames[0]");
  EXPECT_THAT(names_of(compiled.table->server_name("x.io").certificates), ElementsAre("a/rsa"));
}

TEST(CompileEdge, AnAddressIsCoveredByTheAddressOfACertificate) {
  const auto problems = [](const std::string& host, const std::string& names) {
    return texts(compile({{with_tls(tunnel("a/t", {host}), {"s"})}, {tls("a/s", tls_data(names))}}, {}).problems);
  };
  EXPECT_THAT(problems("[2001:db8::1]", "IP:2001:db8::1"), IsEmpty());
  EXPECT_THAT(problems("192.0.2.7", "IP:192.0.2.7"), IsEmpty());
  EXPECT_THAT(problems("192.0.2.7", "DNS:192.0.2.7"), SizeIs(1));
  EXPECT_THAT(problems("[2001:db8::1]", "IP:2001:db8::2"), SizeIs(1));
}

TEST(CompileEdge, ABadStapleIsAWarningAndIsLeftOut) {
  const TestKey key = ec_key();
  const auto chain = certificate_pem(key, "DNS:x.io");
  const std::map<std::string, std::string> data = {{"tls.crt", chain}, {"tls.key", key_pem(key)}};
  const auto with_staple = [&](const std::string& staple) {
    auto all = data;
    all["tls.ocsp-staple"] = staple;
    return compile({{with_tls(tunnel("a/t", {"x.io"}), {"s"})}, {tls("a/s", all)}}, {});
  };
  const auto good = with_staple(ocsp_response(chain, chain, key));
  EXPECT_THAT(texts(good.problems), IsEmpty());
  EXPECT_THAT(good.outcomes[0].configuration->certificates.at(0).certificate->ocsp, testing::Not(IsEmpty()));
  const auto bad = with_staple("hello");
  ASSERT_THAT(bad.problems, SizeIs(1));
  EXPECT_TRUE(bad.problems[0].warning);
  EXPECT_EQ(bad.problems[0].kind, ProblemKind::staple_invalid);
  EXPECT_THAT(bad.problems[0].reason, HasSubstr("none is stapled"));
  const auto certificates = bad.outcomes[0].configuration->certificates;
  ASSERT_THAT(certificates, SizeIs(1));
  EXPECT_EQ(certificates[0].certificate->ocsp, "");
}

/// One Tunnel with one TLS Secret, compiled again and again as an installation does.
class BadKeyPair : public testing::Test {
 protected:
  /// The fingerprint in force; empty when there is none.
  std::string in_force() {
    compiled_ = compile(objects_, {}, memo_);
    const auto& certificates = compiled_.outcomes[0].configuration->certificates;
    return certificates.empty() ? "" : certificates[0].certificate->fingerprint;
  }

  Objects objects_{{with_tls(tunnel("a/t", {"x.io"}), {"s"})}, {tls("a/s", tls_data("DNS:x.io"))}};
  std::map<std::string, std::string>& data_ = objects_.secrets[0].data;
  KeyPairs memo_;
  Compiled compiled_;
};

TEST_F(BadKeyPair, TakesNothingAway) {
  const auto good = data_;
  const auto first = in_force();
  const std::map<std::string, std::string> bad[] = {
      {{"tls.crt", good.at("tls.crt")}, {"tls.key", tls_data("DNS:x.io").at("tls.key")}},
      {{"tls.crt", "hello"}, {"tls.key", good.at("tls.key")}},
      {{"tls.crt", good.at("tls.crt")}},
      {},
  };
  for (const auto& data : bad) {
    data_ = data;
    EXPECT_EQ(in_force(), first);
    EXPECT_EQ(in_force(), first) << "nor in the next compilation";
    ASSERT_THAT(compiled_.problems, SizeIs(1));
    EXPECT_EQ(compiled_.problems[0].kind, ProblemKind::secret_invalid);
    EXPECT_FALSE(compiled_.problems[0].warning);
    EXPECT_THAT(compiled_.problems[0].reason, HasSubstr("; its former key pair stays in service"));
    EXPECT_FALSE(compiled_.outcomes[0].lacks_key_pair);
  }
  data_ = tls_data("DNS:x.io");
  EXPECT_NE(in_force(), first) << "repaired";
  EXPECT_THAT(compiled_.problems, IsEmpty());
}

TEST_F(BadKeyPair, ThatNeverWasGoodIsNone) {
  data_.erase("tls.key");
  EXPECT_EQ(in_force(), "");
  EXPECT_TRUE(compiled_.outcomes[0].lacks_key_pair);
}

TEST_F(BadKeyPair, WhoseSecretIsDeletedGoes) {
  const auto first = in_force();
  auto secret = objects_.secrets[0];
  objects_.secrets.clear();
  EXPECT_EQ(in_force(), "");
  EXPECT_EQ(compiled_.problems.at(0).kind, ProblemKind::secret_missing);
  secret.data.erase("tls.key");
  objects_.secrets.push_back(secret);
  EXPECT_EQ(in_force(), "") << "what came after it has no past";
}

}  // namespace
}  // namespace adit::routing
