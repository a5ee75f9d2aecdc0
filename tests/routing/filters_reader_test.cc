// spec.routes[].filters, spec.limits, spec.offlinePage and spec.tls as they are read, and every way to write them
// wrong.

#include "routing/manifest.h"
#include "tests/routing/objects.h"

namespace adit::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A Tunnel whose only route has these filters.
std::string with_filters(const std::string& filters) {
  return "apiVersion: adit.dev/v1alpha1\nkind: Tunnel\nmetadata: {name: shop}\nspec:\n  routes:\n  - host: a.example\n"
         "    path: /api\n    filters:\n" +
         filters;
}

std::string with_spec(const std::string& more) {
  return "apiVersion: adit.dev/v1alpha1\nkind: Tunnel\nmetadata: {name: shop}\nspec:\n  routes: [{host: a.example}]\n" +
         more;
}

TunnelObject good(const std::string& text) {
  auto parsed = parse_manifest(text, "f.yaml");
  EXPECT_THAT(texts(parsed.problems), IsEmpty());
  return parsed.objects.tunnels.empty() ? TunnelObject() : std::move(parsed.objects.tunnels[0]);
}

RouteSpec route_with(const std::string& filters) { return good(with_filters(filters)).routes.at(0); }

TEST(FiltersReader, None) {
  EXPECT_EQ(good(with_spec("")).routes[0].filters, nullptr);
  EXPECT_EQ(good(with_filters("      []")).routes[0].filters, nullptr);
}

TEST(FiltersReader, AllAtOnce) {
  const auto route = route_with(R"(
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set: [{name: X-Tenant, value: shop}]
        add: [{name: accept, value: "text/html; q=0.5"}, {name: X-Two, value: b}]
        remove: [Cookie]
    - type: ResponseHeaderModifier
      responseHeaderModifier: {remove: [Server]}
    - type: URLRewrite
      urlRewrite: {hostname: LocalHost, path: {type: ReplacePrefixMatch, replacePrefixMatch: /v2/}}
    - type: IPAllowList
      ipAllowList: {cidrs: [10.0.0.0/8, "2001:db8::/32", 192.0.2.7]}
    - type: BasicAuth
      basicAuth: {secretName: staff, realm: Staff only}
    - type: RequestBodySize
      requestBodySize: {max: 10Mi}
)");
  using enum HeaderChange::Kind;
  ASSERT_NE(route.filters, nullptr);
  const Filters& filters = *route.filters;
  EXPECT_THAT(filters.request_headers,
              ElementsAre(HeaderChange{set, "X-Tenant", "shop"}, HeaderChange{add, "accept", "text/html; q=0.5"},
                          HeaderChange{add, "X-Two", "b"}, HeaderChange{remove, "Cookie", ""}));
  EXPECT_THAT(filters.response_headers, ElementsAre(HeaderChange{remove, "Server", ""}));
  EXPECT_EQ(filters.host, "localhost");
  EXPECT_EQ(filters.path, (PathChange{PathChange::Kind::prefix, "/v2"}));
  std::vector<std::string> networks;
  for (const auto& network : filters.allowed) networks.push_back(network.text());
  EXPECT_THAT(networks, ElementsAre("10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32"));
  EXPECT_EQ(filters.basic_auth, (BasicAuth{"Staff only", {}}));
  EXPECT_EQ(route.logins.name, "staff");
  EXPECT_EQ(route.logins.field, "spec.routes[0].filters[4].basicAuth.secretName");
  EXPECT_EQ(route.logins.place.line, 22);
  EXPECT_EQ(filters.most_body, 10U << 20U);
  EXPECT_EQ(filters.redirect, std::nullopt);
}

TEST(FiltersReader, Redirects) {
  const std::tuple<std::string, Redirect> cases[] = {
      {"{scheme: https}", {.scheme = "https", .hostname = {}, .port = 0, .path = {}, .status = 302}},
      {"{hostname: www.example.com, statusCode: 301}",
       {.scheme = {}, .hostname = "www.example.com", .port = 0, .path = {}, .status = 301}},
      {"{port: 8443, statusCode: 308}", {.scheme = {}, .hostname = {}, .port = 8443, .path = {}, .status = 308}},
      {"{path: {type: ReplaceFullPath, replaceFullPath: /new/}}",
       {.scheme = {}, .hostname = {}, .port = 0, .path = PathChange{PathChange::Kind::full, "/new/"}, .status = 302}},
      {"{path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}",
       {.scheme = {}, .hostname = {}, .port = 0, .path = PathChange{PathChange::Kind::prefix, "/"}, .status = 302}},
  };
  for (const auto& [text, expected] : cases) {
    const auto route = route_with("    - {type: RequestRedirect, requestRedirect: " + text + "}");
    EXPECT_EQ(route.filters->redirect, expected) << text;
  }
}

TEST(FiltersReader, RealmHasADefault) {
  EXPECT_EQ(route_with("    - {type: BasicAuth, basicAuth: {secretName: a}}").filters->basic_auth->realm, "Restricted");
}

TEST(FiltersReader, SizesOfBodies) {
  const std::pair<std::string, std::uint64_t> cases[] = {
      {"0", 0},
      {"1048576", 1'048'576},
      {"\"1048576\"", 1'048'576},
      {"500k", 500'000},
      {"2M", 2'000'000},
      {"3G", 3'000'000'000},
      {"1T", 1'000'000'000'000},
      {"4Ki", 4096},
      {"10Mi", 10U << 20U},
      {"1Gi", 1U << 30U},
      {"999999Ti", 999'999ULL << 40U},
      {"999999999999999", 999'999'999'999'999},
  };
  for (const auto& [text, expected] : cases) {
    const auto route = route_with("    - {type: RequestBodySize, requestBodySize: {max: " + text + "}}");
    EXPECT_EQ(route.filters->most_body, expected) << text;
  }
}

TEST(FiltersReader, FieldsOfTheTunnel) {
  const auto tunnel = good(with_spec(R"(
  limits: {connections: 1000, requestsPerSecond: 0}
  tls: {secretNames: [ec, rsa], redirectHTTP: true}
  offlinePage: {html: "<p>Back soon"}
)"));
  EXPECT_EQ(tunnel.limits, (TunnelLimits{1000, 0}));
  EXPECT_THAT(tunnel.tls_secrets, ElementsAre("ec", "rsa"));
  EXPECT_EQ(tls_field(tunnel, 1), "spec.tls.secretNames[1]");
  EXPECT_TRUE(tunnel.redirect_to_https);
  EXPECT_EQ(tunnel.offline_page, "<p>Back soon");
  const auto bare = good(with_spec("  limits: {}\n  tls: {secretName: a, redirectHTTP: false}"));
  EXPECT_EQ(bare.limits, TunnelLimits{});
  EXPECT_FALSE(bare.redirect_to_https);
  EXPECT_EQ(tls_field(bare, 0), "spec.tls.secretName");
}

TEST(FiltersReader, SecretsThatATunnelNames) {
  auto tunnel = good(with_spec("  tls: {secretNames: [ec, rsa]}\n  connectorTokens: [{secretName: token}]"));
  tunnel.routes.push_back(tunnel.routes[0]);
  tunnel.routes[0].logins.name = "staff";
  tunnel.routes[1].logins.name = "staff";
  EXPECT_THAT(secrets_of(tunnel), ElementsAre("ec", "rsa", "staff", "token"));
}

struct Wrong {
  const char* name;
  std::string text;
  std::string field;
  std::string reason;  ///< a part of it
};

std::string modifier(const std::string& lists) {
  return with_filters("    - {type: RequestHeaderModifier, requestHeaderModifier: {" + lists + "}}");
}
std::string redirect(const std::string& fields) {
  return with_filters("    - {type: RequestRedirect, requestRedirect: {" + fields + "}}");
}
std::string rewrite(const std::string& fields) {
  return with_filters("    - {type: URLRewrite, urlRewrite: {" + fields + "}}");
}
std::string allow(const std::string& fields) {
  return with_filters("    - {type: IPAllowList, ipAllowList: {" + fields + "}}");
}
std::string auth(const std::string& fields) {
  return with_filters("    - {type: BasicAuth, basicAuth: {" + fields + "}}");
}
std::string size(const std::string& fields) {
  return with_filters("    - {type: RequestBodySize, requestBodySize: {" + fields + "}}");
}
std::string seventeen(const std::string& entry) {
  std::string list;
  for (int i = 0; i < 17; ++i) list += (i == 0 ? "" : ", ") + entry + std::to_string(i) + (entry[0] == '{' ? "}" : "");
  return "[" + list + "]";
}
std::string many_networks() {
  std::string list;
  for (int i = 0; i < 257; ++i) list += (i == 0 ? "" : ", ") + std::string("10.0.0.0/8");
  return list;
}

const std::string kFirst = "spec.routes[0].filters[0]";
const std::string kHeaders = kFirst + ".requestHeaderModifier";
const std::string kRedirect = kFirst + ".requestRedirect";
const std::string kRewrite = kFirst + ".urlRewrite";

const std::vector<Wrong>& wrong() {
  static const std::vector<Wrong> all = {
      {"FiltersMap", with_filters("      {a: b}"), "spec.routes[0].filters", "must be a list"},
      {"FilterText", with_filters("    - a"), kFirst, "must be a map, not text"},
      {"NoType", with_filters("    - {basicAuth: {secretName: a}}"), kFirst + ".type", "is required"},
      {"UnknownType", with_filters("    - {type: RequestMirror}"), kFirst + ".type",
       "\"RequestMirror\" is not known: it must be one of RequestHeaderModifier, ResponseHeaderModifier"},
      {"NoMember", with_filters("    - {type: BasicAuth}"), kFirst + ".basicAuth",
       "is required where type is BasicAuth"},
      {"OtherMember", with_filters("    - {type: URLRewrite, urlRewrite: {hostname: a}, basicAuth: {secretName: a}}"),
       kFirst + ".basicAuth", "must be absent where type is URLRewrite"},
      {"UnknownField", with_filters("    - {type: URLRewrite, urlRewrite: {hostname: a}, x: 1}"), kFirst + ".x",
       "known here: type, urlRewrite"},
      {"MemberText", with_filters("    - {type: URLRewrite, urlRewrite: a}"), kRewrite, "must be a map"},
      {"Twice",
       with_filters("    - {type: BasicAuth, basicAuth: {secretName: a}}\n"
                    "    - {type: BasicAuth, basicAuth: {secretName: b}}"),
       "spec.routes[0].filters[1]", "is the second filter of type BasicAuth"},
      {"RedirectAndRewrite",
       with_filters("    - {type: RequestRedirect, requestRedirect: {scheme: https}}\n"
                    "    - {type: URLRewrite, urlRewrite: {hostname: a}}"),
       "spec.routes[0].filters", "has both RequestRedirect and URLRewrite"},
      // Headers
      {"NoChange", modifier(""), kHeaders, "needs at least one of set, add and remove"},
      {"HeaderUnknown", modifier("remove: [a], replace: []"), kHeaders + ".replace", "known here: set, add, remove"},
      {"SetMap", modifier("set: {a: b}, remove: [a]"), kHeaders + ".set", "must be a list"},
      {"EntryText", modifier("set: [a]"), kHeaders + ".set[0]", "must be a map"},
      {"HeaderNoName", modifier("set: [{value: a}]"), kHeaders + ".set[0].name", "is required"},
      {"HeaderNoValue", modifier("add: [{name: a}]"), kHeaders + ".add[0].value", "is required"},
      {"HeaderNumber", modifier("add: [{name: a, value: 5}]"), kHeaders + ".add[0].value", "must be a string"},
      {"HeaderName", modifier("set: [{name: a b, value: c}]"), kHeaders + ".set[0].name", "must be a field name"},
      {"HeaderColon", modifier("set: [{name: 'a:', value: c}]"), kHeaders + ".set[0].name", "must be a field name"},
      {"HeaderEmptyName", modifier("set: [{name: '', value: c}]"), kHeaders + ".set[0].name", "must be a field name"},
      {"HeaderLongName", modifier("remove: [" + std::string(257, 'a') + "]"), kHeaders + ".remove[0]", "at most 256"},
      {"HeaderUnicode", modifier("remove: [ü]"), kHeaders + ".remove[0]", "must be a field name"},
      {"HeaderEmptyValue", modifier("set: [{name: a, value: ''}]"), kHeaders + ".set[0].value", "must not be empty"},
      {"HeaderBreak", modifier("set: [{name: a, value: \"b\\r\\nc: d\"}]"), kHeaders + ".set[0].value",
       "without control characters"},
      {"HeaderTab", modifier("set: [{name: a, value: \"b\\tc\"}]"), kHeaders + ".set[0].value",
       "without control characters"},
      {"HeaderSpace", modifier("set: [{name: a, value: 'b '}]"), kHeaders + ".set[0].value",
       "begin or end with a space"},
      {"HeaderLongValue", modifier("set: [{name: a, value: " + std::string(4097, 'a') + "}]"),
       kHeaders + ".set[0].value", "longer than 4096"},
      {"HeaderTwice", modifier("set: [{name: a, value: b}, {name: A, value: c}]"), kHeaders + ".set[1].name",
       "given twice"},
      {"RemoveTwice", modifier("remove: [a, b, A]"), kHeaders + ".remove[2]", "given twice"},
      {"RemoveMap", modifier("remove: [{name: a}]"), kHeaders + ".remove[0]", "must be a string"},
      {"ManySet", modifier("set: " + seventeen("{value: a, name: h")), kHeaders + ".set", "more than 16"},
      {"ManyRemoved", modifier("set: [{name: a, value: b}], remove: " + seventeen("h")), kHeaders + ".remove",
       "more than 16"},
      // Redirect and rewrite
      {"RedirectNowhere", redirect("statusCode: 301"), kRedirect, "needs at least one of scheme, hostname"},
      {"RedirectScheme", redirect("scheme: ftp"), kRedirect + ".scheme", "must be http or https, not \"ftp\""},
      {"RedirectHost", redirect("hostname: \"*.example.com\""), kRedirect + ".hostname", "without \"*\""},
      {"RedirectHostPort", redirect("hostname: \"a:80\""), kRedirect + ".hostname", "without a port"},
      {"RedirectHostUnicode", redirect("hostname: ü.de"), kRedirect + ".hostname", "A-label"},
      {"RedirectAddress", redirect("hostname: 192.0.2.7"), kRedirect + ".hostname", "not an IP address"},
      {"RedirectPort", redirect("port: 0"), kRedirect + ".port", "from 1 to 65535"},
      {"RedirectPortText", redirect("port: \"80\""), kRedirect + ".port", "from 1 to 65535"},
      {"RedirectPortOctal", redirect("port: 0777"), kRedirect + ".port", "from 1 to 65535"},
      {"RedirectPortLarge", redirect("port: 65536"), kRedirect + ".port", "from 1 to 65535"},
      {"RedirectStatus", redirect("scheme: https, statusCode: 304"), kRedirect + ".statusCode",
       "must be 301, 302, 303, 307 or 308"},
      {"PathNoType", redirect("path: {replaceFullPath: /}"), kRedirect + ".path.type", "is required"},
      {"PathType", redirect("path: {type: Regex}"), kRedirect + ".path.type", "ReplaceFullPath or ReplacePrefixMatch"},
      {"PathMissing", redirect("path: {type: ReplaceFullPath}"), kRedirect + ".path.replaceFullPath",
       "is required where type is ReplaceFullPath"},
      {"PathOther", redirect("path: {type: ReplaceFullPath, replaceFullPath: /a, replacePrefixMatch: /b}"),
       kRedirect + ".path.replacePrefixMatch", "must be absent where type is ReplaceFullPath"},
      {"PathNumber", redirect("path: {type: ReplaceFullPath, replaceFullPath: 5}"), kRedirect + ".path.replaceFullPath",
       "must be a string"},
      {"PathRelative", redirect("path: {type: ReplaceFullPath, replaceFullPath: a}"),
       kRedirect + ".path.replaceFullPath", "must begin with"},
      {"RewriteEmpty", rewrite(""), kRewrite, "needs hostname or path"},
      {"RewriteHost", rewrite("hostname: https://a"), kRewrite + ".hostname", "without a scheme"},
      {"RewritePathQuery", rewrite("path: {type: ReplacePrefixMatch, replacePrefixMatch: \"/a?b\"}"),
       kRewrite + ".path.replacePrefixMatch", "without query"},
      {"RewritePathAbove", rewrite("path: {type: ReplacePrefixMatch, replacePrefixMatch: /../a}"),
       kRewrite + ".path.replacePrefixMatch", "above"},
      {"RewritePathEmpty", rewrite("path: {type: ReplacePrefixMatch, replacePrefixMatch: \"\"}"),
       kRewrite + ".path.replacePrefixMatch", "must begin with"},
      {"RewritePathText", rewrite("path: /a"), kRewrite + ".path", "must be a map"},
      // Who gets in, and how much
      {"NoNetworks", allow(""), kFirst + ".ipAllowList.cidrs", "needs at least one entry"},
      {"EmptyNetworks", allow("cidrs: []"), kFirst + ".ipAllowList.cidrs", "needs at least one entry"},
      {"NetworksText", allow("cidrs: 10.0.0.0/8"), kFirst + ".ipAllowList.cidrs", "must be a list"},
      {"Network", allow("cidrs: [10.0.0.0/8, intranet]"), kFirst + ".ipAllowList.cidrs[1]", "no network such as"},
      {"NetworkBits", allow("cidrs: [10.0.0.1/8]"), kFirst + ".ipAllowList.cidrs[0]", "bits set behind"},
      {"NetworkPrefix", allow("cidrs: [10.0.0.0/33]"), kFirst + ".ipAllowList.cidrs[0]", "from 0 to 32"},
      {"NetworkMap", allow("cidrs: [{a: b}]"), kFirst + ".ipAllowList.cidrs[0]", "no network such as"},
      {"ManyNetworks", allow("cidrs: [" + many_networks() + "]"), kFirst + ".ipAllowList.cidrs", "more than 256"},
      {"NoSecret", auth("realm: a"), kFirst + ".basicAuth.secretName", "is required"},
      {"SecretName", auth("secretName: a/b"), kFirst + ".basicAuth.secretName", "name of a Secret"},
      {"RealmQuote", auth("secretName: a, realm: 'a\"b'"), kFirst + ".basicAuth.realm", "without \" and"},
      {"RealmEmpty", auth("secretName: a, realm: ''"), kFirst + ".basicAuth.realm", "1 to 128"},
      {"RealmLong", auth("secretName: a, realm: " + std::string(129, 'a')), kFirst + ".basicAuth.realm", "1 to 128"},
      {"RealmUnicode", auth("secretName: a, realm: ü"), kFirst + ".basicAuth.realm", "visible ASCII"},
      {"NoSize", size(""), kFirst + ".requestBodySize.max", "is required, such as 10Mi"},
      {"SizeUnit", size("max: 10MB"), kFirst + ".requestBodySize.max", "must be a whole number of bytes"},
      {"SizeFraction", size("max: 1.5Gi"), kFirst + ".requestBodySize.max", "must be a whole number of bytes"},
      {"SizeNegative", size("max: -1"), kFirst + ".requestBodySize.max", "must be a whole number of bytes"},
      {"SizeFloat", size("max: 1e6"), kFirst + ".requestBodySize.max", "must be a whole number of bytes"},
      {"SizeLarge", size("max: 1000000Ti"), kFirst + ".requestBodySize.max", "at most 999999Ti"},
      {"SizeVeryLarge", size("max: 99999999999999999999999"), kFirst + ".requestBodySize.max", "at most 999999Ti"},
      {"SizeEmpty", size("max: ''"), kFirst + ".requestBodySize.max", "must be a whole number of bytes"},
      {"SizeList", size("max: [1]"), kFirst + ".requestBodySize.max", "must be a whole number of bytes"},
      // Of the Tunnel
      {"LimitsText", with_spec("  limits: 5"), "spec.limits", "must be a map"},
      {"LimitNegative", with_spec("  limits: {connections: -1}"), "spec.limits.connections", "from 0 to 1000000"},
      {"LimitLarge", with_spec("  limits: {requestsPerSecond: 1000001}"), "spec.limits.requestsPerSecond",
       "from 0 to 1000000"},
      {"LimitUnknown", with_spec("  limits: {requests: 1}"), "spec.limits.requests",
       "known here: connections, requestsPerSecond"},
      {"RedirectHttp", with_spec("  tls: {redirectHTTP: \"true\"}"), "spec.tls.redirectHTTP", "must be true or false"},
      {"RedirectHttpYes", with_spec("  tls: {redirectHTTP: yes}"), "spec.tls.redirectHTTP", "must be true or false"},
      {"BothSecrets", with_spec("  tls: {secretName: a, secretNames: [b, c]}"), "spec.tls.secretNames",
       "must be absent where there is secretName"},
      {"OneSecret", with_spec("  tls: {secretNames: [a]}"), "spec.tls.secretNames", "2 to 4 entries"},
      {"FiveSecrets", with_spec("  tls: {secretNames: [a, b, c, d, e]}"), "spec.tls.secretNames", "2 to 4 entries"},
      {"SecretTwice", with_spec("  tls: {secretNames: [a, a]}"), "spec.tls.secretNames[1]", "given twice"},
      {"SecretsName", with_spec("  tls: {secretNames: [a, B]}"), "spec.tls.secretNames[1]", "name of a Secret"},
      {"PageText", with_spec("  offlinePage: hello"), "spec.offlinePage", "must be a map"},
      {"PageNothing", with_spec("  offlinePage: {}"), "spec.offlinePage.html", "is required"},
      {"PageEmpty", with_spec("  offlinePage: {html: ''}"), "spec.offlinePage.html", "must not be empty"},
      {"PageLong", with_spec("  offlinePage: {html: " + std::string(32'769, 'a') + "}"), "spec.offlinePage.html",
       "longer than 32 KiB"},
  };
  return all;
}

class WrongFilter : public testing::TestWithParam<std::size_t> {};

TEST_P(WrongFilter, NamesFieldAndReason) {
  const Wrong& c = wrong()[GetParam()];
  const auto parsed = parse_manifest(c.text, "f.yaml");
  ASSERT_THAT(texts(parsed.problems), SizeIs(1));
  EXPECT_EQ(parsed.problems[0].field, c.field);
  EXPECT_THAT(parsed.problems[0].reason, HasSubstr(c.reason));
  EXPECT_GT(parsed.problems[0].line, 4);
}

INSTANTIATE_TEST_SUITE_P(All, WrongFilter, testing::Range(std::size_t{0}, wrong().size()),
                         [](const auto& info) { return std::string(wrong()[info.param].name); });

TEST(FiltersReader, WhatTheEdgeWritesItselfCannotBeChanged) {
  for (const auto* name : {"Connection",
                           "content-length",
                           "Content_Length",
                           "Expect",
                           "Forwarded",
                           "Host",
                           "Keep-Alive",
                           "Proxy-Authenticate",
                           "Proxy-Authorization",
                           "Proxy-Connection",
                           "TE",
                           "Trailer",
                           "Transfer-Encoding",
                           "Upgrade",
                           "Via",
                           "X-Request-Id",
                           "x_request_id",
                           "X-Forwarded-For",
                           "X-Forwarded-Anything",
                           "x_forwarded-proto"}) {
    const auto parsed = parse_manifest(modifier("remove: [" + std::string(name) + "]"), "f.yaml");
    ASSERT_THAT(parsed.problems, SizeIs(1)) << name;
    EXPECT_THAT(parsed.problems[0].reason, HasSubstr("that the gateways write themselves")) << name;
  }
  for (const auto* name : {"X-Forwarded", "Hosts", "Viaduct", "Authorization", "Cookie", "Content-Type", "X-Real-IP"}) {
    EXPECT_THAT(texts(parse_manifest(modifier("remove: [" + std::string(name) + "]"), "f.yaml").problems), IsEmpty());
  }
}

}  // namespace
}  // namespace adit::routing
