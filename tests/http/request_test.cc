#include <gtest/gtest.h>

#include "tests/http/conversation.h"

namespace adit::http::test {
namespace {

using namespace std::string_literals;

struct Case {
  std::string bytes;
  const char* outcome;
};

/// A GET of HTTP/1.1 with these further fields.
std::string get(const std::string& fields) { return "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n"; }
/// The same with a POST's body behind it.
std::string post(const std::string& fields, const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}
std::string to_host(const std::string& host) { return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"; }
std::string line(const std::string& request_line) { return request_line + "\r\nHost: h\r\n\r\n"; }

const std::string kPlain = "GET / h h 11 none keep";

// clang-format off
const Case kRequestLines[] = {
    {line("GET / HTTP/1.1"), "GET / h h 11 none keep"},
    {line("GET / HTTP/1.0"), "GET / h h 10 none"},
    {"GET / HTTP/1.0\r\n\r\n", "GET /   10 none"},
    {"GET / HTTP/1.0\r\nHost:\r\n\r\n", "GET /   10 none"},
    {line("get / HTTP/1.1"), "get / h h 11 none keep"},
    {line("M-SEARCH /a HTTP/1.1"), "M-SEARCH /a h h 11 none keep"},
    {line("GET /a%20b?c=d&e=%2F#") + "", "400"},
    {line("GET /a%20b?c=d&e=%2F HTTP/1.1"), "GET /a%20b?c=d&e=%2F h h 11 none keep"},
    {line("GET //a//b/../c HTTP/1.1"), "GET //a//b/../c h h 11 none keep"},
    {line("GET /?a\\b HTTP/1.1"), "GET /?a\\b h h 11 none keep"},
    {line("GET /a\\b HTTP/1.1"), "400"},
    {line("GET /a#b HTTP/1.1"), "400"},
    {line("GET /\x80 HTTP/1.1"), "400"},
    {line("GET /\xc3\xa4 HTTP/1.1"), "400"},
    {line("GET /a b HTTP/1.1"), "400"},
    {line("GET /a\tb HTTP/1.1"), "400"},
    {line("GET /a\x01 HTTP/1.1"), "400"},
    {line("GET /a\x7f HTTP/1.1"), "400"},
    {line("GET /a\0b HTTP/1.1"s), "400"},
    {line("GET  / HTTP/1.1"), "400"},
    {line("GET /  HTTP/1.1"), "400"},
    {line(" GET / HTTP/1.1"), "400"},
    {line("GET\t/ HTTP/1.1"), "400"},
    {line("GET / HTTP/1.1 "), "400"},
    {line("GET /"), "400"},
    {"GET /\r\n\r\n", "400"},
    {"GET /\r\n", "more"},
    {line("GET HTTP/1.1"), "400"},
    {line("GET"), "400"},
    {line("G@T / HTTP/1.1"), "400"},
    {line("GET a HTTP/1.1"), "400"},
    {line("GET ?a HTTP/1.1"), "400"},
    {line("GET * HTTP/1.1"), "400"},
    {line("OPTIONS * HTTP/1.1"), "OPTIONS * h h 11 none keep"},
    {line("OPTIONS *a HTTP/1.1"), "400"},
    {line("GET / HTTP/1.2"), "505"},
    {line("GET / HTTP/2.0"), "505"},
    {line("GET / HTTP/0.9"), "505"},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
    {line("GET / HTTP/1.10"), "400"},
    {line("GET / HTTP/01.1"), "400"},
    {line("GET / HTTP/1"), "400"},
    {line("GET / http/1.1"), "400"},
    {line("GET / HTTPS/1.1"), "400"},
    {line("CONNECT h:443 HTTP/1.1"), "405"},
    {line("connect h:443 HTTP/1.1"), "405"},
    {line("TRACE / HTTP/1.1"), "405"},
    {"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / h h 11 none keep"},
    {"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
    {"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
    {"\r\n", "more"},
    {"\x16\x03\x01\x02", "400"},
};

const Case kTargets[] = {
    {line("GET http://h/a?b HTTP/1.1"), "GET /a?b h h 11 none keep"},
    {line("GET HTTP://H/ HTTP/1.1"), "GET / H H 11 none keep"},
    {line("GET https://h HTTP/1.1"), "GET / h h 11 none keep"},
    {line("OPTIONS http://h HTTP/1.1"), "OPTIONS * h h 11 none keep"},
    {"GET http://h:1/ HTTP/1.0\r\n\r\n", "GET / h:1 h 10 none"},
    {"GET http://h/ HTTP/1.1\r\n\r\n", "400"},
    {line("GET http://h?q HTTP/1.1"), "400"},
    {line("GET http://other/ HTTP/1.1"), "400"},
    {line("GET http://h:80/ HTTP/1.1"), "400"},
    {line("GET http://u@h/ HTTP/1.1"), "400"},
    {line("GET http:///a HTTP/1.1"), "400"},
    {line("GET ftp://h/ HTTP/1.1"), "400"},
    {line("GET h:80 HTTP/1.1"), "400"},
    {"GET http://@h/ HTTP/1.1\r\nHost: @h\r\n\r\n", "400"},
};

const Case kHosts[] = {
    {to_host("Example.COM"), "GET / Example.COM Example.COM 11 none keep"},
    {to_host("a.b.:8080"), "GET / a.b.:8080 a.b 11 none keep"},
    {to_host("a_b-c.xn--fsq"), "GET / a_b-c.xn--fsq a_b-c.xn--fsq 11 none keep"},
    {to_host("127.0.0.1:65535"), "GET / 127.0.0.1:65535 127.0.0.1 11 none keep"},
    {to_host("[::1]"), "GET / [::1] [::1] 11 none keep"},
    {to_host("[2001:db8::1]:80"), "GET / [2001:db8::1]:80 [2001:db8::1] 11 none keep"},
    {to_host("h:"), "GET / h: h 11 none keep"},
    {"GET / HTTP/1.1\r\nhOST:\th \t\r\n\r\n", "GET / h h 11 none keep"},
    {"GET / HTTP/1.1\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\nX: y\r\n\r\n", "400"},
    {to_host(""), "400"},
    {get("Host: h\r\n"), "400"},
    {get("host: other\r\n"), "400"},
    {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
    {to_host("h:0"), "400"},
    {to_host("h:65536"), "400"},
    {to_host("h:+80"), "400"},
    {to_host("h:80:90"), "400"},
    {to_host("h:8a"), "400"},
    {to_host("h: 80"), "400"},
    {to_host("h:000080"), "400"},
    {to_host(":80"), "400"},
    {to_host("user@h"), "400"},
    {to_host("user:pw@h"), "400"},
    {to_host("h/path"), "400"},
    {to_host("h?q"), "400"},
    {to_host("a b"), "400"},
    {to_host("a,b"), "400"},
    {to_host("a%2eb"), "400"},
    {to_host("\xc3\xa4.de"), "400"},
    {to_host("a..b"), "400"},
    {to_host(".a"), "400"},
    {to_host("a.."), "400"},
    {to_host("."), "400"},
    {to_host("::1"), "400"},
    {to_host("[::1"), "400"},
    {to_host("[::1]x"), "400"},
    {to_host("[::1%eth0]"), "400"},
    {to_host("[v1.a]"), "400"},
    {to_host("[::1\0]"s), "400"},
    {to_host("[]"), "400"},
    {to_host(std::string(254, 'a')), "400"},
};

const Case kFields[] = {
    {get("X: a\tb \x80\xff\r\n"), "GET / h h 11 none keep"},
    {get("X:\r\nY:  \t \r\n"), "GET / h h 11 none keep"},
    {get("X : y\r\n"), "400"},
    {get("X\t: y\r\n"), "400"},
    {get(" X: y\r\n"), "400"},
    {get("A B: y\r\n"), "400"},
    {get(": y\r\n"), "400"},
    {get("X\r\n"), "400"},
    {get("X\x80: y\r\n"), "400"},
    {get("X(: y\r\n"), "400"},
    {get("X\0: y\r\n"s), "400"},
    {get("X: a\0b\r\n"s), "400"},
    {get("X: a\x01\r\n"), "400"},
    {get("X: a\x1b[0m\r\n"), "400"},
    {get("X: a\x7f\r\n"), "400"},
    {get("X: a\rb\r\n"), "400"},
    {get("X: a\r\r\n"), "400"},
    {get("X: a\nY: b\r\n"), "400"},
    {get("X: a\n\r\n"), "400"},
    {get("X: a\r\n b\r\n"), "400"},
    {get("X: a\r\n\tb\r\n"), "400"},
    {get("X:\r\n b\r\n"), "400"},
    {get("X: a\r\n \r\n"), "400"},
    {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", "400"},
    {"GET / HTTP/1.1\nHost: h\n\n", "400"},
    {"GET / HTTP/1.1\r\nHost: h\r\n\n", "400"},
    {"GET / HTTP/1.1\r\rHost: h\r\n\r\n", "400"},
};

const Case kConnections[] = {
    {get("Connection: close\r\n"), "GET / h h 11 none"},
    {get("Connection: Keep-Alive, CLOSE\r\n"), "GET / h h 11 none"},
    {get("Connection: keep-alive\r\nConnection: close\r\n"), "GET / h h 11 none"},
    {get("Connection:\r\n"), "GET / h h 11 none keep"},
    {get("Connection: a, , b,\r\n"), "GET / h h 11 none keep"},
    {get("Proxy-Connection: close\r\n"), "GET / h h 11 none keep"},
    {get("Connection: a b\r\n"), "400"},
    {get("Connection: \"close\"\r\n"), "400"},
    {get("Connection: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,a,b,c,d,e,f\r\n"), "GET / h h 11 none keep"},
    {get("Connection: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,a,b,c,d,e,f\r\nConnection: g\r\n"), "400"},
    {"GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", "GET / h h 10 none keep"},
    {"GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive, close\r\n\r\n", "GET / h h 10 none"},
    {get("Connection: Upgrade\r\nUpgrade: websocket\r\n"), "GET / h h 11 none keep upgrade=websocket"},
    {get("Upgrade: a/1, b\r\nConnection: x, upgrade\r\n"), "GET / h h 11 none keep upgrade=a/1, b"},
    {get("Upgrade: websocket\r\n"), "GET / h h 11 none keep"},
    {get("Connection: upgrade\r\n"), "GET / h h 11 none keep"},
    {get("Connection: upgrade\r\nUpgrade: h2c\r\n"), "GET / h h 11 none keep"},
    {get("Connection: upgrade\r\nUpgrade: websocket, H2C\r\n"), "GET / h h 11 none keep"},
    {get("Connection: upgrade\r\nUpgrade: HTTP/2.0\r\n"), "GET / h h 11 none keep"},
    {"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "GET /   10 none"},
};

const Case kFramings[] = {
    {post("Content-Length: 2\r\n", "ab"), "POST / h h 11 length=2 keep {ab}"},
    {post("Content-Length: 0\r\n", ""), "POST / h h 11 length=0 keep {}"},
    {post("Content-Length: 002\r\n", "ab"), "POST / h h 11 length=2 keep {ab}"},
    {post("Content-Length: 3\r\n", "ab"), "POST / h h 11 length=3 keep | more"},
    {post("", ""), "POST / h h 11 none keep"},
    {get("Content-Length: 1\r\n") + "a", "GET / h h 11 length=1 keep {a}"},
    {post("Content-Length: 18446744073709551615\r\n", ""), "POST / h h 11 length=18446744073709551615 keep | more"},
    {post("Content-Length: 18446744073709551616\r\n", ""), "400"},
    {post("Content-Length: 99999999999999999999\r\n", ""), "400"},
    {post("Content-Length: +2\r\n", "ab"), "400"},
    {post("Content-Length: -2\r\n", "ab"), "400"},
    {post("Content-Length: 0x2\r\n", "ab"), "400"},
    {post("Content-Length: 2.0\r\n", "ab"), "400"},
    {post("Content-Length: 2 2\r\n", "ab"), "400"},
    {post("Content-Length: 2, 2\r\n", "ab"), "400"},
    {post("Content-Length: 2,\r\n", "ab"), "400"},
    {post("Content-Length: ,2\r\n", "ab"), "400"},
    {post("Content-Length: \"2\"\r\n", "ab"), "400"},
    {post("Content-Length: two\r\n", "ab"), "400"},
    {post("Content-Length:\r\n", "ab"), "400"},
    {post("Content-Length: 2\r\nContent-Length: 2\r\n", "ab"), "400"},
    {post("Content-Length: 2\r\ncontent-length: 3\r\n", "abc"), "400"},
    {post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), "POST / h h 11 chunked keep {}"},
    {post("transfer-encoding:\tCHUNKED \r\n", "1\r\na\r\n0\r\n\r\n"), "POST / h h 11 chunked keep {a}"},
    {post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "0\r\n\r\n"), "400"},
    {post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400"},
    {post("Content-Length: 2\r\nTransfer-Encoding: identity\r\n", "ab"), "400"},
    {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer-Encoding: gzip\r\n", ""), "400"},
    {post("Transfer-Encoding: identity\r\n", ""), "400"},
    {post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer-Encoding: \x0b" "chunked\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer-Encoding: chunk\r\n ed\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer-Encoding:\r\n", ""), "400"},
    {post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), "400"},
    {post("Transfer_Encoding: chunked\r\n", "0\r\n\r\n"), "400"},
    {post("transfer_encoding: identity\r\n", ""), "400"},
    {post("Content_Length: 2\r\n", "ab"), "400"},
    {post("Content_Lengths: 2\r\n", ""), "POST / h h 11 none keep"},
    {post("Content-Digest: a\r\nStrict-Transports: b\r\n", ""), "POST / h h 11 none keep"},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
    {post("Expect: 100-continue\r\nContent-Length: 1\r\n", "a"), "POST / h h 11 length=1 keep continue {a}"},
    {post("Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "POST / h h 11 chunked keep continue {}"},
    {post("Expect: 100-continue\r\n", ""), "POST / h h 11 none keep"},
    {post("Expect: 200-ok\r\nContent-Length: 1\r\n", "a"), "417"},
    {post("Expect:\r\nContent-Length: 1\r\n", "a"), "417"},
    {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na", "POST /   10 length=1 {a}"},
};

const Case kPipelines[] = {
    {get("") + get(""), "GET / h h 11 none keep | GET / h h 11 none keep"},
    {get("") + "\r\n" + get(""), "GET / h h 11 none keep | GET / h h 11 none keep"},
    {post("Content-Length: 3\r\n", "abc") + get(""), "POST / h h 11 length=3 keep {abc} | GET / h h 11 none keep"},
    {post("Content-Length: 3\r\n", "abcd") + get(""), "POST / h h 11 length=3 keep {abc} | dGET / h h 11 none keep"},
    {post("Content-Length: 0\r\n", "") + get(""), "POST / h h 11 length=0 keep {} | GET / h h 11 none keep"},
    {post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\n") + get(""), "POST / h h 11 chunked keep {a} | GET / h h 11 none keep"},
    {post("Transfer-Encoding: chunked\r\n", "0\r\nA: b\r\n\r\n") + get("") + "GET", "POST / h h 11 chunked keep {}[A: b;] | GET / h h 11 none keep | more"},
    {get("") + "junk", "GET / h h 11 none keep | more"},
    {get("") + " " + get(""), "GET / h h 11 none keep | 400"},
    {get("") + line("TRACE / HTTP/1.1") + get(""), "GET / h h 11 none keep | 405"},
    {post("Transfer-Encoding: chunked\r\n", "x\r\n") + get(""), "POST / h h 11 chunked keep | 400"},
};
// clang-format on

template <std::size_t size>
void check(const Case (&cases)[size]) {
  for (const Case& row : cases) {
    EXPECT_EQ(outcome_at_once<Visitor>(row.bytes), row.outcome) << row.bytes;
    EXPECT_EQ(differs_when_split<Visitor>(row.bytes, row.outcome), "") << row.bytes;
  }
}

TEST(Request, Lines) { check(kRequestLines); }
TEST(Request, Targets) { check(kTargets); }
TEST(Request, Hosts) { check(kHosts); }
TEST(Request, Fields) { check(kFields); }
TEST(Request, Connections) { check(kConnections); }
TEST(Request, Framings) { check(kFramings); }
TEST(Request, Pipelines) { check(kPipelines); }

/// As outcome_at_once, under small limits; then byte by byte, which must not differ.
std::string limited(HeadLimits limits, const std::string& bytes) {
  std::string outcomes[2];
  for (const bool at_once : {true, false}) {
    RequestParser parser(limits);
    RequestHead head;
    Parsed parsed;
    for (std::size_t size = at_once ? bytes.size() : 1; size <= bytes.size(); ++size) {
      parsed = parser.parse_head({bytes.data(), size}, head);
      if (parsed.progress != Progress::need_more) break;
    }
    outcomes[at_once ? 0 : 1] = parsed.progress == Progress::complete ? "complete" : std::to_string(parsed.status);
  }
  EXPECT_EQ(outcomes[0], outcomes[1]);
  return outcomes[0];
}

TEST(RequestLimits, HeadAndTarget) {
  const HeadLimits limits{100, 20};
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  const auto padded = [&](std::size_t size) { return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n"; };
  EXPECT_EQ(limited(limits, padded(100)), "complete");
  EXPECT_EQ(limited(limits, padded(101)), "431");
  EXPECT_EQ(limited(limits, padded(5000)), "431");
  EXPECT_EQ(limited(limits, "\r\n\r\n" + padded(96)), "complete");
  EXPECT_EQ(limited(limits, line("GET /" + std::string(19, 'a') + " HTTP/1.1")), "complete");
  EXPECT_EQ(limited(limits, line("GET /" + std::string(20, 'a') + " HTTP/1.1")), "414");
  EXPECT_EQ(limited(limits, line("GET /" + std::string(200, 'a') + " HTTP/1.1")), "414");
}

TEST(RequestLimits, Defaults) {
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  const auto padded = [&](std::size_t size) { return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n"; };
  EXPECT_EQ(outcome_at_once<Visitor>(padded(64 * 1024)), kPlain);
  EXPECT_EQ(outcome_at_once<Visitor>(padded(64 * 1024 + 1)), "431");
  EXPECT_EQ(outcome_at_once<Visitor>(line("GET /" + std::string(16 * 1024, 'a') + " HTTP/1.1")), "414");
}

TEST(RequestLimits, NameOfAHost) {
  const std::string name(253, 'a');
  EXPECT_EQ(outcome_at_once<Visitor>(to_host(name)), "GET / " + name + " " + name + " 11 none keep");
}

TEST(RequestLimits, Fields) {
  std::string fields;
  for (int i = 0; i < 199; ++i) fields += "X: y\r\n";
  EXPECT_EQ(outcome_at_once<Visitor>(get(fields)), kPlain);
  EXPECT_EQ(outcome_at_once<Visitor>(get(fields + "X: y\r\n")), "431");
}

TEST(Request, ViewsPointIntoTheBytes) {
  const std::string bytes = "\r\nGET http://h:1/a?b HTTP/1.1\r\nHost: h:1\r\nX:  y \r\n\r\n";
  RequestParser parser;
  RequestHead head;
  const auto parsed = parser.parse_head(bytes, head);
  ASSERT_EQ(parsed.progress, Progress::complete);
  EXPECT_EQ(parsed.consumed, bytes.size());
  EXPECT_EQ(head.path, "/a");
  EXPECT_EQ(head.path.data(), bytes.data() + bytes.find("/a?"));
  ASSERT_EQ(head.fields.size(), 2u);
  ASSERT_NE(head.fields.find("x"), nullptr);
  EXPECT_EQ(*head.fields.find("x"), "y");
  EXPECT_EQ(head.fields.find("y"), nullptr);
}

TEST(Request, NothingOfAnEarlierHeadStays) {
  RequestParser parser;
  RequestHead head;
  const std::string first = get("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n");
  ASSERT_EQ(parser.parse_head(first, head).progress, Progress::complete);
  const std::string second = "GET / HTTP/1.0\r\n\r\n";
  ASSERT_EQ(parser.parse_head(second, head).progress, Progress::complete);
  EXPECT_EQ(summary(head), "GET /   10 none");
  EXPECT_EQ(head.fields.size(), 0u);
}

}  // namespace
}  // namespace adit::http::test
