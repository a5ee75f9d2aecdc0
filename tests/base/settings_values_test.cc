#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/settings.h"

namespace adit::base {
namespace {

using std::chrono::milliseconds;

TEST(ListenAddress, ReadsTheFormsThatUsersWrite) {
  struct Case {
    std::string text;
    ListenAddress address;
  };
  for (const auto& [text, address] : std::vector<Case>{{":8080", {"", 8080, false}},
                                                       {":0", {"", 0, false}},
                                                       {"127.0.0.1:80", {"127.0.0.1", 80, false}},
                                                       {"edge.example.com:65535", {"edge.example.com", 65535, false}},
                                                       {"[::]:443", {"::", 443, false}},
                                                       {"[fe80::1%eth0]:1", {"fe80::1%eth0", 1, false}},
                                                       {"off", {"", 0, true}}}) {
    const auto parsed = parse_listen_address(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error();
    EXPECT_EQ(*parsed, address) << text;
    EXPECT_EQ(to_string(*parsed), text);
  }
}

TEST(ListenAddress, RefusesEverythingElseWithTheReason) {
  struct Case {
    std::string text;
    std::string reason;
  };
  for (const auto& [text, reason] : std::vector<Case>{{"", "no port"},
                                                      {"8080", "no port"},
                                                      {"localhost", "no port"},
                                                      {"OFF", "no port"},
                                                      {":", "does not end in a port"},
                                                      {"host:", "does not end in a port"},
                                                      {":65536", "does not end in a port"},
                                                      {":-1", "does not end in a port"},
                                                      {":http", "does not end in a port"},
                                                      {"::1:80", "in brackets"},
                                                      {"[::1]", "does not end in a port"},
                                                      {"[::1:80", "in brackets"},
                                                      {"[]:80", "no IPv6 address"},
                                                      {"[1.2.3.4]:80", "no IPv6 address"},
                                                      {"http://a:80", "in brackets"},
                                                      {"a b:80", "neither a name nor an address"},
                                                      {"a/b:80", "neither a name nor an address"}}) {
    const auto parsed = parse_listen_address(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().find(reason), std::string::npos) << text << ": " << parsed.error();
  }
}

TEST(Duration, ReadsANumberWithAUnit) {
  struct Case {
    std::string text;
    milliseconds duration;
    std::string shortest;
  };
  for (const auto& [text, duration, shortest] : std::vector<Case>{{"250ms", milliseconds{250}, "250ms"},
                                                                  {"30s", milliseconds{30'000}, "30s"},
                                                                  {"5m", milliseconds{300'000}, "5m"},
                                                                  {"2h", milliseconds{7'200'000}, "2h"},
                                                                  {"0s", milliseconds{0}, "0s"},
                                                                  {"0ms", milliseconds{0}, "0s"},
                                                                  {"60s", milliseconds{60'000}, "1m"},
                                                                  {"90s", milliseconds{90'000}, "90s"},
                                                                  {"8784h", std::chrono::hours{8784}, "8784h"}}) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error();
    EXPECT_EQ(*parsed, duration) << text;
    EXPECT_EQ(to_string(*parsed), shortest);
  }
}

TEST(Duration, RefusesEverythingElse) {
  for (const auto* text : {"", "30", "s", "1.5s", "-1s", " 1s", "1 s", "1S", "1d", "1m30s", "1sec", "ms250"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().find("is not a duration"), std::string::npos) << parsed.error();
  }
  for (const auto* text : {"8785h", "18446744073709551615ms", "18446744073709551616ms", "5124095576030431h"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().find("longer than 366 days"), std::string::npos) << parsed.error();
  }
}

}  // namespace
}  // namespace adit::base
