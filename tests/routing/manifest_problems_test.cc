// Every way in which a manifest can be wrong, with the line and field that the message must name.

#include "routing/manifest.h"

namespace adit::routing {
namespace {

struct Case {
  const char* name;
  std::string text;
  int line;
  std::string field;
  std::string reason;  ///< a part of it
};

/// A Tunnel whose spec begins in line 4.
std::string tunnel(std::string spec) {
  return "apiVersion: adit.dev/v1alpha1\nkind: Tunnel\nmetadata: {name: shop, namespace: team-a}\n" + std::move(spec);
}

/// A Tunnel with one route and more fields of spec from line 6.
std::string with(std::string more) { return tunnel("spec:\n  routes: [{host: a.example}]\n" + std::move(more)); }

/// A Tunnel with one route, given as a flow map in line 6.
std::string route(std::string fields) { return tunnel("spec:\n  routes:\n  - {" + std::move(fields) + "}\n"); }

/// A Tunnel with this metadata in line 3.
std::string meta(std::string fields) {
  return "apiVersion: adit.dev/v1alpha1\nkind: Tunnel\nmetadata: {" + std::move(fields) +
         "}\nspec: {routes: [{host: a.example}]}\n";
}

/// A Secret whose further fields begin in line 4.
std::string secret(std::string fields) {
  return "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n" + std::move(fields);
}

std::string nested(int levels) { return std::string(levels, '[') + std::string(levels, ']'); }

std::string many_routes(int count) {
  std::string text = "spec:\n  routes:\n";
  for (int i = 0; i < count; ++i) text += "  - host: h" + std::to_string(i) + ".example\n";
  return text;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      // Text
      {"TooLarge", std::string((4U << 20U) + 1, '#'), 0, "", "larger than 4 MiB"},
      {"Nul", std::string("a: b\nc: \0", 9), 2, "", "control character (byte 0)"},
      {"Escape", "a: b\n\n\x1b[2J", 3, "", "control character (byte 27)"},
      {"Delete", "a: \x7f", 1, "", "control character (byte 127)"},
      {"Utf16",
       std::string("\xff\xfe"
                   "a\0:\0 \0b\0",
                   10),
       1, "", "control character (byte 0)"},
      {"NotYaml", "kind: [Tunnel\nmore: }", 2, "", "not valid YAML"},
      {"TabIndent", "kind:\n\t- a", 2, "", "not valid YAML"},
      {"BadEscape", "a: \"\\q\"", 1, "", "not valid YAML"},
      {"Anchor", "kind: &k Tunnel", 1, "", "anchors"},
      {"Alias", "a: 1\nb: *k", 2, "", "not valid YAML"},
      {"AnchoredMap", "a: &k\n  b: c", 1, "", "anchors"},
      {"Tag", "a: !!binary aGk=", 1, "", "tags"},
      {"OwnTag", "a: !mine x", 1, "", "tags"},
      {"MapTag", "a: !!set {x}", 1, "", "tags"},
      {"MapAsKey", "{a: b}: c", 1, "", "key that is not text"},
      {"NullAsKey", "? \n: c", 2, "", "key that is not text"},
      {"DeepLists", "a: " + nested(100), 1, "", "64 levels"},
      {"VeryDeepLists", "a: " + nested(100'000), 1, "", "64 levels"},
      {"ManyValues",
       "a: [" +
           [] {
             std::string s;
             for (int i = 0; i < 600'000; ++i) s += "x,";
             return s;
           }() +
           "]",
       1, "", "too many values"},
      // Documents
      {"ListDocument", "- a\n- b", 1, "", "must be a map, not a list"},
      {"ScalarDocument", "# nothing\nhello", 2, "", "must be a map, not text"},
      {"SecondDocument", "---\n# empty\n---\nhello", 4, "", "must be a map, not text"},
      {"NoKind", "apiVersion: v1", 1, "kind", "is required"},
      {"NoApiVersion", "kind: Secret", 1, "apiVersion", "is required"},
      {"KindNumber", "apiVersion: v1\nkind: 5", 2, "kind", "must be a string"},
      {"Ingress", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: x}", 2, "kind",
       "\"Ingress\" is not supported: this version reads Tunnel (adit.dev/v1alpha1) and Secret (v1)"},
      {"Deployment", "apiVersion: apps/v1\nkind: Deployment", 2, "kind", "\"Deployment\" is not supported"},
      {"KindCase", "apiVersion: adit.dev/v1alpha1\nkind: tunnel", 2, "kind", "\"tunnel\" is not supported"},
      {"TunnelVersion", "apiVersion: adit.dev/v1\nkind: Tunnel", 1, "apiVersion", "must be adit.dev/v1alpha1"},
      {"SecretVersion", "kind: Secret\napiVersion: v2", 2, "apiVersion", "must be v1"},
      {"DuplicateKind", "apiVersion: v1\nkind: Secret\nkind: Secret\nmetadata: {name: s}", 3, "kind",
       "given twice, first in line 2"},
      {"UnknownTop", secret("datas: {}\n"), 4, "datas",
       "not a known field; known here: apiVersion, kind, metadata, type, data, stringData"},
      {"UnknownTopControl", secret("\"a\\x1b\": {}\n"), 4, "a\\u001b", "not a known field"},
      {"ListItems", "apiVersion: v1\nkind: List\nitems: {}", 3, "items", "must be a list"},
      {"ListItem", "apiVersion: v1\nkind: List\nitems:\n- 5", 4, "", "must be a map"},
      // Metadata
      {"NoMetadata", "apiVersion: v1\nkind: Secret", 1, "metadata", "is required"},
      {"MetadataList", "apiVersion: v1\nkind: Secret\nmetadata: [a]", 3, "metadata", "must be a map, not a list"},
      {"NoName", meta("namespace: a"), 3, "metadata.name", "is required"},
      {"NameCase", meta("name: Shop"), 3, "metadata.name", "RFC 1123"},
      {"NameNumber", meta("name: 123"), 3, "metadata.name",
       "must be a string, not a number or boolean; put it in quotes"},
      {"NameBoolean", meta("name: on"), 3, "metadata.name", "must be a string"},
      {"NameMap", meta("name: {}"), 3, "metadata.name", "must be a string, not a map"},
      {"NamespaceDot", meta("name: a, namespace: a.b"), 3, "metadata.namespace", "RFC 1123"},
      {"NamespaceSlash", meta("name: a, namespace: a/b"), 3, "metadata.namespace", "RFC 1123"},
      {"LabelNumber", meta("name: a, labels: {x: 5}"), 3, "metadata.labels.x", "must be a string"},
      {"LabelsList", meta("name: a, labels: [x]"), 3, "metadata.labels", "map of strings, not a list"},
      {"AnnotationTwice", meta("name: a, annotations: {x: a, x: b}"), 3, "metadata.annotations.x", "given twice"},
      {"Created", meta("name: a, creationTimestamp: yesterday"), 3, "metadata.creationTimestamp",
       "2024-01-31T12:00:00Z"},
      {"UnknownMeta", meta("name: a, nmaespace: b"), 3, "metadata.nmaespace", "not a known field"},
      // Tunnel
      {"NoSpec", tunnel(""), 1, "spec", "is required"},
      {"SpecText", tunnel("spec: hello"), 4, "spec", "must be a map"},
      {"NoRoutes", tunnel("spec: {}"), 4, "spec.routes", "at least one"},
      {"EmptyRoutes", tunnel("spec:\n  id: 4d21094e-b74c-4916-86c1-d9fa36ea677b\n  routes: []"), 6, "spec.routes",
       "at least one"},
      {"RoutesMap", tunnel("spec:\n  routes: {host: a}"), 5, "spec.routes", "must be a list"},
      {"RouteText", tunnel("spec:\n  routes:\n  - a.example"), 6, "spec.routes[0]", "must be a map, not text"},
      {"TooManyRoutes", tunnel(many_routes(4001)), 5, "spec.routes", "more than 4000"},
      {"NoHost", route("path: /api"), 6, "spec.routes[0].host", "is required"},
      {"SecondHost", tunnel("spec:\n  routes:\n  - host: a.example\n  - path: /\n    host: b_c\n"), 8,
       "spec.routes[1].host", "letters, digits, hyphens"},
      {"HostNumber", route("host: 1.5"), 6, "spec.routes[0].host", "must be a string"},
      {"HostAddress", route("host: 192.0.2"), 6, "spec.routes[0].host", "IPv4 address such as"},
      {"HostUnicode", route("host: müller.example"), 6, "spec.routes[0].host", "A-label"},
      {"HostPort", route("host: \"a.example:80\""), 6, "spec.routes[0].host", "without a port"},
      {"HostControl", route("host: \"a\\nb\""), 6, "spec.routes[0].host", "found \"a\\u000ab\""},
      {"Path", route("host: a, path: api"), 6, "spec.routes[0].path", "must begin with"},
      {"PathQuery", route("host: a, path: \"/api?x\""), 6, "spec.routes[0].path", "without query"},
      {"PathEncoding", route("host: a, path: /%zz"), 6, "spec.routes[0].path", "percent-encoding"},
      {"PathAbove", route("host: a, path: /../x"), 6, "spec.routes[0].path", "above"},
      {"PathList", route("host: a, path: [/]"), 6, "spec.routes[0].path", "must be a string, not a list"},
      {"Service", route("host: a, service: a/b"), 6, "spec.routes[0].service", "name that connectors offer"},
      {"EmptyService", route("host: a, service: \"\""), 6, "spec.routes[0].service", "name that connectors offer"},
      {"Visibility", route("host: a, visibility: private"), 6, "spec.routes[0].visibility",
       "must be Public or Private, not \"private\""},
      {"UnknownRoute", route("host: a, paths: /"), 6, "spec.routes[0].paths",
       "known here: host, path, service, visibility"},
      {"HostTwice", route("host: a, host: b"), 6, "spec.routes[0].host", "given twice"},
      {"SameRoute", tunnel("spec:\n  routes:\n  - {host: a, path: /x}\n  - {host: A., path: /x/}\n"), 7,
       "spec.routes[1]", "host and path of spec.routes[0]"},
      {"Id", with("  id: shop"), 6, "spec.id", "must be a UUID"},
      {"IdNumber", with("  id: 12"), 6, "spec.id", "must be a string"},
      {"IdNil", with("  id: 00000000-0000-0000-0000-000000000000"), 6, "spec.id", "must be a UUID"},
      {"TlsText", with("  tls: shop-tls"), 6, "spec.tls", "must be a map, not text"},
      {"TlsMode", with("  tls: {mode: terminate}"), 6, "spec.tls.mode", "must be Terminate"},
      {"Passthrough", with("  tls:\n    mode: Passthrough"), 7, "spec.tls.mode", "not supported yet"},
      {"TlsSecret", with("  tls: {secretName: a/b}"), 6, "spec.tls.secretName", "name of a Secret"},
      {"TlsUnknown", with("  tls: {secret: a}"), 6, "spec.tls.secret", "known here: mode, secretName"},
      {"TokensText", with("  connectorTokens: a"), 6, "spec.connectorTokens", "must be a list"},
      {"TokenText", with("  connectorTokens: [a]"), 6, "spec.connectorTokens[0]", "must be a map"},
      {"TokenEmpty", with("  connectorTokens: [{}]"), 6, "spec.connectorTokens[0].secretName", "is required"},
      {"TokenName", with("  connectorTokens:\n  - secretName: a\n  - secretName: B"), 8,
       "spec.connectorTokens[1].secretName", "name of a Secret"},
      {"WeightText", route("host: a.example, weight: ten"), 6, "spec.routes[0].weight", "whole number from 0 to 1000"},
      {"WeightLarge", route("host: a.example, weight: 1001"), 6, "spec.routes[0].weight", "from 0 to 1000"},
      {"WeightNegative", route("host: a.example, weight: -1"), 6, "spec.routes[0].weight", "from 0 to 1000"},
      {"AffinityMode", with("  affinity: {}"), 6, "spec.affinity.mode", "is required"},
      {"AffinityModeUnknown", with("  affinity: {mode: cookie}"), 6, "spec.affinity.mode", "must be Cookie or Address"},
      {"AffinityUnknown", with("  affinity: {mode: Cookie, cookie: a}"), 6, "spec.affinity.cookie", "known here: mode"},
      {"AffinityName", with("  affinity: {mode: Cookie, cookieName: a=b}"), 6, "spec.affinity.cookieName",
       "must be 1 to 64 letters"},
      {"AffinityNameEmpty", with("  affinity: {mode: Cookie, cookieName: ''}"), 6, "spec.affinity.cookieName",
       "must be 1 to 64 letters"},
      {"AffinityAge", with("  affinity: {mode: Cookie, maxAge: 500ms}"), 6, "spec.affinity.maxAge", "from 1s to 8784h"},
      {"AffinityAgeLong", with("  affinity: {mode: Cookie, maxAge: 8785h}"), 6, "spec.affinity.maxAge",
       "from 1s to 8784h"},
      {"AffinityAddressName", with("  affinity: {mode: Address, cookieName: a}"), 6, "spec.affinity.cookieName",
       "where mode is Cookie only"},
      {"AffinityAddressAge", with("  affinity: {mode: Address, maxAge: 1h}"), 6, "spec.affinity.maxAge",
       "where mode is Cookie only"},
      {"Ports", with("  ports:\n  - {name: ssh}"), 6, "spec.ports", "not supported yet in this version"},
      {"ProxyProtocol", with("  proxyProtocol: V2"), 6, "spec.proxyProtocol", "not supported yet in this version"},
      {"SpecUnknown", with("  route: []"), 6, "spec.route", "known here: id, routes, tls, connectorTokens"},
      {"MergeKey", with("  <<: {}"), 6, "spec.<<", "not a known field"},
      // Secret
      {"DataList", secret("data: [a]"), 4, "data", "must be a map"},
      {"DataKey", secret("data: {a/b: aGk=}"), 4, "data.a/b", "must have a key"},
      {"DataNumber", secret("data:\n  a: 1234"), 5, "data.a", "must be a string"},
      {"DataBase64", secret("data:\n  token: hello!"), 5, "data.token", "not valid base64"},
      {"DataTwice", secret("data:\n  a: aGk=\n  a: aGk="), 6, "data.a", "given twice, first in line 5"},
      {"StringDataNull", secret("stringData:\n  a:"), 5, "stringData.a", "must be a string"},
      {"StringDataMap", secret("stringData:\n  a: {b: c}"), 5, "stringData.a", "must be a string"},
      {"TypeNumber", secret("type: 5"), 4, "type", "must be a string"},
  };
  return all;
}

class ManifestProblem : public testing::TestWithParam<std::size_t> {};

TEST_P(ManifestProblem, NamesPlaceAndReason) {
  const Case& c = cases()[GetParam()];
  const ParsedManifest parsed = parse_manifest(c.text, "dir/f.yaml");
  ASSERT_EQ(parsed.problems.size(), 1U) << (parsed.problems.empty() ? "none" : parsed.problems[1].text());
  const Problem& problem = parsed.problems[0];
  EXPECT_EQ(problem.file, "dir/f.yaml");
  EXPECT_EQ(problem.line, c.line) << problem.text();
  EXPECT_EQ(problem.field, c.field) << problem.text();
  EXPECT_THAT(problem.reason, testing::HasSubstr(c.reason));
  EXPECT_FALSE(problem.warning);
  EXPECT_TRUE(parsed.objects.tunnels.empty());
  EXPECT_TRUE(parsed.objects.secrets.empty());
}

INSTANTIATE_TEST_SUITE_P(All, ManifestProblem, testing::Range(std::size_t{0}, cases().size()),
                         [](const auto& info) { return std::string(cases()[info.param].name); });

}  // namespace
}  // namespace adit::routing
