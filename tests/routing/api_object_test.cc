// Objects as an API server gives them, hostile ones among them.

#include <nlohmann/json.hpp>

#include "routing/compile.h"
#include "routing/manifest.h"
#include "tests/routing/objects.h"

namespace adit::routing {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kUid = "7d2b6d5e-3f0c-4a3d-9b1e-0c6f3a5b8e11";

json tunnel_object(json spec) {
  return {{"apiVersion", "adit.dev/v1alpha1"},
          {"kind", "Tunnel"},
          {"metadata",
           {{"name", "shop"},
            {"namespace", "team-a"},
            {"uid", kUid},
            {"generation", 3},
            {"resourceVersion", "4711"},
            {"creationTimestamp", "2026-01-31T12:00:00Z"},
            {"labels", {{"app", "shop"}}},
            {"annotations", {{"note", "\x01\x1b[2J"}}},
            {"ownerReferences", json::array({{{"kind", "Owner"}}})},
            {"finalizers", json::array({"x"})},
            {"aFieldOfALaterVersion", {{"x", 1}}},
            {"managedFields", json::array({{{"manager", "kubectl"}, {"fieldsV1", {{"f:spec", json::object()}}}}})}}},
          {"spec", std::move(spec)},
          {"status", {{"id", "x"}, {"conditions", json::array({1, nullptr, "x"})}}}};
}

json with_route(json route) { return tunnel_object({{"routes", json::array({std::move(route)})}}); }

TEST(ApiObject, Tunnel) {
  const auto parsed = parse_object(with_route({{"host", "Shop.Example.com"}, {"visibility", "Private"}}));
  ASSERT_THAT(texts(parsed.problems), IsEmpty());
  ASSERT_THAT(parsed.objects.tunnels, SizeIs(1));
  const TunnelObject& tunnel = parsed.objects.tunnels[0];
  EXPECT_EQ(tunnel.meta.full_name(), "team-a/shop");
  EXPECT_EQ(tunnel.meta.uid, kUid);
  EXPECT_EQ(tunnel.meta.generation, 3);
  EXPECT_EQ(tunnel.meta.created, "2026-01-31T12:00:00Z");
  EXPECT_EQ(tunnel.id, kUid);
  EXPECT_FALSE(tunnel.has_given_id);
  ASSERT_THAT(tunnel.routes, SizeIs(1));
  EXPECT_EQ(tunnel.routes[0].host, "shop.example.com");
  EXPECT_EQ(tunnel.routes[0].path, "/");
  EXPECT_TRUE(tunnel.routes[0].is_private);
  EXPECT_THAT(tunnel.token_secrets, ElementsAre("shop-connector"));
}

TEST(ApiObject, GivenIdWins) {
  json object = with_route({{"host", "a.example"}});
  object["spec"]["id"] = "4D21094E-b74c-4916-86c1-d9fa36ea677b";
  const auto parsed = parse_object(object);
  ASSERT_THAT(parsed.objects.tunnels, SizeIs(1));
  EXPECT_EQ(parsed.objects.tunnels[0].id, "4d21094e-b74c-4916-86c1-d9fa36ea677b");
  EXPECT_TRUE(parsed.objects.tunnels[0].has_given_id);
}

TEST(ApiObject, WithoutAUsableUid) {
  for (const json& uid : {json(nullptr), json(5), json("x"), json("")}) {
    json object = with_route({{"host", "a.example"}});
    object["metadata"]["uid"] = uid;
    const auto parsed = parse_object(object);
    ASSERT_THAT(parsed.objects.tunnels, SizeIs(1)) << uid;
    EXPECT_EQ(parsed.objects.tunnels[0].id, default_tunnel_id("team-a/shop")) << uid;
  }
}

TEST(ApiObject, Secret) {
  const auto parsed = parse_object({{"apiVersion", "v1"},
                                    {"kind", "Secret"},
                                    {"metadata", {{"name", "s"}, {"namespace", "team-a"}, {"uid", kUid}}},
                                    {"type", "adit.dev/connector-token"},
                                    {"immutable", true},
                                    {"data", {{"token", "aGVsbG8="}, {"ca.crt", ""}}}});
  ASSERT_THAT(texts(parsed.problems), IsEmpty());
  ASSERT_THAT(parsed.objects.secrets, SizeIs(1));
  const SecretObject& secret = parsed.objects.secrets[0];
  EXPECT_EQ(secret.meta.full_name(), "team-a/s");
  EXPECT_EQ(secret.meta.uid, kUid);
  EXPECT_EQ(secret.type, "adit.dev/connector-token");
  EXPECT_EQ(secret.data.at("token"), "hello");
  EXPECT_EQ(secret.data.at("ca.crt"), "");
}

TEST(ApiObject, Problems) {
  const auto nested = [](int levels) {
    json value = 1;
    for (int i = 0; i < levels; ++i) value = json::array({std::move(value)});
    return value;
  };
  const std::tuple<json, std::string, ProblemKind> cases[] = {
      {json(nullptr), "must be a map, not nothing", ProblemKind::invalid},
      {json("Tunnel"), "must be a map, not text", ProblemKind::invalid},
      {json::array(), "must be a map", ProblemKind::invalid},
      {json::object(), "apiVersion: is required", ProblemKind::invalid},
      {{{"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", 5}}, "metadata: must be a map", ProblemKind::invalid},
      {{{"apiVersion", "v1"}, {"kind", "Secret"}}, "metadata: is required", ProblemKind::invalid},
      {{{"apiVersion", "v1"}, {"kind", "Pod"}}, "\"Pod\" is not supported", ProblemKind::unsupported},
      {{{"apiVersion", "v1"}, {"kind", "List"}, {"items", json::array()}},
       "kind: must not be List",
       ProblemKind::unsupported},
      {tunnel_object(nullptr), "spec: is required", ProblemKind::invalid},
      {tunnel_object({{"routes", nested(100)}}), "nested more than 64", ProblemKind::invalid},
      {with_route({{"host", 5}}), "spec.routes[0].host: must be a string, not a number", ProblemKind::invalid},
      {with_route({{"host", true}}), "spec.routes[0].host: must be a string, not a number", ProblemKind::invalid},
      {with_route({{"host", "5"}}), "spec.routes[0].host: ends in a number", ProblemKind::invalid},
      {with_route({{"host", std::string("a\0b", 3)}}), "found \"a\\u0000b\"", ProblemKind::invalid},
      {with_route({{"host", "a"}, {"path", "/\x1b"}}), "the character \"\\u001b\"", ProblemKind::invalid},
      {with_route({{"host", "a"}, {"x\x1by", 1}}), "spec.routes[0].x\\u001by: is not a known", ProblemKind::invalid},
      {tunnel_object({{"routes", json::array({{{"host", "a"}}, {{"host", "a"}}})}}), "spec.routes[1]: has the host and",
       ProblemKind::duplicate},
      {tunnel_object({{"routes", json::array({{{"host", "a"}}})}, {"proxyProtocol", "V2"}}),
       "spec.proxyProtocol: is not supported yet", ProblemKind::unsupported},
      {tunnel_object({{"routes", json::array({{{"host", "a"}}})}, {"tls", {{"mode", "Passthrough"}}}}),
       "Passthrough is not supported yet", ProblemKind::unsupported},
  };
  for (const auto& [object, reason, kind] : cases) {
    const auto parsed = parse_object(object);
    ASSERT_FALSE(parsed.problems.empty()) << reason;
    EXPECT_THAT(parsed.problems[0].text(), HasSubstr(reason));
    EXPECT_EQ(parsed.problems[0].kind, kind) << reason;
    EXPECT_TRUE(parsed.problems[0].file.empty() && parsed.problems[0].line == 0);
    EXPECT_TRUE(parsed.objects.tunnels.empty() && parsed.objects.secrets.empty());
  }
}

TEST(ApiObject, FourThousandRoutesAndAMebibyteOfAnnotation) {
  json routes = json::array();
  for (int i = 0; i < 4'000; ++i) {
    routes.push_back({{"host", "h" + std::to_string(i) + ".example.com"}, {"path", "/p"}});
  }
  json object = tunnel_object({{"routes", routes}});
  object["metadata"]["annotations"]["large"] = std::string(1U << 20U, '\x01');
  const auto parsed = parse_object(object);
  ASSERT_THAT(texts(parsed.problems), IsEmpty());
  const auto compiled = compile_table(parsed.objects, {});
  EXPECT_EQ(compiled.table->routes(), 4'000U);
  EXPECT_THAT(compiled.outcomes[0].hosts, SizeIs(4'000));

  routes.push_back({{"host", "one.too.many"}});
  EXPECT_THAT(texts(parse_object(tunnel_object({{"routes", routes}})).problems),
              ElementsAre("Tunnel team-a/shop: spec.routes: has more than 4000 entries: spread them over several "
                          "Tunnels"));
}

TEST(ApiObject, AThousandProblemsAreEnough) {
  json routes = json::array();
  for (int i = 0; i < 4'000; ++i) routes.push_back({{"host", "-"}});
  EXPECT_THAT(parse_object(tunnel_object({{"routes", routes}})).problems, SizeIs(1'001));
}

}  // namespace
}  // namespace adit::routing
