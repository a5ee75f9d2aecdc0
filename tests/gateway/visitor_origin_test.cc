#include "gateway/visitor_origin.h"

#include <gtest/gtest.h>

#include "http/parser.h"

namespace adit::gateway {
namespace {

std::vector<base::IpNetwork> proxies() { return {*base::IpNetwork::parse("10.0.0.0/8")}; }

struct Case {
  const char* fields;
  const char* host;
  const char* scheme;
  const char* request_id;
};

// clang-format off
const Case kBehindAProxy[] = {
    {"", "10.0.0.1", "http", ""},
    {"X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9", "http", ""},
    {"X-Forwarded-For: 1.1.1.1, 203.0.113.9\r\n", "203.0.113.9", "http", ""},
    {"X-Forwarded-For: 203.0.113.9, 10.0.0.7\r\n", "203.0.113.9", "http", ""},
    {"X-Forwarded-For: 203.0.113.9\r\nx-forwarded-for: 10.0.0.7, 10.0.0.8\r\n", "203.0.113.9", "http", ""},
    {"X-Forwarded-For: 10.0.0.6, 10.0.0.7\r\n", "10.0.0.6", "http", ""},
    {"X-Forwarded-For: 203.0.113.9, unknown\r\n", "10.0.0.1", "http", ""},
    {"X-Forwarded-For: 203.0.113.9, unknown, 10.0.0.7\r\n", "10.0.0.7", "http", ""},
    {"X-Forwarded-For: 203.0.113.9:4711\r\n", "203.0.113.9", "http", ""},
    {"X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1", "http", ""},
    {"X-Forwarded-For: [2001:db8::1]:4711\r\n", "2001:db8::1", "http", ""},
    {"X-Forwarded-For: [\r\n", "10.0.0.1", "http", ""},
    {"X-Forwarded-For: \r\n", "10.0.0.1", "http", ""},
    {"X-Forwarded-Proto: https\r\n", "10.0.0.1", "https", ""},
    {"X-Forwarded-Proto: https, HTTP\r\n", "10.0.0.1", "http", ""},
    {"X-Forwarded-Proto: ftp\r\n", "10.0.0.1", "http", ""},
    {"X-Request-Id: 4f-a_b\r\n", "10.0.0.1", "http", "4f-a_b"},
    {"X-Request-Id: a b\r\n", "10.0.0.1", "http", ""},
    {"X-Request-Id: a\"b\r\n", "10.0.0.1", "http", ""},
};
// clang-format on

TEST(VisitorOriginTest, BehindATrustedProxy) {
  for (const bool trusted : {true, false}) {
    for (const auto& row : kBehindAProxy) {
      SCOPED_TRACE(row.fields);
      VisitorEndpoint endpoint;
      endpoint.address = *base::IpAddress::parse("10.0.0.1");
      endpoint.host = "10.0.0.1";
      endpoint.trusted = trusted;
      const auto text = std::string("GET / HTTP/1.1\r\nHost: h\r\n") + row.fields + "\r\n";
      http::RequestParser parser;
      http::RequestHead head;
      ASSERT_EQ(parser.parse_head(text, head).progress, http::Progress::complete);
      const auto origin = origin_of(endpoint, head, proxies());
      EXPECT_EQ(origin.host, trusted ? row.host : "10.0.0.1");
      EXPECT_EQ(origin.address.text(), origin.host);
      EXPECT_EQ(origin.scheme, trusted ? row.scheme : "http");
      EXPECT_EQ(origin.request_id, trusted ? row.request_id : "");
    }
  }
}

}  // namespace
}  // namespace adit::gateway
