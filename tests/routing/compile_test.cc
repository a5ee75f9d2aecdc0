#include "routing/compile.h"

#include "routing/connector_token.h"
#include "routing/digest.h"
#include "tests/routing/objects.h"
#include "tests/routing/test_certificate.h"

namespace adit::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kToken = "0123456789abcdef";

SecretObject token_secret(const std::string& name, std::string token = kToken) {
  return secret(name, "adit.dev/connector-token", {{"token", std::move(token)}});
}

TunnelObject with_token(TunnelObject object) {
  object.token_secrets = {object.meta.name + "-connector"};
  return object;
}

TunnelObject with_tls(TunnelObject object, std::string name) {
  object.tls_secrets = {std::move(name)};
  return object;
}

TEST(Compile, Nothing) {
  const CompiledTable compiled = compile_table({}, {});
  ASSERT_NE(compiled.table, nullptr);
  EXPECT_EQ(compiled.table->find("x.io", "/"), nullptr);
  EXPECT_THAT(compiled.problems, IsEmpty());
  EXPECT_THAT(compiled.holders, IsEmpty());
}

TEST(Compile, TunnelWithToken) {
  const CompiledTable compiled =
      compile_table({{with_token(tunnel("a/t", {"x.io", "x.io/api!"}))}, {token_secret("a/t-connector")}}, {});
  EXPECT_THAT(texts(compiled.problems), IsEmpty());
  EXPECT_EQ(compiled.table->tunnels(), 1U);
  EXPECT_EQ(compiled.table->routes(), 2U);
  const auto* found = compiled.table->tunnel(default_tunnel_id("a/t"));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ((*found)->name, "a/t");
  EXPECT_THAT((*found)->tokens, ElementsAre(sha256({kToken})));
  EXPECT_EQ(compiled.table->tunnel("other"), nullptr);
  EXPECT_THAT(compiled.table->all_tunnels(), ElementsAre(*found));
  EXPECT_TRUE(compiled.table->find("x.io", "/api")->is_private);
}

TEST(Compile, TokenProblems) {
  const std::tuple<SecretObject, std::string_view> cases[] = {
      {token_secret("b/t-connector"), "Secret a/t-connector does not exist"},
      {secret("a/t-connector", "Opaque", {{"Token", kToken}}), "Secret a/t-connector has no key \"token\""},
      {secret("a/t-connector", "kubernetes.io/tls", {{"token", kToken}}), "not adit.dev/connector-token"},
      {token_secret("a/t-connector", "0123456789abcde\n"), "shorter than 16"},
      {token_secret("a/t-connector", std::string(5000, 'x')), "longer than 4096"},
      {token_secret("a/t-connector", "0123456789 abcdef"), "other characters"},
      {token_secret("a/t-connector", "0123456789abcdef\n\n"), "other characters"},
  };
  for (const auto& [object, reason] : cases) {
    const CompiledTable compiled = compile_table({{with_token(tunnel("a/t", {"x.io"}))}, {object}}, {});
    EXPECT_THAT(texts(compiled.problems),
                ElementsAre(testing::AllOf(HasSubstr("Tunnel a/t: spec.connectorTokens: "), HasSubstr(reason))));
    const Route* route = compiled.table->find("x.io", "/");
    ASSERT_NE(route, nullptr) << "the tunnel still routes";
    EXPECT_THAT(route->tunnel->tokens, IsEmpty());
  }
}

TEST(Compile, FinalLineBreakIsNoPartOfAToken) {
  for (const auto* end : {"", "\n", "\r\n"}) {
    EXPECT_THAT(*read_connector_token(token_secret("a/s", kToken + end)), ElementsAre(sha256({kToken})));
  }
}

TEST(Compile, BothTokensCountWhileOneIsReplaced) {
  const std::string former = "fedcba9876543210";
  const auto read = [](const std::string& previous) {
    return read_connector_token(
        secret("a/s", "adit.dev/connector-token", {{"token", kToken}, {"previous-token", previous}}));
  };
  EXPECT_THAT(*read(former + "\n"), ElementsAre(sha256({kToken}), sha256({former})));
  EXPECT_THAT(*read(""), ElementsAre(sha256({kToken})));
  EXPECT_THAT(read("short").error(), HasSubstr("has a previous-token shorter than 16"));
  EXPECT_FALSE(read_connector_token(secret("a/s", "Opaque", {{"previous-token", former}}))) << "the token is needed";
}

TEST(Compile, TwoTokensOfWhichOneIsMissing) {
  TunnelObject object = tunnel("a/t", {"x.io"});
  object.token_secrets = {"gone", "here"};
  const CompiledTable compiled = compile_table({{object}, {token_secret("a/here")}}, {});
  EXPECT_THAT(texts(compiled.problems),
              ElementsAre(HasSubstr("spec.connectorTokens[0].secretName: Secret a/gone does not exist")));
  EXPECT_THAT(compiled.table->find("x.io", "/")->tunnel->tokens, SizeIs(1));
}

TEST(Compile, EachProblemHasItsKind) {
  TunnelObject second = tunnel("a/dup", {"w.io"});
  second.id = default_tunnel_id("a/t");
  const Objects objects{
      {with_token(tunnel("a/t", {"x.io"})), with_token(tunnel("b/t", {"x.io"})), second, tunnel("a/u", {"x.io"}),
       with_tls(tunnel("a/v", {"v.io"}), "gone"), with_tls(tunnel("a/w", {"w.io"}), "broken"),
       with_tls(tunnel("a/y", {"y.io"}), "z"), tunnel("a/y", {"z.io"})},
      {secret("a/broken", "kubernetes.io/tls", {}), token_secret("b/t-connector", "short"),
       secret("a/z", "kubernetes.io/tls", tls_data("DNS:z.io"))}};
  const auto compiled = compile(objects, {{"x.io", {"a/t"}}});
  std::vector<std::pair<std::string, ProblemKind>> kinds;
  for (const Outcome& outcome : compiled.outcomes) {
    for (const Problem& problem : outcome.problems) kinds.emplace_back(outcome.name, problem.kind);
  }
  using enum ProblemKind;
  EXPECT_THAT(kinds, testing::ElementsAreArray(std::vector<std::pair<std::string, ProblemKind>>{
                         {"a/t", secret_missing},
                         {"b/t", secret_invalid},
                         {"b/t", host_held},
                         {"a/dup", duplicate_id},
                         {"a/u", path_held},
                         {"a/v", secret_missing},
                         {"a/w", secret_invalid},
                         {"a/y", certificate_mismatch},
                         {"a/y", duplicate},
                     }));
  EXPECT_EQ(compiled.problems.size(), kinds.size());
}

TEST(Compile, OutcomesStandInTheOrderOfTheObjects) {
  TunnelObject second = tunnel("c/dup", {"w.io"});
  second.id = default_tunnel_id("b/t");
  const auto compiled =
      compile({{tunnel("b/t", {"y.io", "x.io/b", "x.io/a"}), second, tunnel("b/s", {"x.io/c"})}, {}}, {});
  ASSERT_THAT(compiled.outcomes, SizeIs(3));
  const Outcome& first = compiled.outcomes[0];
  EXPECT_EQ(first.name, "b/t");
  ASSERT_NE(first.configuration, nullptr);
  EXPECT_THAT(first.configuration->rules,
              ElementsAre(Rule{"x.io", "/a", "b/t"}, Rule{"x.io", "/b", "b/t"}, Rule{"y.io", "/", "b/t"}));
  EXPECT_THAT(first.hosts, ElementsAre("x.io", "y.io"));
  EXPECT_THAT(first.shared, ElementsAre("x.io/a", "x.io/b")) << "y.io is its own";
  EXPECT_EQ(compiled.outcomes[1].configuration, nullptr);
  EXPECT_THAT(compiled.outcomes[1].hosts, IsEmpty());
  EXPECT_THAT(compiled.outcomes[2].shared, ElementsAre("x.io/c"));
  EXPECT_THAT(configurations(compiled), SizeIs(2));
}

TEST(Compile, KeyPairsAreReadOnce) {
  Objects objects{{with_tls(tunnel("a/t", {"x.io"}), "tls"), with_tls(tunnel("a/u", {"y.io"}), "tls")},
                  {secret("a/tls", "kubernetes.io/tls", tls_data("DNS:x.io,DNS:y.io"))}};
  KeyPairs memo;
  const auto shown = [&] { return compile(objects, {}, memo).outcomes[1].configuration->certificates[0].certificate; };
  const auto first = shown();
  EXPECT_EQ(shown(), first) << "the very same";
  objects.secrets[0].data = tls_data("DNS:x.io,DNS:y.io");
  const auto second = shown();
  EXPECT_NE(second->fingerprint, first->fingerprint) << "renewed";
  objects.secrets[0].data.erase("tls.key");
  EXPECT_THAT(compile(objects, {}, memo).outcomes[0].problems, SizeIs(1));
  EXPECT_EQ(memo.size(), 1U);
  objects.tunnels.clear();
  compile(objects, {}, memo);
  EXPECT_EQ(memo.size(), 0U) << "nobody names it any more";
}

TEST(Compile, DuplicateObjects) {
  TunnelObject first = tunnel("a/t", {"x.io"});
  first.meta.place = {std::make_shared<const std::string>("one.yaml"), 3};
  const CompiledTable compiled =
      compile_table({{first, tunnel("a/t", {"y.io"})}, {token_secret("a/s"), token_secret("a/s")}}, {});
  EXPECT_THAT(texts(compiled.problems),
              ElementsAre(HasSubstr("Secret a/s: metadata.name: is defined already"),
                          HasSubstr("Tunnel a/t: metadata.name: is defined already in one.yaml line 3")));
  EXPECT_NE(compiled.table->find("x.io", "/"), nullptr);
  EXPECT_EQ(compiled.table->find("y.io", "/"), nullptr);
}

TEST(Compile, DuplicateIdIsRefusedWhole) {
  TunnelObject thief = tunnel("0/thief", {"y.io"});
  thief.id = default_tunnel_id("a/t");
  const CompiledTable first = compile_table({{tunnel("a/t", {"x.io"})}, {}}, {});
  const CompiledTable second = compile_table({{thief, tunnel("a/t", {"x.io"})}, {}}, first.holders);
  EXPECT_THAT(texts(second.problems),
              ElementsAre(HasSubstr("Tunnel 0/thief: spec.id: " + thief.id + " is the id of Tunnel a/t already")));
  EXPECT_EQ(second.table->find("y.io", "/"), nullptr);
  EXPECT_EQ((*second.table->tunnel(thief.id))->name, "a/t");
  const CompiledTable third = compile_table({{thief}, {}}, second.holders);
  EXPECT_EQ((*third.table->tunnel(thief.id))->name, "0/thief") << "takes over when the holder goes";
}

TEST(Compile, CertificateOfTheHostsHolder) {
  const Objects objects{{with_tls(tunnel("a/t", {"x.io", "*.y.io"}), "tls")},
                        {secret("a/tls", "kubernetes.io/tls", tls_data("DNS:x.io,DNS:*.y.io"))}};
  const CompiledTable compiled = compile_table(objects, {});
  EXPECT_THAT(texts(compiled.problems), IsEmpty());
  for (const auto* name : {"x.io", "X.IO", "s.y.io"}) {
    const ServerName found = compiled.table->server_name(name);
    ASSERT_NE(found.first(), nullptr) << name;
    EXPECT_EQ(found.first()->name, "a/tls");
    EXPECT_EQ(found.tunnel->name, "a/t");
    EXPECT_FALSE(found.only_private);
  }
  EXPECT_EQ(compiled.table->server_name("y.io").first(), nullptr);
  EXPECT_EQ(compiled.table->default_certificates(), CertificateList{});
}

TEST(Compile, NoCertificateForAForeignHost) {
  const Objects objects{{tunnel("a/t", {"bank.io"}), with_tls(tunnel("b/thief", {"bank.io", "b.io"}), "tls")},
                        {secret("b/tls", "kubernetes.io/tls", tls_data("DNS:bank.io,DNS:b.io"))}};
  const CompiledTable compiled = compile_table(objects, {});
  EXPECT_EQ(compiled.table->server_name("bank.io").first(), nullptr);
  EXPECT_NE(compiled.table->server_name("b.io").first(), nullptr);
}

TEST(Compile, NoCertificateFromAWildcardForAForeignExactHost) {
  const Holders before = {{"s.x.io", {"b/t"}}};
  const Objects objects{{with_tls(tunnel("a/t", {"*.x.io"}), "tls"), tunnel("b/t", {"s.x.io"})},
                        {secret("a/tls", "kubernetes.io/tls", tls_data("DNS:*.x.io"))}};
  const CompiledTable compiled = compile_table(objects, before);
  EXPECT_EQ(compiled.table->server_name("s.x.io").first(), nullptr);
  EXPECT_NE(compiled.table->server_name("r.x.io").first(), nullptr);
}

TEST(Compile, SharedHostTakesTheOldestCertificate) {
  const Objects objects{
      {tunnel("a/one", {"x.io"}), with_tls(tunnel("a/two", {"x.io/2"}, "2026-01-01T00:00:00Z"), "tls2"),
       with_tls(tunnel("a/three", {"x.io/3"}, "2026-02-01T00:00:00Z"), "tls3")},
      {secret("a/tls2", "kubernetes.io/tls", tls_data("DNS:x.io")),
       secret("a/tls3", "kubernetes.io/tls", tls_data("DNS:x.io"))}};
  const CompiledTable compiled = compile_table(objects, {{"x.io", {"a/one", "a/two", "a/three"}}});
  EXPECT_EQ(compiled.table->server_name("x.io").first()->name, "a/tls2");
  EXPECT_EQ(compiled.table->server_name("x.io").tunnel->name, "a/two");
}

TEST(Compile, CertificateProblems) {
  struct Case {
    std::vector<SecretObject> secrets;
    std::string_view reason;
  };
  const Case cases[] = {
      {{}, "Secret a/tls does not exist"},
      {{secret("b/tls", "kubernetes.io/tls", tls_data("DNS:x.io"))}, "Secret a/tls does not exist"},
      {{secret("a/tls", "kubernetes.io/tls", {})}, "Secret a/tls has no key \"tls.crt\""},
      {{secret("a/tls", "kubernetes.io/tls", {{"tls.crt", "x"}, {"tls.key", "x"}})},
       "Secret a/tls has a tls.crt that is not"},
  };
  for (const auto& [secrets, reason] : cases) {
    const CompiledTable compiled = compile_table({{with_tls(tunnel("a/t", {"x.io", "y.io"}), "tls")}, secrets}, {});
    ASSERT_THAT(compiled.problems, SizeIs(1)) << reason;
    EXPECT_THAT(compiled.problems[0].text(),
                testing::AllOf(HasSubstr("Tunnel a/t: spec.tls.secretName: "), HasSubstr(reason)));
    EXPECT_FALSE(compiled.problems[0].warning);
    EXPECT_NE(compiled.table->find("x.io", "/"), nullptr) << "the tunnel still routes";
    EXPECT_EQ(compiled.table->server_name("x.io").first(), nullptr);
  }
}

TEST(Compile, CertificateOfAnotherNameIsUsedWithAWarning) {
  const CompiledTable compiled = compile_table({{with_tls(tunnel("a/t", {"x.io", "y.io"}), "tls")},
                                                {secret("a/tls", "kubernetes.io/tls", tls_data("DNS:x.io"))}},
                                               {});
  ASSERT_THAT(compiled.problems, SizeIs(1));
  EXPECT_TRUE(compiled.problems[0].warning);
  EXPECT_THAT(compiled.problems[0].text(), HasSubstr("does not cover y.io"));
  EXPECT_NE(compiled.table->server_name("y.io").first(), nullptr);
}

TEST(Compile, DefaultCertificateIsThatOfAnyHost) {
  const auto any = secret("a/tls", "kubernetes.io/tls", tls_data("DNS:x.io"));
  const CompiledTable compiled = compile_table({{with_tls(tunnel("a/t", {"*"}), "tls")}, {any}}, {});
  EXPECT_THAT(texts(compiled.problems), IsEmpty());
  ASSERT_NE(compiled.table->default_certificates(), CertificateList{});
  EXPECT_EQ(compiled.table->default_certificates().at(0)->name, "a/tls");
  EXPECT_EQ(compiled.table->server_name("z.io").first(), nullptr) << "unknown names get the default";
  EXPECT_EQ(compile_table({{with_tls(tunnel("a/t", {"*!"}), "tls")}, {any}}, {}).table->default_certificates(),
            CertificateList{});
}

TEST(Compile, OnlyPrivateHostsHandshakeLikeUnknownOnes) {
  const Objects objects{{with_tls(tunnel("a/t", {"p.io!", "p.io/x!", "m.io!", "m.io/pub"}), "tls")},
                        {secret("a/tls", "kubernetes.io/tls", tls_data("DNS:p.io,DNS:m.io"))}};
  const CompiledTable compiled = compile_table(objects, {});
  const ServerName hidden = compiled.table->server_name("p.io");
  EXPECT_TRUE(hidden.only_private);
  EXPECT_EQ(hidden.first(), nullptr);
  EXPECT_EQ(hidden.tunnel, nullptr);
  const ServerName mixed = compiled.table->server_name("m.io");
  EXPECT_FALSE(mixed.only_private);
  EXPECT_NE(mixed.first(), nullptr);
}

TEST(Compile, TheSameObjectsGiveTheSameProblemsInAnyOrder) {
  const std::vector<TunnelObject> forth = {tunnel("a/t", {"x.io"}), tunnel("b/t", {"x.io"}),
                                           tunnel("c/t", {"*.x.io", "x.io"})};
  const std::vector<TunnelObject> back(forth.rbegin(), forth.rend());
  EXPECT_EQ(compile_table({forth, {}}, {}).problems, compile_table({back, {}}, {}).problems);
  EXPECT_EQ(compile_table({forth, {}}, {}).holders, compile_table({back, {}}, {}).holders);
}

TEST(Compile, TenThousandTunnels) {
  Objects objects;
  for (int i = 0; i < 10'000; ++i) {
    const std::string n = std::to_string(i);
    objects.tunnels.push_back(
        with_token(tunnel("team-" + n + "/t", {"h" + n + ".example.com", "*.w" + n + ".example.com/api"})));
    objects.secrets.push_back(token_secret("team-" + n + "/t-connector"));
  }
  const CompiledTable compiled = compile_table(objects, {});
  EXPECT_THAT(compiled.problems, IsEmpty());
  EXPECT_EQ(compiled.table->tunnels(), 10'000U);
  EXPECT_EQ(compiled.table->find("h9999.example.com", "/")->tunnel->name, "team-9999/t");
  EXPECT_EQ(compiled.table->find("x.w77.example.com", "/api/1")->tunnel->name, "team-77/t");
  EXPECT_EQ(compile_table(objects, compiled.holders).holders, compiled.holders);
}

}  // namespace
}  // namespace adit::routing
