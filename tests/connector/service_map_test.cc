#include "connector/service_map.h"

#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace adit::connector::test {
namespace {

using testing::HasSubstr;

TEST(ServiceUrl, IsRead) {
  struct Case {
    const char* text;
    const char* name;
    const char* target;
    bool tls;
  };
  const Case cases[] = {
      {"http://web", "default", "web:80", false},
      {"http://web/", "default", "web:80", false},
      {"web=http://web:8080", "web", "web:8080", false},
      {"api=https://10.0.0.7", "api", "10.0.0.7:443", true},
      {"api=https://api.test:8443/?serverName=a", "api", "api.test:8443", true},
      {"shop:80=http://shop", "shop:80", "shop:80", false},
      {"six=http://[2001:db8::1]", "six", "[2001:db8::1]:80", false},
      {"six=tcp://[::1]:5432", "six", "[::1]:5432", false},
      {"db=tcp://db:5432", "db", "db:5432", false},
      {"app=unix:///run/app.sock", "app", "unix:/run/app.sock", false},
      {"unix:///run/a=b.sock", "default", "unix:/run/a=b.sock", false},
  };
  for (const auto& c : cases) {
    const auto service = parse_service(c.text);
    ASSERT_TRUE(service) << c.text << ": " << service.error();
    EXPECT_EQ(service->name, c.name) << c.text;
    EXPECT_EQ(service->target.text(), c.target) << c.text;
    EXPECT_EQ(service->tls.has_value(), c.tls) << c.text;
  }
}

TEST(ServiceUrl, ParametersSayHowToVerify) {
  const auto service = parse_service("https://10.0.0.7?caFile=/etc/ca.pem&serverName=api.test");
  ASSERT_TRUE(service) << service.error();
  EXPECT_EQ(service->tls->ca_file, "/etc/ca.pem");
  EXPECT_EQ(service->tls->server_name, "api.test");
  EXPECT_FALSE(service->tls->insecure_skip_verify);
  EXPECT_EQ(parse_service("https://api.test")->tls->server_name, "api.test");
  EXPECT_TRUE(parse_service("https://api.test?insecureSkipVerify=true")->tls->insecure_skip_verify);
}

TEST(ServiceUrl, ThatIsWrongIsRefusedWithTheReason) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "no scheme"},
      {"web:80", "no scheme"},
      {"web=web:80", "no scheme"},
      {"web=", "no scheme"},
      {"ftp://web", "none of http, https, tcp and unix"},
      {"HTTP://web", "none of http, https, tcp and unix"},
      {"=http://web", "service name \"\""},
      {"a b=http://web", "service name \"a b\""},
      {"http://", "the host is missing"},
      {"http://:80", "the host is missing"},
      {"http://web:", "a port from 1 to 65535"},
      {"http://web:0", "a port from 1 to 65535"},
      {"http://web:65536", "a port from 1 to 65535"},
      {"http://web:8o", "a port from 1 to 65535"},
      {"tcp://db", "a port from 1 to 65535"},
      {"http://2001:db8::1", "brackets"},
      {"http://[::1", "\"]\" is missing"},
      {"http://web/app", "has a path"},
      {"http://user@web", "'@'"},
      {"http://web#x", "'#'"},
      {"http://web?caFile=/x", "only https:// takes parameters"},
      {"https://web?cafile=/x", "unknown parameter \"cafile\""},
      {"https://web?caFile=", "caFile has no value"},
      {"https://web?serverName", "serverName has no value"},
      {"https://web?insecureSkipVerify=yes", "neither true nor false"},
      {"https://web?insecureSkipVerify=true&caFile=/x", "of no use"},
      {"unix://run/app.sock", "an absolute path"},
      {"unix:///", "an absolute path"},
      {"unix:///" + std::string(120, 'x'), "longer than 107 bytes"},
  };
  for (const auto& [text, why] : cases) {
    const auto service = parse_service(text);
    ASSERT_FALSE(service) << text;
    EXPECT_THAT(service.error(), HasSubstr(why)) << text;
  }
}

TEST(ServiceMap, FindsByTheExactNameOnly) {
  ServiceMap map;
  ASSERT_TRUE(map.add(*parse_service("web=http://web")));
  ASSERT_TRUE(map.add(*parse_service("http://other")));
  EXPECT_EQ(map.find("web")->target.text(), "web:80");
  EXPECT_EQ(map.find("default")->target.text(), "other:80");
  EXPECT_EQ(map.index_of(*map.find("default")), 1U);
  for (const char* name : {"", "we", "webb", "WEB", "other"}) EXPECT_EQ(map.find(name), nullptr) << name;
  const auto again = map.add(*parse_service("web=http://third"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), "service \"web\" is given twice");
}

TEST(ServiceMap, NamesTheServiceWhoseCaIsOfNoUse) {
  const std::string path = testing::TempDir() + std::to_string(getpid()) + "adit-map-ca.pem";
  const std::pair<const char*, const char*> cases[] = {
      {nullptr, "can't be read: No such file"}, {"", "is empty"}, {"not PEM", "no PEM certificate"}};
  for (const auto& [content, why] : cases) {
    std::remove(path.c_str());
    if (content != nullptr) std::ofstream(path) << content;
    ServiceMap map;
    ASSERT_TRUE(map.add(*parse_service("api=https://api?caFile=" + path)));
    const auto loaded = map.load_trust();
    ASSERT_FALSE(loaded) << why;
    EXPECT_THAT(loaded.error(), HasSubstr("service \"api\""));
    EXPECT_THAT(loaded.error(), HasSubstr(why));
  }
  std::remove(path.c_str());
}

}  // namespace
}  // namespace adit::connector::test
