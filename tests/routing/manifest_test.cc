#include "routing/manifest.h"

namespace adit::routing {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

Objects good(std::string_view text) {
  ParsedManifest parsed = parse_manifest(text, "f.yaml");
  for (const auto& problem : parsed.problems) ADD_FAILURE() << problem.text();
  return std::move(parsed.objects);
}

std::vector<std::string> problems(std::string_view text) {
  std::vector<std::string> texts;
  for (const auto& problem : parse_manifest(text, "f.yaml").problems) texts.push_back(problem.text());
  return texts;
}

constexpr std::string_view kFull = R"(# A comment
apiVersion: adit.dev/v1alpha1
kind: Tunnel
metadata: {name: shop, namespace: team-a, labels: {app: shop}}
spec:
  id: 4D21094E-b74c-4916-86c1-d9fa36ea677b
  routes:
  - host: Shop.Example.com.
  - host: shop.example.com
    path: /api/
    service: api:8080
  - {host: admin.example.com, visibility: Private}
  tls: {mode: Terminate, secretName: shop-tls}
  connectorTokens: [{secretName: old}, {secretName: new}]
status: {anything: [goes, here]}
)";

TEST(Manifest, ReadsEveryField) {
  const Objects objects = good(kFull);
  ASSERT_THAT(objects.tunnels, SizeIs(1));
  const TunnelObject& tunnel = objects.tunnels[0];
  EXPECT_EQ(tunnel.meta.full_name(), "team-a/shop");
  EXPECT_EQ(tunnel.meta.place.line, 2);
  EXPECT_EQ(tunnel.id, "4d21094e-b74c-4916-86c1-d9fa36ea677b");
  ASSERT_THAT(tunnel.routes, SizeIs(3));
  EXPECT_EQ(tunnel.routes[0].host, "shop.example.com");
  EXPECT_EQ(tunnel.routes[0].path, "/");
  EXPECT_EQ(tunnel.routes[0].service, "default");
  EXPECT_EQ(tunnel.routes[0].place.line, 8);
  EXPECT_EQ(tunnel.routes[1].path, "/api");
  EXPECT_EQ(tunnel.routes[1].service, "api:8080");
  EXPECT_FALSE(tunnel.routes[1].is_private);
  EXPECT_TRUE(tunnel.routes[2].is_private);
  EXPECT_THAT(tunnel.tls_secrets, ElementsAre("shop-tls"));
  EXPECT_EQ(tunnel.tls_place.line, 13);
  EXPECT_THAT(tunnel.token_secrets, ElementsAre("old", "new"));
  EXPECT_EQ(tunnel.tokens_place.line, 14);
}

TEST(Manifest, Defaults) {
  const Objects objects =
      good("{apiVersion: adit.dev/v1alpha1, kind: Tunnel, metadata: {name: shop}, spec: {routes: [{host: '*'}]}}");
  ASSERT_THAT(objects.tunnels, SizeIs(1));
  EXPECT_EQ(objects.tunnels[0].meta.full_name(), "default/shop");
  EXPECT_EQ(objects.tunnels[0].id, "702bb440-eb90-5bb1-b930-5532dd3abae0");
  EXPECT_THAT(objects.tunnels[0].token_secrets, ElementsAre("shop-connector"));
  EXPECT_THAT(objects.tunnels[0].tls_secrets, IsEmpty());
}

TEST(Manifest, NullIsAbsent) {
  const Objects objects = good(R"(
apiVersion: adit.dev/v1alpha1
kind: Tunnel
metadata: {name: shop, creationTimestamp: null, labels: }
spec:
  id:
  routes: [{host: a, path: , service: ~}]
  tls:
  ports:
)");
  ASSERT_THAT(objects.tunnels, SizeIs(1));
  EXPECT_EQ(objects.tunnels[0].routes[0].path, "/");
}

TEST(Manifest, SecretDataAndStringData) {
  const Objects objects = good(R"(
apiVersion: v1
kind: Secret
metadata: {name: s}
type: adit.dev/connector-token
immutable: true
data: {a: aGVsbG8=, b: "Zm9v"}
stringData:
  b: over
  c: |
    two
    lines
  d: !!str 12345
)");
  ASSERT_THAT(objects.secrets, SizeIs(1));
  EXPECT_EQ(objects.secrets[0].type, "adit.dev/connector-token");
  EXPECT_THAT(objects.secrets[0].data,
              ElementsAre(Pair("a", "hello"), Pair("b", "over"), Pair("c", "two\nlines\n"), Pair("d", "12345")));
}

TEST(Manifest, OutputOfKubectlGet) {
  const Objects objects = good(R"(apiVersion: v1
items:
- apiVersion: adit.dev/v1alpha1
  kind: Tunnel
  metadata:
    annotations:
      kubectl.kubernetes.io/last-applied-configuration: |
        {"apiVersion":"adit.dev/v1alpha1","kind":"Tunnel"}
    creationTimestamp: "2026-01-31T12:00:00Z"
    finalizers: []
    generation: 3
    managedFields:
    - apiVersion: adit.dev/v1alpha1
      fieldsType: FieldsV1
      fieldsV1: {"f:spec": {".": {}, "f:routes": {}}}
      time: "2026-01-31T12:00:00Z"
    name: shop
    namespace: team-a
    ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: x, uid: y}]
    resourceVersion: "12345"
    uid: 0d8d2f3e-0d10-4a53-a1fd-1f8a1d3bb6f1
  spec: {routes: [{host: a.example}]}
  status: {observedGeneration: 3, conditions: []}
- apiVersion: v1
  kind: Secret
  metadata: {name: s, namespace: team-a, creationTimestamp: 2026-01-31T12:00:00Z}
  type: Opaque
kind: List
metadata: {resourceVersion: ""}
)");
  ASSERT_THAT(objects.tunnels, SizeIs(1));
  EXPECT_EQ(objects.tunnels[0].meta.created, "2026-01-31T12:00:00Z");
  EXPECT_EQ(objects.tunnels[0].meta.place.line, 3);
  EXPECT_THAT(objects.secrets, SizeIs(1));
}

TEST(Manifest, NoDocuments) {
  for (const auto* text :
       {"", "\n", "# comment\n", "---\n", "---\n---\n", "---\n# a\n---\n...\n", "\xef\xbb\xbf# bom\n"}) {
    const Objects objects = good(text);
    EXPECT_TRUE(objects.tunnels.empty() && objects.secrets.empty()) << text;
  }
}

TEST(Manifest, JsonAndCrLf) {
  EXPECT_THAT(good(R"({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}})").secrets, SizeIs(1));
  EXPECT_THAT(good("apiVersion: v1\r\nkind: Secret\r\nmetadata:\r\n  name: s\r\n").secrets, SizeIs(1));
}

TEST(Manifest, FourThousandRoutes) {
  std::string text = "apiVersion: adit.dev/v1alpha1\nkind: Tunnel\nmetadata: {name: big}\nspec:\n  routes:\n";
  for (int i = 0; i < 4000; ++i) text += "  - host: h" + std::to_string(i) + ".example\n";
  EXPECT_THAT(good(text).tunnels.at(0).routes, SizeIs(4000));
}

TEST(Manifest, PlainScalarsThatAreText) {
  for (const auto* name : {"shop", "1a", "1.2.3", "4d21094e-1", "x86", "nothing", "yes-1"}) {
    good(std::string("apiVersion: v1\nkind: Secret\nmetadata: {name: ") + name + "}\n");
  }
}

TEST(Manifest, PlainScalarsThatAreNot) {
  for (const auto* name :
       {"1", "-1", "+1", "1.5", ".5", "1e3", "0x1f", "0o17", "0b1", "1_000", "true", "Yes", "OFF", "n", ".inf"}) {
    EXPECT_THAT(problems(std::string("apiVersion: v1\nkind: Secret\nmetadata: {name: ") + name + "}\n"),
                ElementsAre(HasSubstr("must be a string")))
        << name;
  }
}

TEST(Manifest, AllProblemsInOrderOfLines) {
  EXPECT_THAT(problems(R"(apiVersion: adit.dev/v1alpha1
kind: Tunnel
metadata: {name: shop, namespace: team-a}
spec:
  colour: red
  routes:
  - host: -a
    path: b
  - {}
---
apiVersion: v1
kind: ConfigMap
---
apiVersion: v1
kind: Secret
metadata: {name: S}
)"),
              ElementsAre(AllOf(HasSubstr("f.yaml:5: Tunnel team-a/shop: spec.colour: ")),
                          HasSubstr("f.yaml:7: Tunnel team-a/shop: spec.routes[0].host: "),
                          HasSubstr("f.yaml:8: Tunnel team-a/shop: spec.routes[0].path: "),
                          HasSubstr("f.yaml:9: Tunnel team-a/shop: spec.routes[1].host: "),
                          HasSubstr("f.yaml:12: ConfigMap: kind: "),
                          HasSubstr("f.yaml:16: Secret default/S: metadata.name: ")));
}

TEST(Manifest, ProblemsBeforeASyntaxErrorAreKept) {
  EXPECT_THAT(problems("kind: Tunnel\n---\na: ]\n"),
              ElementsAre(HasSubstr("f.yaml:1: Tunnel: apiVersion"), HasSubstr("f.yaml:3: is not valid YAML")));
}

TEST(Manifest, ProblemsAreLimited) {
  std::string text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n";
  for (int i = 0; i < 5000; ++i) text += "x" + std::to_string(i) + ": 1\n";
  const auto all = problems(text);
  ASSERT_THAT(all, SizeIs(1001));
  EXPECT_THAT(all.back(), HasSubstr("more problems than are shown"));
}

TEST(Manifest, SecretsAreNotShown) {
  const std::string secret = "hunter2hunter2";
  const std::string texts[] = {
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {token: " + secret + "!}\n",
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: [" + secret + "]}\n",
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: [" + secret + "]\n",
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: \"" + secret + "\n",
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: &a " + secret + "}\n",
  };
  for (const auto& text : texts) {
    const auto all = problems(text);
    EXPECT_THAT(all, Not(IsEmpty())) << text;
    for (const auto& problem : all) EXPECT_THAT(problem, Not(HasSubstr(secret)));
  }
}

TEST(Problem, Text) {
  EXPECT_EQ((Problem{"a.yaml", 3, "Tunnel a/b", "spec.id", "is bad"}.text()), "a.yaml:3: Tunnel a/b: spec.id: is bad");
  EXPECT_EQ((Problem{"a.yaml", 0, "", "", "is bad"}.text()), "a.yaml: is bad");
  EXPECT_EQ((Problem{"", 3, "", "", "is bad"}.text()), "line 3: is bad");
  EXPECT_EQ((Problem{"", 0, "Tunnel a/b", "", "is bad"}.text()), "Tunnel a/b: is bad");
  EXPECT_EQ(in_quotes("a\n\"b"), "\"a\\u000a\\\"b\"");
  EXPECT_EQ(in_quotes(std::string(100, 'x')), "\"" + std::string(80, 'x') + "…\"");
}

}  // namespace
}  // namespace adit::routing
