#include "connector/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::connector::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ProxyUrl, HasHostPortAndCredentials) {
  const struct {
    const char* url;
    const char* shown;
    const char* credentials;
  } cases[] = {
      {"http://proxy.test:3128", "http://proxy.test:3128", ""},
      {"http://proxy.test", "http://proxy.test:80", ""},
      {"proxy.test:3128", "http://proxy.test:3128", ""},
      {"http://proxy.test:3128/", "http://proxy.test:3128", ""},
      {"http://[::1]:3128", "http://[::1]:3128", ""},
      {"http://user:pass@proxy.test:3128", "http://proxy.test:3128", "user:pass"},
      {"http://user:p%40ss%3a@proxy.test:3128", "http://proxy.test:3128", "user:p@ss:"},
      {"http://user:p@ss@proxy.test:3128", "http://proxy.test:3128", "user:p@ss"},
      {"http://user:@proxy.test:3128", "http://proxy.test:3128", "user:"},
  };
  for (const auto& one : cases) {
    const auto proxy = parse_proxy(one.url);
    ASSERT_TRUE(proxy) << one.url << ": " << proxy.error();
    EXPECT_EQ(proxy->text(), one.shown) << one.url;
    EXPECT_EQ(proxy->credentials, one.credentials) << one.url;
  }
}

TEST(ProxyUrl, SaysWhatIsWrongWithoutItsPassword) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not of the form"},
      {"http://", "not of the form"},
      {"https://u:secret@proxy.test:3128", "TLS to the proxy"},
      {"socks5://u:secret@proxy.test:1080", "only http:// proxies"},
      {"http://secret@proxy.test:3128", "no USER:PASSWORD"},
      {"http://:secret@proxy.test:3128", "no USER:PASSWORD"},
      {"http://u:secret%zz@proxy.test", "wrong %-escape"},
      {"http://u:secret%0d%0aX: y@proxy.test", "control characters"},
      {"http://u:secret:proxy.test:3128", "not of the form"},
      {"http://u:secret@proxy.test:99999", "not of the form"},
      {"http://u:secret@proxy.test/secret", "not of the form"},
  };
  for (const auto& [url, why] : cases) {
    const auto proxy = parse_proxy(url);
    ASSERT_FALSE(proxy) << url;
    EXPECT_THAT(proxy.error(), HasSubstr(why)) << url;
    EXPECT_THAT(proxy.error(), Not(HasSubstr("secret"))) << url;
  }
}

ProxySettings settings_of(std::string_view setting, std::vector<const char*> environment) {
  environment.push_back(nullptr);
  std::vector<std::string> problems;
  auto settings = read_proxy_settings(setting, environment.data(), problems);
  EXPECT_TRUE(settings) << settings.error();
  return *std::move(settings);
}

std::string way_to(const char* host, std::string_view setting, std::vector<const char*> environment) {
  const auto settings = settings_of(setting, std::move(environment));
  const auto decision = decide_proxy(settings, {net::Target::Kind::tcp, host, 7443, ""});
  return (decision.proxy != nullptr ? decision.proxy->target.text() : "none") + " " + decision.why;
}

TEST(ProxyDecision, FollowsSettingAndEnvironment) {
  const struct {
    const char* host;
    const char* setting;
    std::vector<const char*> environment;
    const char* way;
  } cases[] = {
      {"edge.test", "", {}, "none no setting"},
      {"edge.test", "", {"HTTPS_PROXY=http://a:1"}, "a:1 HTTPS_PROXY"},
      {"edge.test", "", {"HTTPS_PROXY=http://a:1", "https_proxy=http://b:1"}, "b:1 https_proxy"},
      {"edge.test", "", {"ALL_PROXY=http://a:1"}, "a:1 ALL_PROXY"},
      {"edge.test", "", {"all_proxy=http://a:1", "HTTPS_PROXY=http://b:1"}, "b:1 HTTPS_PROXY"},
      {"edge.test", "", {"HTTPS_PROXY=", "ALL_PROXY=http://a:1"}, "a:1 ALL_PROXY"},
      {"edge.test", "", {"HTTP_PROXY=http://a:1"}, "none no setting"},
      {"edge.test", "", {"HTTPS_PROXY=http://a:1", "NO_PROXY=x,.test"}, "none NO_PROXY: .test"},
      {"edge.test", "", {"HTTPS_PROXY=http://a:1", "no_proxy=edge.test:7443"}, "none NO_PROXY: edge.test:7443"},
      {"edge.test", "", {"HTTPS_PROXY=http://a:1", "no_proxy=y", "NO_PROXY=*"}, "a:1 HTTPS_PROXY"},
      {"edge.test", "off", {"HTTPS_PROXY=http://a:1"}, "none --proxy off"},
      {"edge.test", "off", {"HTTPS_PROXY=socks5://a:1"}, "none --proxy off"},
      {"edge.test", "http://c:1", {"HTTPS_PROXY=http://a:1"}, "c:1 --proxy"},
      {"edge.test", "http://c:1", {"NO_PROXY=edge.test"}, "none NO_PROXY: edge.test"},
      {"localhost", "", {"HTTPS_PROXY=http://a:1"}, "none a loopback address is not for the proxy of HTTPS_PROXY"},
      {"127.0.0.1", "", {"ALL_PROXY=http://a:1"}, "none a loopback address is not for the proxy of ALL_PROXY"},
      {"localhost", "http://c:1", {}, "c:1 --proxy"},
  };
  for (const auto& one : cases) EXPECT_EQ(way_to(one.host, one.setting, one.environment), one.way);
}

TEST(ProxyDecision, AWrongEnvironmentIsNamedWithoutItsPassword) {
  const char* environment[] = {"ALL_PROXY=socks5://u:secret@a:1", nullptr};
  std::vector<std::string> problems;
  const auto settings = read_proxy_settings("", environment, problems);
  ASSERT_FALSE(settings);
  EXPECT_THAT(settings.error(), HasSubstr("ALL_PROXY: only http:// proxies"));
  EXPECT_THAT(settings.error(), HasSubstr("--proxy off"));
  EXPECT_THAT(settings.error(), Not(HasSubstr("secret")));
}

TEST(ProxyCredentials, AreUserAndPassword) {
  for (const char* right : {"u:p", "u:", "user name:pass word", "u:p:q", "\xc3\xbc:\xc3\xa9"}) {
    EXPECT_TRUE(check_proxy_credentials(right)) << right;
  }
  for (const char* wrong : {"", "u", ":p", "u:p\nu:p", "u:p\r", "u:\tp", "u:p\x7f"}) {
    EXPECT_FALSE(check_proxy_credentials(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace adit::connector::test
