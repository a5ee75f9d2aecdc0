#include "base/ip_network.h"

#include <gtest/gtest.h>

namespace adit::base {
namespace {

TEST(IpAddress, BothFormsOfOneAddressAreEqual) {
  EXPECT_EQ(*IpAddress::parse("192.0.2.1"), *IpAddress::parse("::ffff:192.0.2.1"));
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1")->text(), "192.0.2.1");
  EXPECT_EQ(IpAddress::parse("2001:DB8:0::1")->text(), "2001:db8::1");
  EXPECT_TRUE(IpAddress::parse("10.0.0.1")->is_v4());
  EXPECT_FALSE(IpAddress::parse("::1")->is_v4());
}

TEST(IpAddress, Refused) {
  for (const std::string_view text : {"", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4:80", "[::1]",
                                      "::1%eth0", " 1.2.3.4", "1.2.3.4 ", "host", "1:2:3:4:5:6:7:8:9"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
}

TEST(IpNetwork, Contains) {
  const struct {
    const char* network;
    const char* address;
    bool contained;
  } cases[] = {
      {"10.0.0.0/8", "10.255.255.255", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/8", "::ffff:10.1.2.3", true},
      {"192.0.2.128/25", "192.0.2.200", true},
      {"192.0.2.128/25", "192.0.2.127", false},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.2", false},
      {"0.0.0.0/0", "203.0.113.9", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "2001:db8::1", true},
      {"::/0", "203.0.113.9", true},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
      {"2001:db8::1/128", "2001:db8::1", true},
  };
  for (const auto& row : cases) {
    const auto network = IpNetwork::parse(row.network);
    ASSERT_TRUE(network) << row.network;
    EXPECT_EQ(network->contains(*IpAddress::parse(row.address)), row.contained) << row.network << " " << row.address;
  }
}

TEST(IpNetwork, TextAndRefusals) {
  for (const char* text : {"10.0.0.0/8", "192.0.2.1/32", "::/0", "2001:db8::/32"}) {
    EXPECT_EQ(IpNetwork::parse(text)->text(), text);
  }
  const struct {
    const char* text;
    const char* error;
  } cases[] = {
      {"10.0.0.1/8", "has bits set behind its prefix"},
      {"10.0.0.0/33", "has a prefix that is no number from 0 to 32"},
      {"10.0.0.0/", "has a prefix that is no number from 0 to 32"},
      {"10.0.0.0/08", "has a prefix that is no number from 0 to 32"},
      {"10.0.0.0/+8", "has a prefix that is no number from 0 to 32"},
      {"10.0.0.0/8 ", "has a prefix that is no number from 0 to 32"},
      {"::/129", "has a prefix that is no number from 0 to 128"},
      {"lan", "is no network such as 10.0.0.0/8 or 2001:db8::/32"},
      {"", "is no network such as 10.0.0.0/8 or 2001:db8::/32"},
  };
  for (const auto& row : cases) {
    const auto network = IpNetwork::parse(row.text);
    ASSERT_FALSE(network) << row.text;
    EXPECT_EQ(network.error(), row.error) << row.text;
  }
}

}  // namespace
}  // namespace adit::base
