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
