// Routes, filters and limits of requests, without a connection.

#include "gateway/admission.h"

#include <future>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/limit_metrics.h"
#include "http/parser.h"
#include "routing/configuration.h"

namespace adit::gateway {
namespace {

using routing::Filters;
using testing::HasSubstr;
using testing::Not;
using Kind = Verdict::Kind;

const base::TimePoint kNow{std::chrono::seconds(1000)};
/// "secret", cost 4.
constexpr const char* kBcrypt = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

/// All but those whose service is listed.
class FakeServed final : public ServedRules {
 public:
  std::set<std::string> away;
  bool is_served(const routing::Route& rule) override { return !away.contains(rule.service); }
};

/// One tunnel with the host h.test and one rule, and others beside it.
class AdmissionTest : public testing::Test {
 protected:
  void rule(Filters filters, std::string path = "/") {
    auto tunnel = std::make_shared<routing::Tunnel>(shop);
    auto configuration = std::make_shared<routing::TunnelConfiguration>();
    configuration->tunnel = tunnel;
    configuration->rules = {{"h.test", std::move(path), "web", false, std::make_shared<const Filters>(filters)},
                            {"*", "/any", "web", false, nullptr},
                            {"p.test", "/", "web", true, nullptr}};
    const routing::TunnelConfigurationPtr all[] = {configuration};
    table = routing::build_table(all);
  }

  Verdict ask(std::string_view target, std::string_view fields = "", std::string_view method = "GET") {
    text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n" +
           (fields.find("Host:") == std::string_view::npos ? "Host: h.test\r\n" : "") + std::string(fields) + "\r\n";
    http::RequestParser parser;
    EXPECT_EQ(parser.parse_head(text, head).progress, http::Progress::complete) << text;
    origin = origin_of(visitor, head, settings.trusted_proxies);
    return admission.admit({head, origin, visitor, server_name, lot}, *table, kNow);
  }

  static VisitorEndpoint from(const char* address) {
    VisitorEndpoint endpoint;
    endpoint.address = *base::IpAddress::parse(address);
    endpoint.host = address;
    endpoint.port = "8080";
    return endpoint;
  }

  routing::Tunnel shop{"id", "team/shop", {}};
  std::shared_ptr<const routing::Table> table;
  EdgeSettings settings;
  AdmissionShared shared;
  FakeServed served;
  Admission admission{shared, settings, served};
  std::uint64_t lot = 0;
  VisitorEndpoint visitor = from("203.0.113.9");
  RequestOrigin origin;
  http::RequestHead head;
  std::string text;
  std::string server_name;
};

TEST_F(AdmissionTest, Routes) {
  rule({});
  EXPECT_EQ(ask("/").kind, Kind::forward);
  EXPECT_EQ(ask("/", "Host: x.test\r\n").status, 404);
  EXPECT_EQ(ask("/", "Host: p.test\r\n").status, 404);
  EXPECT_EQ(ask("/", "Host: p.test\r\n").route, nullptr) << "nothing tells a Private route from none";
  EXPECT_EQ(ask("/a/../../b").status, 400);
  EXPECT_EQ(ask("/%zz").status, 400);
  EXPECT_EQ(ask("/.well-known/adit/link", "Connection: Upgrade\r\nUpgrade: adit-link/1\r\n").status, 404);
}

TEST_F(AdmissionTest, MisdirectedNames) {
  rule({});
  visitor.tls = true;
  for (const auto& [name, status] : std::initializer_list<std::pair<const char*, int>>{
           {"", 0}, {"h.test", 0}, {"H.TEST", 0}, {"nobody.test", 0}, {"p.test", 421}}) {
    server_name = name;
    EXPECT_EQ(ask("/").status, status) << name;
  }
}

TEST_F(AdmissionTest, RedirectToHttps) {
  shop.redirect_to_https = true;
  rule({});
  shared.https_port = 8443;
  const auto location = [&](std::string_view target, std::string_view fields = "") {
    const auto verdict = ask(target, fields);
    EXPECT_EQ(verdict.status, 308);
    return std::string(verdict.fields);
  };
  EXPECT_EQ(location("/a%20b?c=d", "Host: h.test:8080\r\n"), "Location: https://h.test:8443/a%20b?c=d\r\n");
  EXPECT_EQ(location("/a%20b?c=d"), "Location: https://h.test/a%20b?c=d\r\n") << "80 is mapped, so is 443";
  settings.https_redirect_port = 443;
  EXPECT_EQ(location("/", "Host: H.test:8080\r\n"), "Location: https://H.test/\r\n");
  EXPECT_EQ(location("/any", "Host: [::1]\r\n"), "Location: https://[::1]/any\r\n");
  visitor.tls = true;
  EXPECT_EQ(ask("/").kind, Kind::forward);
  visitor.tls = false;
  visitor.trusted = true;
  EXPECT_EQ(ask("/", "X-Forwarded-Proto: https\r\n").kind, Kind::forward) << "a proxy has ended TLS";
}

TEST_F(AdmissionTest, AllowedAddresses) {
  Filters filters;
  filters.allowed = {*base::IpNetwork::parse("192.0.2.0/24"), *base::IpNetwork::parse("2001:db8::/32")};
  rule(filters);
  EXPECT_EQ(ask("/").status, 403);
  EXPECT_EQ(ask("/", "X-Forwarded-For: 192.0.2.1\r\n").status, 403) << "anybody can say so";
  visitor = from("192.0.2.77");
  EXPECT_EQ(ask("/").kind, Kind::forward);
  visitor = from("::ffff:192.0.2.77");
  EXPECT_EQ(ask("/").kind, Kind::forward);
  visitor = from("10.0.0.1");
  visitor.trusted = true;
  settings.trusted_proxies = {*base::IpNetwork::parse("10.0.0.0/8")};
  EXPECT_EQ(ask("/", "X-Forwarded-For: 192.0.2.1\r\n").kind, Kind::forward);
  EXPECT_EQ(ask("/", "X-Forwarded-For: 192.0.2.1, 203.0.113.9\r\n").status, 403);
}

TEST_F(AdmissionTest, BasicAuth) {
  Filters filters;
  filters.basic_auth = routing::BasicAuth{"shop", {{"ann", kBcrypt}}};
  rule(filters);
  auto verdict = ask("/");
  EXPECT_EQ(verdict.status, 401);
  EXPECT_EQ(verdict.fields, "WWW-Authenticate: Basic realm=\"shop\", charset=\"UTF-8\"\r\n");
  const char* right = "Authorization: Basic YW5uOnNlY3JldA==\r\n";
  const char* wrong = "Authorization: Basic YW5uOndyb25n\r\n";
  const char* nobody = "Authorization: Basic Ym9iOnNlY3JldA==\r\n";
  const auto settle = [&](const char* fields) {
    verdict = ask("/", fields);
    ASSERT_EQ(verdict.kind, Kind::wait);
    std::promise<bool> answer;
    ASSERT_TRUE(shared.passwords.check(verdict.question.password, verdict.question.bcrypt,
                                       [&](bool is_right) { answer.set_value(is_right); }));
    admission.password_checked(verdict.question.key, "203.0.113.9", answer.get_future().get(), kNow);
  };
  settle(right);
  EXPECT_EQ(ask("/", right).kind, Kind::forward);
  settle(wrong);
  EXPECT_EQ(ask("/", wrong).status, 401);
  settle(nobody);
  EXPECT_EQ(ask("/", nobody).status, 401);
  EXPECT_EQ(ask("/", "Authorization: Basic !\r\n").status, 401);
  filters.basic_auth->logins.clear();
  rule(filters);
  settle(right);
  EXPECT_EQ(ask("/", right).status, 401) << "without its Secret nobody gets in";
}

TEST_F(AdmissionTest, WrongPasswordsOfAnAddressAreCounted) {
  Filters filters;
  filters.basic_auth = routing::BasicAuth{"shop", {{"ann", kBcrypt}}};
  rule(filters);
  const char* wrong = "Authorization: Basic YW5uOndyb25n\r\n";
  for (int i = 0; i < 30; ++i) admission.password_checked(PasswordKey{1}, "203.0.113.9", false, kNow);
  EXPECT_EQ(ask("/", wrong).status, 429);
  visitor = from("203.0.113.10");
  EXPECT_EQ(ask("/", wrong).kind, Kind::wait);
}

TEST_F(AdmissionTest, LimitsOfTheTunnel) {
  shop.limits.connections = 1;
  rule({});
  auto first = ask("/");
  EXPECT_EQ(first.kind, Kind::forward);
  auto second = ask("/");
  EXPECT_EQ(second.status, 503);
  EXPECT_EQ(second.fields, "Retry-After: 1\r\n");
  EXPECT_EQ(second.limited, TunnelLimit::connections);
  first.place.give_back();
  EXPECT_EQ(ask("/").kind, Kind::forward);
  shop.limits = {0, 2};
  rule({});
  EXPECT_EQ(ask("/").kind, Kind::forward);
  EXPECT_EQ(ask("/").limited, std::nullopt);
  const auto third = ask("/");
  EXPECT_EQ(third.status, 429);
  EXPECT_EQ(third.limited, TunnelLimit::rate);
}

TEST_F(AdmissionTest, TheGatewaysOwnLimitsAreForTunnelsThatSayNothing) {
  settings.tunnel_limits.requests_per_second = 1;
  rule({});
  EXPECT_EQ(ask("/").kind, Kind::forward);
  EXPECT_EQ(ask("/").status, 429);
  shop.limits.requests_per_second = 0;
  rule({});
  EXPECT_EQ(ask("/").kind, Kind::forward);
}

TEST_F(AdmissionTest, LimitsAreShownBesideWhatIsUnderWay) {
  telemetry::Registry registry;
  registry.add([&](telemetry::Families& families) { collect_limits(*table, settings, shared.gates, families); });
  rule({});
  EXPECT_THAT(registry.text(), HasSubstr("adit_gateway_tunnels 1\n"));
  EXPECT_THAT(registry.text(), Not(HasSubstr("_limit{"))) << "no limits, no series";
  EXPECT_THAT(registry.text(), Not(HasSubstr("\nadit_gateway_connections_limit ")));
  shop.limits.connections = 3;
  settings.connections = 9;
  rule({});
  const auto first = ask("/");
  const auto second = ask("/");
  EXPECT_THAT(registry.text(), HasSubstr("adit_gateway_connections_limit 9\n"));
  EXPECT_THAT(registry.text(), HasSubstr("adit_gateway_tunnel_connections_limit{tunnel=\"team/shop\"} 3\n"));
  EXPECT_THAT(registry.text(), HasSubstr("adit_gateway_tunnel_connections_open{tunnel=\"team/shop\"} 2\n"));
}

TEST_F(AdmissionTest, BodySize) {
  Filters filters;
  filters.most_body = 10;
  rule(filters);
  EXPECT_EQ(ask("/", "Content-Length: 11\r\n", "POST").status, 413);
  EXPECT_EQ(ask("/", "Content-Length: 10\r\n", "POST").most_body, 10U);
  EXPECT_EQ(ask("/", "Transfer-Encoding: chunked\r\n", "POST").most_body, 10U);
}

TEST_F(AdmissionTest, Redirects) {
  using Change = routing::PathChange;
  const struct {
    routing::Redirect to;
    const char* rule;
    const char* asked;
    const char* location;
  } cases[] = {
      {{"https", "", 0, {}, 301}, "/", "/a?b", "https://h.test/a?b"},
      {{"", "other.test", 0, {}, 302}, "/", "/a", "http://other.test:8080/a"},
      {{"", "other.test", 80, {}, 302}, "/", "/a", "http://other.test/a"},
      {{"https", "other.test", 8443, {}, 302}, "/", "/a", "https://other.test:8443/a"},
      {{"http", "other.test", 443, {}, 302}, "/", "/a", "http://other.test:443/a"},
      {{"https", "other.test", 443, {}, 302}, "/", "/a", "https://other.test/a"},
      {{"", "", 0, Change{Change::Kind::full, "/new"}, 302}, "/old", "/old/x?q=1", "http://h.test:8080/new?q=1"},
      {{"", "", 0, Change{Change::Kind::prefix, "/new"}, 308}, "/old", "/old/x?q=1", "http://h.test:8080/new/x?q=1"},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.location);
    Filters filters;
    filters.redirect = row.to;
    rule(filters, row.rule);
    const auto verdict = ask(row.asked, "Host: h.test:8080\r\n");
    EXPECT_EQ(verdict.status, row.to.status);
    EXPECT_EQ(verdict.fields, std::string("Location: ") + row.location + "\r\n");
  }
}

TEST_F(AdmissionTest, PathRewrites) {
  using Change = routing::PathChange;
  const struct {
    Change change;
    const char* rule;
    const char* asked;
    const char* forwarded;
  } cases[] = {
      {{Change::Kind::prefix, "/xyz"}, "/foo", "/foo/bar", "/xyz/bar"},
      {{Change::Kind::prefix, "/xyz/"}, "/foo", "/foo/bar", "/xyz/bar"},
      {{Change::Kind::prefix, "/xyz"}, "/foo", "/foo", "/xyz"},
      {{Change::Kind::prefix, "/xyz"}, "/foo", "/foo/", "/xyz/"},
      {{Change::Kind::prefix, "/xyz/"}, "/foo", "/foo", "/xyz"},
      {{Change::Kind::prefix, "/"}, "/foo", "/foo/bar?a=/foo", "/bar?a=/foo"},
      {{Change::Kind::prefix, "/"}, "/foo", "/foo", "/"},
      {{Change::Kind::prefix, "/"}, "/foo", "/foo/", "/"},
      {{Change::Kind::prefix, "/"}, "/foo", "/foo?x", "/?x"},
      {{Change::Kind::prefix, "/xyz"}, "/", "/a/b", "/xyz/a/b"},
      {{Change::Kind::prefix, "/xyz"}, "/", "/", "/xyz/"},
      {{Change::Kind::prefix, "/xyz"}, "/foo", "/foo/%7Euser/%2F//x", "/xyz/%7Euser/%2F//x"},
      {{Change::Kind::prefix, "/xyz"}, "/foo", "/%66oo/%7Euser", "/xyz/~user"},
      {{Change::Kind::full, "/all"}, "/foo", "/foo/bar?q", "/all?q"},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.asked);
    Filters filters;
    filters.path = row.change;
    rule(filters, row.rule);
    const auto verdict = ask(row.asked);
    ASSERT_EQ(verdict.kind, Kind::forward);
    EXPECT_EQ(verdict.edits.target, row.forwarded);
  }
}

TEST_F(AdmissionTest, EditsOfHeads) {
  using Change = routing::HeaderChange;
  Filters filters;
  filters.host = "inside";
  filters.request_headers = {{Change::Kind::set, "A", "1"}, {Change::Kind::remove, "B", ""}};
  filters.response_headers = {{Change::Kind::add, "C", "2"}};
  rule(filters);
  const auto verdict = ask("/x");
  EXPECT_EQ(verdict.edits.authority, "inside");
  EXPECT_EQ(verdict.edits.target, "") << "as received";
  ASSERT_EQ(verdict.edits.fields.size(), 2U);
  EXPECT_EQ(verdict.edits.fields[1].kind, http::FieldEdit::Kind::remove);
  const auto answer = admission.response_edits(&filters, {});
  ASSERT_EQ(answer.size(), 1U);
  EXPECT_EQ(answer[0].name, "C");
  const auto more = admission.response_edits(&filters, "a=1");
  ASSERT_EQ(more.size(), 2U);
  EXPECT_EQ(more[1].name, "Set-Cookie");
  EXPECT_EQ(more[1].value, "a=1");
  EXPECT_EQ(admission.response_edits(nullptr, {}).size(), 0U);
}

TEST_F(AdmissionTest, Affinity) {
  using Mode = routing::Affinity::Mode;
  rule({});
  EXPECT_FALSE(ask("/").wish);
  EXPECT_EQ(ask("/").edits.hidden_cookie, "");
  shop.affinity.mode = Mode::address;
  rule({});
  EXPECT_EQ(ask("/").wish.mode(), Mode::address);
  EXPECT_EQ(ask("/").edits.hidden_cookie, "");
  shop.affinity = {Mode::cookie, "home", std::chrono::seconds(90)};
  rule({});
  AffinityCookie cookie;
  cookie.put({affinity_digest("id"), affinity_digest("web"), 7});
  AffinityCookie::Room room;
  const std::string own = "home=" + std::string(cookie.text(room));
  for (const auto& [field, known] :
       std::initializer_list<std::pair<std::string, bool>>{{"", false},
                                                           {"Cookie: home=1\r\n", false},
                                                           {"Cookie: " + own + "\r\n", true},
                                                           {"Cookie: a=1; home=1; " + own + "\r\n", true},
                                                           {"Cookie: a=1\r\ncookie: " + own + "\r\n", true},
                                                           {"Cookie: HOME" + own.substr(4) + "\r\n", false}}) {
    const auto verdict = ask("/", field);
    EXPECT_EQ(verdict.wish.mode(), Mode::cookie) << field;
    EXPECT_EQ(verdict.wish.is_known(), known) << field;
    EXPECT_EQ(verdict.edits.hidden_cookie, "home") << field;
  }
  EXPECT_EQ(admission.set_cookie(shop.affinity, cookie, false), own + "; Path=/; HttpOnly; SameSite=Lax; Max-Age=90");
  shop.affinity.max_age = std::chrono::seconds(0);
  EXPECT_EQ(admission.set_cookie(shop.affinity, cookie, true), own + "; Path=/; HttpOnly; SameSite=Lax; Secure");
}

/// Tunnels that share h.test by weight, each with a service of its own name.
class SharingTest : public AdmissionTest {
 protected:
  struct Share {
    const char* name;
    std::uint32_t weight;
    bool gives_cookies = false;
  };
  void share(std::initializer_list<Share> shares) {
    std::vector<routing::TunnelConfigurationPtr> all;
    for (const auto& [name, weight, gives_cookies] : shares) {
      auto tunnel = std::make_shared<routing::Tunnel>();
      tunnel->id = tunnel->name = name;
      if (gives_cookies) tunnel->affinity = {routing::Affinity::Mode::cookie, "home", {}};
      auto configuration = std::make_shared<routing::TunnelConfiguration>();
      configuration->tunnel = tunnel;
      configuration->rules = {{"h.test", "/", name, false, nullptr, weight}};
      all.push_back(configuration);
    }
    table = routing::build_table(all);
  }
  /// How many of `count` requests each gets; "503" of those that none does.
  std::map<std::string, int> spread(int count, std::string_view fields = "") {
    std::map<std::string, int> found;
    Lots lots(12345);
    for (int i = 0; i < count; ++i) {
      lot = lots.draw();
      const auto verdict = ask("/", fields);
      ++found[verdict.kind == Kind::forward ? verdict.route->service : std::to_string(verdict.status)];
      moved += verdict.share_moved ? 1 : 0;
    }
    return found;
  }
  static std::string cookie_of(std::initializer_list<std::pair<const char*, int>> entries) {
    AffinityCookie cookie;
    for (const auto& [name, instance] : entries) {
      cookie.put({affinity_digest(name), affinity_digest(name), static_cast<link::InstanceKey>(instance)});
    }
    AffinityCookie::Room room;
    return "Cookie: home=" + std::string(cookie.text(room)) + "\r\n";
  }
  int moved = 0;
};

TEST_F(SharingTest, ByWeight) {
  using Spread = std::map<std::string, int>;
  share({{"a", 90}, {"b", 10}});
  for (int i = 0; i < 5; ++i) {
    auto found = spread(1000);
    EXPECT_NEAR(found["a"], 900, 3);
    EXPECT_NEAR(found["b"], 100, 3);
  }
  share({{"a", 1000}, {"b", 1}, {"c", 0}});
  auto found = spread(10'010);
  EXPECT_NEAR(found["b"], 10, 3);
  EXPECT_FALSE(found.contains("c"));
  share({{"a", 1}, {"b", 1}, {"c", 1}});
  for (const auto& [name, count] : spread(3000)) EXPECT_NEAR(count, 1000, 3) << name;
  share({{"a", 0}, {"b", 0}});
  EXPECT_EQ(spread(10), (Spread{{"503", 10}}));
  share({{"a", 0}});
  EXPECT_EQ(spread(10), (Spread{{"a", 10}})) << "alone, its weight means nothing";
  EXPECT_EQ(moved, 0);
}

TEST_F(SharingTest, WhereOneIsAwayTheOthersServe) {
  using Spread = std::map<std::string, int>;
  share({{"a", 50}, {"b", 30}, {"c", 20}, {"d", 0}});
  served.away = {"a"};
  auto found = spread(1000);
  EXPECT_NEAR(found["b"], 600, 40);
  EXPECT_NEAR(found["c"], 400, 40);
  EXPECT_NEAR(moved, 500, 3);
  served.away = {"a", "b"};
  EXPECT_EQ(spread(100), (Spread{{"c", 100}}));
  served.away = {"a", "b", "c"};
  EXPECT_FALSE(spread(100).contains("d")) << "it shall get nothing";
}

TEST_F(SharingTest, ACookieKeepsItsTunnel) {
  using Spread = std::map<std::string, int>;
  share({{"a", 99, true}, {"b", 1, true}, {"c", 0, true}, {"d", 50}});
  EXPECT_EQ(spread(50, cookie_of({{"b", 7}})), (Spread{{"b", 50}}));
  EXPECT_EQ(spread(50, cookie_of({{"a", 7}, {"b", 7}})), (Spread{{"b", 50}})) << "the last one";
  EXPECT_EQ(spread(50, cookie_of({{"b", 7}, {"x", 7}})), (Spread{{"b", 50}})) << "one of another rule says nothing";
  EXPECT_GT(spread(150, cookie_of({{"c", 7}}))["a"], 50) << "weight 0 gets nothing";
  EXPECT_GT(spread(150, cookie_of({{"d", 7}}))["a"], 50) << "it gives no cookies";
  served.away = {"b"};
  EXPECT_FALSE(spread(150, cookie_of({{"b", 7}})).contains("b"));
  EXPECT_EQ(spread(50, cookie_of({{"a", 7}, {"b", 7}})), (Spread{{"a", 50}}));
}

TEST_F(SharingTest, TheSameLotIsTheSameTunnel) {
  share({{"a", 1}, {"b", 1}});
  for (lot = 0; lot < 10; ++lot) EXPECT_EQ(ask("/").route, ask("/").route);
}

}  // namespace
}  // namespace adit::gateway
