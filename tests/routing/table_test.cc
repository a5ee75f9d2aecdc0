#include "routing/table.h"

#include "tests/routing/objects.h"

namespace adit::routing {
namespace {

/// One Tunnel whose rules' services are the rules' own texts.
std::shared_ptr<const Table> table(const std::vector<std::string>& rules) {
  TunnelObject object = tunnel("a/t", {});
  for (const auto& text : rules) object.routes.push_back(rule(text, text));
  return compile_table({{object}, {}}, {}).table;
}

std::string answer(const Table& table, std::string_view host, std::string_view path) {
  const Route* route = table.find(host, path);
  return route == nullptr ? "none" : route->service;
}

TEST(Table, Find) {
  const auto routes =
      table({"x.io", "x.io/api", "x.io/api/v1", "x.io/api-2", "x.io/.well-known", "x.io/private!", "x.io/a%2Fb",
             "only.io/path", "*.wild.io", "*.deep.wild.io/d", "exact.wild.io/e", "hidden.io!", "hidden.io/public"});
  const std::string long_host = std::string(250, 'a') + ".io";
  struct Case {
    std::string host, path, expected;
  };
  const Case cases[] = {
      // Paths
      {"x.io", "/", "x.io"},
      {"x.io", "/index.html", "x.io"},
      {"x.io", "*", "x.io"},
      {"x.io", "/api", "x.io/api"},
      {"x.io", "/api/", "x.io/api"},
      {"x.io", "/api/v2", "x.io/api"},
      {"x.io", "/api/v1", "x.io/api/v1"},
      {"x.io", "/api/v1/", "x.io/api/v1"},
      {"x.io", "/api/v1/x", "x.io/api/v1"},
      {"x.io", "/api/v11", "x.io/api"},
      {"x.io", "/api-2/x", "x.io/api-2"},
      {"x.io", "/api-3", "x.io"},
      {"x.io", "/apis", "x.io"},
      {"x.io", "/API", "x.io"},
      {"x.io", "/zzz", "x.io"},
      {"x.io", "/.well-known/acme", "x.io/.well-known"},
      {"x.io", "/private", "x.io/private!"},
      {"x.io", "/private/deep", "x.io/private!"},
      {"x.io", "/privates", "x.io"},
      // The canonical form decides, so that no spelling gets around a Private rule.
      {"x.io", "/%70rivate", "x.io/private!"},
      {"x.io", "//private", "x.io/private!"},
      {"x.io", "/private?x=1", "x.io/private!"},
      {"x.io", "/api//v1", "x.io/api/v1"},
      {"x.io", "/a%2fb", "x.io/a%2Fb"},
      {"x.io", "/a/b", "x.io"},
      // No canonical form: no rule
      {"x.io", "/../private", "none"},
      {"x.io", "/%zz", "none"},
      {"x.io", "/a//../private", "none"},
      {"x.io", "", "none"},
      {"x.io", "api", "none"},
      {"x.io", "/" + std::string(16 * 1024, 'a'), "none"},
      {"x.io", "/api/" + std::string(16 * 1024 - 5, 'a'), "x.io/api"},
      // Hosts
      {"X.Io", "/api", "x.io/api"},
      {"x.io.", "/api", "x.io/api"},
      {"x.io..", "/", "none"},
      {"x.io:80", "/", "none"},
      {"y.io", "/", "none"},
      {"", "/", "none"},
      {".", "/", "none"},
      {"only.io", "/", "none"},
      {"only.io", "/path/x", "only.io/path"},
      {"s.wild.io", "/", "*.wild.io"},
      {"S.WILD.io.", "/", "*.wild.io"},
      {"a.b.wild.io", "/", "*.wild.io"},
      {"wild.io", "/", "none"},
      {".wild.io", "/", "none"},
      {"*.wild.io", "/", "*.wild.io"},
      {"s.deep.wild.io", "/d", "*.deep.wild.io/d"},
      {"s.deep.wild.io", "/", "none"},
      {"deep.wild.io", "/", "*.wild.io"},
      {"exact.wild.io", "/e", "exact.wild.io/e"},
      {"exact.wild.io", "/", "none"},
      {"a.exact.wild.io", "/", "*.wild.io"},
      {"hidden.io", "/", "hidden.io!"},
      {"hidden.io", "/x", "hidden.io!"},
      {"hidden.io", "/public/x", "hidden.io/public"},
      {"192.0.2.1", "/", "none"},
      {"[2001:db8::1]", "/", "none"},
      {long_host, "/", "none"},
      {long_host + "long", "/", "none"},
      {std::string("x\0.io", 5), "/", "none"},
      {std::string(253, '.'), "/", "none"},
  };
  for (const auto& c : cases) EXPECT_EQ(answer(*routes, c.host, c.path), c.expected) << c.host << c.path;
}

TEST(Table, InternationalNamesAndAddresses) {
  const auto routes = table({"xn--mnchen-3ya.de", "*.xn--p1ai", "[2001:db8::1]", "192.0.2.7", "*"});
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
      {"XN--MNCHEN-3YA.DE", "xn--mnchen-3ya.de"},
      {"xn--e1afmkfd.xn--p1ai.", "*.xn--p1ai"},
      {"[2001:db8::1]", "[2001:db8::1]"},
      {"[2001:DB8::1]", "[2001:db8::1]"},
      {"[2001:0db8:0:0:0:0:0:1]", "[2001:db8::1]"},
      {"[2001:db8::2]", "*"},
      {"[2001:db8::1", "*"},
      {"192.0.2.7", "192.0.2.7"},
      {"192.0.2.8", "*"},
      {"[::ffff:192.0.2.7]", "*"},
  };
  for (const auto& [host, expected] : cases) EXPECT_EQ(answer(*routes, host, "/"), expected) << host;
}

/// "ambiguous", or the rule that wins.
std::string verdict(const Table& table, std::string_view path) {
  PathRoom room;
  const Match match = table.match("x.io", path, room);
  if (match.is_ambiguous) return match.route == nullptr ? "ambiguous" : "both";
  return match.route == nullptr ? "none" : match.route->service;
}

TEST(Table, APathThatLeavesItsPrefixIsRefused) {
  const auto routes = table({"x.io", "x.io/api", "x.io/api/v1", "x.io/admin!", "x.io/a%2Fb"});
  const std::pair<std::string_view, std::string_view> cases[] = {
      // It stays below the rule that it begins with, or both are one.
      {"/x/../y", "x.io"},
      {"/x/./y/..", "x.io"},
      {"/api/x/../y", "x.io/api"},
      {"/api/.", "x.io/api"},
      {"/api/x/..", "x.io/api"},
      {"/%61pi/x", "x.io/api"},
      {"//api///x", "x.io/api"},
      {"/api/v1/x/../y", "x.io/api/v1"},
      {"/api/v1/../v1/x", "x.io/api/v1"},
      {"/admin/x/../y", "x.io/admin!"},
      {"/a%2fb/c", "x.io/a%2Fb"},
      {"/a%2fb/x%20y/%7ez", "x.io/a%2Fb"},
      // It does not.
      {"/api/../admin", "ambiguous"},
      {"/api/%2e%2e/admin", "ambiguous"},
      {"/%61pi/%2E%2E/%61dmin", "ambiguous"},
      {"/admin/..", "ambiguous"},
      {"/admin/../api", "ambiguous"},
      {"/./admin", "ambiguous"},
      {"/x/../admin", "ambiguous"},
      {"/api/v1/../v2", "ambiguous"},
      {"/api/./v1/x", "ambiguous"},
      {"/api/v1/..", "ambiguous"},
      {"/api/../admin?x=/api/y", "ambiguous"},
      // Nobody can tell what it stands for.
      {"/../admin", "ambiguous"},
      {"/api/..%2fadmin", "ambiguous"},
      {"/api/..;/admin", "ambiguous"},
      {"/%zz", "ambiguous"},
  };
  for (const auto& [path, expected] : cases) EXPECT_EQ(verdict(*routes, path), expected) << path;
}

TEST(Table, AnyHostComesLast) {
  const auto routes = table({"*", "x.io/x", "*.wild.io/w"});
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {"y.io", "/", "*"},
      {"", "/", "*"},
      {"192.0.2.1", "/", "*"},
      {"[2001:db8::1]", "/", "*"},
      {"x.io", "/x", "x.io/x"},
      {"x.io", "/", "none"},  // a host with rules of its own never falls through
      {"s.wild.io", "/", "none"},
      {"wild.io", "/", "*"},
      {std::string(253, 'a'), "/", "*"},
      {std::string(254, 'a'), "/", "none"},
  };
  for (const auto& [host, path, expected] : cases) EXPECT_EQ(answer(*routes, host, path), expected) << host << path;
}

TEST(Table, LongestPrefixAmongThousands) {
  std::vector<std::string> rules;
  std::string path = "x.io";
  for (int i = 0; i < 200; ++i) rules.push_back(path += "/a");
  for (int i = 0; i < 2000; ++i) rules.push_back("x.io/b" + std::to_string(i));
  const auto routes = table(rules);
  EXPECT_EQ(answer(*routes, "x.io", path.substr(4) + "/a/a/a"), path);
  EXPECT_EQ(answer(*routes, "x.io", "/a/a/b"), "x.io/a/a");
  EXPECT_EQ(answer(*routes, "x.io", "/a/a/!/x"), "x.io/a/a");
  EXPECT_EQ(answer(*routes, "x.io", "/b1999/z"), "x.io/b1999");
  EXPECT_EQ(answer(*routes, "x.io", "/b2000"), "none");
  EXPECT_EQ(answer(*routes, "x.io", "/"), "none");
}

TEST(Table, ServerNameOfUnknownNames) {
  const auto routes = table({"x.io", "*"});
  for (const auto& name : {std::string("y.io"), std::string(), std::string(300, 'a')}) {
    const ServerName found = routes->server_name(name);
    EXPECT_TRUE(found.first() == nullptr && found.tunnel == nullptr && !found.only_private) << name;
  }
}

}  // namespace
}  // namespace adit::routing
