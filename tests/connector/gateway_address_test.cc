#include "connector/gateway_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::connector::test {
namespace {

TEST(GatewayAddress, IsAHostOrAUrl) {
  const struct {
    const char* text;
    const char* target;
    const char* prefix;
    bool encrypted;
    const char* host_field;
    const char* shown;
  } cases[] = {
      {"edge.test", "edge.test:7443", "", true, "edge.test:7443", "edge.test:7443"},
      {"edge.test:443", "edge.test:443", "", true, "edge.test", "edge.test:443"},
      {"[2001:db8::1]:7443", "[2001:db8::1]:7443", "", true, "[2001:db8::1]:7443", "[2001:db8::1]:7443"},
      {"https://edge.test", "edge.test:443", "", true, "edge.test", "https://edge.test"},
      {"https://edge.test/", "edge.test:443", "", true, "edge.test", "https://edge.test"},
      {"https://edge.test:8443", "edge.test:8443", "", true, "edge.test:8443", "https://edge.test:8443"},
      {"https://edge.test/adit", "edge.test:443", "/adit", true, "edge.test", "https://edge.test/adit"},
      {"https://edge.test:443/a/b/", "edge.test:443", "/a/b", true, "edge.test", "https://edge.test/a/b"},
      {"https://[::1]/x", "[::1]:443", "/x", true, "[::1]", "https://[::1]/x"},
      {"http://edge.test", "edge.test:80", "", false, "edge.test", "http://edge.test"},
      {"http://edge.test:443/x", "edge.test:443", "/x", false, "edge.test:443", "http://edge.test:443/x"},
  };
  for (const auto& one : cases) {
    const auto address = parse_gateway_address(one.text);
    ASSERT_TRUE(address) << one.text << ": " << address.error();
    EXPECT_EQ(address->target.text(), one.target) << one.text;
    EXPECT_EQ(address->prefix, one.prefix) << one.text;
    EXPECT_EQ(address->encrypted, one.encrypted) << one.text;
    EXPECT_EQ(address->host_field(), one.host_field) << one.text;
    EXPECT_EQ(address->text(), one.shown) << one.text;
  }
}

TEST(GatewayAddress, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "the host is missing"},
      {"edge.test:0", "a port from 1 to 65535"},
      {"edge.test/x", "a path needs a scheme"},
      {"https://", "the host is missing"},
      {"https:///x", "the host is missing"},
      {"https://edge.test:x", "a port from 1 to 65535"},
      {"https://edge.test/x?y", "no path"},
      {"https://edge.test/x#y", "no path"},
      {"https://edge.test/x y", "no path"},
      {"https://edge.test/x\r\nHost: y", "no path"},
      {"wss://edge.test", "neither https nor http"},
      {"https://2001:db8::1/", "needs brackets"},
  };
  for (const auto& [text, why] : cases) {
    const auto address = parse_gateway_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error(), testing::HasSubstr(why)) << text;
  }
}

TEST(GatewayAddress, ErrorsHoldNoPassword) {
  const auto address = parse_gateway_address("https://user:secret@edge.test/");
  ASSERT_FALSE(address);
  EXPECT_THAT(address.error(), testing::Not(testing::HasSubstr("secret")));
}

}  // namespace
}  // namespace adit::connector::test
