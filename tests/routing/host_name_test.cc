#include "routing/host_name.h"

namespace adit::routing {
namespace {

std::string canonical(std::string_view text) {
  const auto host = canonical_host(text);
  return host ? *host : "refused: " + host.error();
}

TEST(HostName, CanonicalForms) {
  const std::pair<std::string, std::string> cases[] = {
      {"shop.example.com", "shop.example.com"},
      {"Shop.EXAMPLE.com", "shop.example.com"},
      {"shop.example.com.", "shop.example.com"},
      {"*.Example.com", "*.example.com"},
      {"*", "*"},
      {"localhost", "localhost"},
      {"*.com", "*.com"},
      {"xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
      {"XN--Mnchen-3YA.de", "xn--mnchen-3ya.de"},
      {"1.example", "1.example"},
      {"192.0.2.1", "192.0.2.1"},
      {"[2001:db8::1]", "[2001:db8::1]"},
      {"[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]"},
      {"[::1]", "[::1]"},
      {"[::]", "[::]"},
      {"a-b.c-d", "a-b.c-d"},
      {std::string(63, 'a') + ".example", std::string(63, 'a') + ".example"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(canonical(text), expected) << text;
}

TEST(HostName, Refusals) {
  const std::string long_label(64, 'a');
  std::string long_name;
  while (long_name.size() < 250) long_name += "abc.";
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "must not be empty"},
      {"shop..example.com", "empty label"},
      {".example.com", "empty label"},
      {".", "empty label"},
      {"*.", "whole first label"},
      {"*..", "empty label"},
      {"shop.example.com..", "empty label"},
      {"foo.*.example.com", "whole first label"},
      {"*foo.example.com", "whole first label"},
      {"**.example.com", "whole first label"},
      {"*.*.example.com", "whole first label"},
      {"-shop.example.com", "hyphen"},
      {"shop-.example.com", "hyphen"},
      {"sh_op.example.com", "letters, digits, hyphens"},
      {"shop example.com", "letters, digits, hyphens"},
      {"münchen.de", "A-label"},
      {"https://shop.example.com", "without a scheme"},
      {"shop.example.com/api", "path"},
      {"shop.example.com:8080", "without a port"},
      {"192.0.2.01", "ends in a number"},
      {"192.0.2.256", "ends in a number"},
      {"192.0.2", "ends in a number"},
      {"*.0.2.1", "ends in a number"},
      {"1.2.3.0x4", "ends in a number"},
      {"5", "ends in a number"},
      {"2001:db8::1", "in brackets"},
      {"[2001:db8::1]:80", "without port"},
      {"[fe80::1%eth0]", "and zone"},
      {"[2001:db8::1", "in brackets"},
      {"[]", "in brackets"},
      {"[", "in brackets"},
      {"[192.0.2.1]", "in brackets"},
      {"[::ffff:192.0.2.1]", "in brackets"},
      {"[::ffff:c000:201]", "in brackets"},
      {std::string("[::1\0]", 6), "in brackets"},
      {"[" + std::string(60, '0') + "]", "in brackets"},
      {long_label + ".example", "63"},
      {long_name + "example", "253"},
  };
  for (const auto& [text, reason] : cases) {
    EXPECT_THAT(canonical(text), testing::AllOf(testing::StartsWith("refused: "), testing::HasSubstr(reason))) << text;
  }
}

TEST(HostName, WiderWildcards) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"shop.example.com", "*.example.com"}, {"*.example.com", "*.com"}, {"*.com", ""}, {"com", ""}, {"*", ""},
  };
  for (const auto& [host, wider] : cases) EXPECT_EQ(wider_wildcard(host), wider) << host;
}

}  // namespace
}  // namespace adit::routing
