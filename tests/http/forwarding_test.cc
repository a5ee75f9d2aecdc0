#include "http/forwarding.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "http/field_kind.h"
#include "tests/http/conversation.h"

namespace adit::http::test {
namespace {

using namespace std::string_literals;

const Origin kOrigin{"203.0.113.9", "https", "443", "r1"};
constexpr const char* kOriginFields =
    "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: h\r\nX-Forwarded-Port: 443\r\n"
    "Forwarded: for=203.0.113.9;host=\"h\";proto=https\r\nX-Request-Id: r1\r\n";

/// The request as the service gets it, without Host and the fields that every request carries.
std::string forwarded(const std::string& request) {
  RequestParser parser;
  RequestHead head;
  if (parser.parse_head(request, head).progress != Progress::complete) return "refused";
  base::Buffer out;
  write_request_head(out, head, kOrigin);
  std::string text(out.view());
  for (const std::string_view via : {"Via: 1.1 adit\r\n", "Via: 1.0 adit\r\n"}) {
    if (const auto found = text.rfind(via); found != std::string::npos) text.erase(found, via.size());
  }
  const auto own = text.find(kOriginFields);
  if (own == std::string::npos) return text;
  text.erase(own, std::string_view(kOriginFields).size());
  const std::string host = "Host: h\r\n";
  const auto at = text.find(host);
  return at == std::string::npos ? text : text.erase(at, host.size());
}

struct FieldCase {
  const char* received;
  const char* forwarded;
};

// clang-format off
const FieldCase kRequestFields[] = {
    {"Accept:*/*\r\nCookie:  a=b \r\n", "Accept: */*\r\nCookie: a=b\r\n"},
    {"X-A: 1\r\nx-a: 2\r\n", "X-A: 1\r\nx-a: 2\r\n"},
    {"X-Empty:\r\n", "X-Empty: \r\n"},
    {"Via: 1.1 p\r\nTraceparent: t\r\nTrailer: T\r\n", "Via: 1.1 p\r\nTraceparent: t\r\nTrailer: T\r\n"},
    {"Authorization: Basic x\r\n", "Authorization: Basic x\r\n"},
    {"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n", ""},
    {"Connection: close\r\n", ""},
    {"Connection: a, B\r\nA: 1\r\nb: 2\r\nC: 3\r\n", "C: 3\r\n"},
    {"A: 1\r\nConnection: b\r\nConnection: a\r\nB: 2\r\n", ""},
    {"Connection: close, close\r\nClose: kept\r\n", "Close: kept\r\n"},
    {"Connection: host, content-length, transfer-encoding\r\nContent-Length: 5\r\n", "Content-Length: 5\r\n"},
    {"Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n"},
    {"Connection: x-forwarded-for, x-request-id, expect\r\nExpect: 100-continue\r\nContent-Length: 1\r\n", "Content-Length: 1\r\nExpect: 100-continue\r\n"},
    {"Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nProxy-Authenticate: y\r\n", ""},
    {"TE: trailers\r\nConnection: TE\r\n", "TE: trailers\r\nConnection: TE\r\n"},
    {"TE: gzip;q=0.5, Trailers\r\n", "TE: trailers\r\nConnection: TE\r\n"},
    {"TE: gzip\r\n", ""},
    {"Upgrade: websocket\r\n", ""},
    {"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n", "Sec-WebSocket-Key: k\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"},
    {"Connection: Upgrade, TE\r\nUpgrade: x\r\nTE: trailers\r\n", "TE: trailers\r\nUpgrade: x\r\nConnection: Upgrade, TE\r\n"},
    {"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n", ""},
    {"Content-Length: 007\r\n", "Content-Length: 7\r\n"},
    {"Content-Length: 0\r\n", "Content-Length: 0\r\n"},
    {"transfer-encoding: CHUNKED\r\n", "Transfer-Encoding: chunked\r\n"},
    {"Expect: 100-continue\r\nContent-Length: 1\r\n", "Content-Length: 1\r\nExpect: 100-continue\r\n"},
    {"Expect: 100-continue\r\n", ""},
    {"X-Forwarded-For: 6.6.6.6\r\nx-forwarded-proto: http\r\nX-FORWARDED-HOST: evil\r\nX-Forwarded-Port: 1\r\n", ""},
    {"X-Forwarded-Prefix: /a\r\nX-Forwarded-Server: s\r\nForwarded: for=6.6.6.6\r\nX-Request-Id: evil\r\n", ""},
    {"X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Host: evil\r\nX_Request-ID: evil\r\n", ""},
    {"X-Forwarded: 1\r\nX-Request-Id2: 2\r\nForwarder: 3\r\n", "X-Forwarded: 1\r\nX-Request-Id2: 2\r\nForwarder: 3\r\n"},
};

struct HeadCase {
  std::string received;
  std::string forwarded;
};

const HeadCase kRequestHeads[] = {
    {"GET /a%2F?b#", "refused"},
    {"GET /%7e//x/../y?b=%zz HTTP/1.1\r\nHost: h\r\n\r\n", "GET /%7e//x/../y?b=%zz HTTP/1.1\r\n\r\n"},
    {"GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a HTTP/1.1\r\n\r\n"},
    {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n"},
    {"GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"},
    {"GET / HTTP/1.0\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"},
};

struct AnswerCase {
  std::string received;
  ResponseRules rules;
  std::string forwarded;
};

const AnswerCase kAnswers[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: s\r\n\r\n", {11, false, Framing::length}, "HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 5\r\n\r\n"},
    {"HTTP/1.0 404 \r\nContent-Length: 5\r\n\r\n", {11, true, Framing::length}, "HTTP/1.1 404 \r\nContent-Length: 5\r\nConnection: close\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", {10, false, Framing::length}, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n", {11, false, Framing::chunked}, "HTTP/1.1 200 OK\r\nTrailer: T\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", {10, false, Framing::until_close}, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\n\r\n", {11, false, Framing::chunked}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nConnection: close, x-secret\r\nX-Secret: s\r\nKeep-Alive: a\r\nProxy-Authenticate: b\r\nUpgrade: h2\r\nContent-Length: 1\r\n\r\n", {11, false, Framing::length}, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 1\r\n\r\n", {11, false, Framing::length}, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nX-Request-Id: a\r\nSet-Cookie: b\r\nSet-Cookie: c\r\nContent-Length: 1\r\n\r\n", {11, false, Framing::length}, "HTTP/1.1 200 OK\r\nX-Request-Id: a\r\nSet-Cookie: b\r\nSet-Cookie: c\r\nContent-Length: 1\r\n\r\n"},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 05\r\n\r\n", {11, false, Framing::none}, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", {11, false, Framing::none}, "HTTP/1.1 204 No Content\r\n\r\n"},
    {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", {11, false, Framing::none}, "HTTP/1.1 204 No Content\r\n\r\n"},
    {"HTTP/1.1 100 Continue\r\n\r\n", {11, true, Framing::none}, "HTTP/1.1 100 Continue\r\n\r\n"},
    {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: close\r\n\r\n", {11, false, Framing::none}, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"},
    {"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: k\r\n\r\n", {11, false, Framing::none}, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: k\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
};
// clang-format on

TEST(ForwardRequest, Fields) {
  for (const FieldCase& row : kRequestFields) {
    const std::string received = "POST / HTTP/1.1\r\nHost: h\r\n"s + row.received + "\r\n";
    EXPECT_EQ(forwarded(received), "POST / HTTP/1.1\r\n"s + row.forwarded + "\r\n") << received;
  }
}

TEST(ForwardRequest, Heads) {
  for (const HeadCase& row : kRequestHeads) EXPECT_EQ(forwarded(row.received), row.forwarded) << row.received;
}

TEST(ForwardRequest, SaysWhoAsked) {
  const std::string request = "GET / HTTP/1.1\r\nHost: A.example:8443\r\n\r\n";
  RequestParser parser;
  RequestHead head;
  ASSERT_EQ(parser.parse_head(request, head).progress, Progress::complete);
  base::Buffer out;
  out.append(std::string_view("before|"));
  write_request_head(out, head, {"2001:db8::1", "http", "8443", "id"});
  EXPECT_EQ(out.view(),
            "before|GET / HTTP/1.1\r\nHost: A.example:8443\r\nX-Forwarded-For: 2001:db8::1\r\n"
            "X-Forwarded-Proto: http\r\nX-Forwarded-Host: A.example:8443\r\nX-Forwarded-Port: 8443\r\n"
            "Forwarded: for=\"[2001:db8::1]\";host=\"A.example:8443\";proto=http\r\n"
            "X-Request-Id: id\r\nVia: 1.1 adit\r\n\r\n");
}

/// What becomes of "Host: h" with these fields behind a trusted proxy, or with these edits.
std::string written(const std::string& fields, const Origin& origin, const RequestEdits& edits = {}) {
  const std::string request = "GET /a?b HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
  RequestParser parser;
  RequestHead head;
  if (parser.parse_head(request, head).progress != Progress::complete) return "refused";
  base::Buffer out;
  write_request_head(out, head, origin, edits);
  return std::string(out.view());
}

TEST(ForwardRequest, ContinuesWhatATrustedProxySays) {
  const Origin origin{"10.0.0.1", "http", "80", "r2", true};
  const struct {
    const char* received;
    const char* forwarded;
  } cases[] = {
      {"",
       "X-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\nX-Forwarded-Port: 80\r\nX-Forwarded-For: 10.0.0.1\r\n"
       "Forwarded: for=10.0.0.1;host=\"h\";proto=http\r\n"},
      {"X-Forwarded-For: 1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2\r\nX-Forwarded-Proto: https\r\n"
       "Forwarded: for=1.1.1.1\r\nX-Forwarded-Prefix: /p\r\nX-Request-Id: theirs\r\nX-Forwarded-Host: o\r\n",
       "X-Real-IP: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /p\r\nX-Forwarded-Host: o\r\n"
       "X-Forwarded-Port: 80\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.1\r\n"
       "Forwarded: for=1.1.1.1, for=10.0.0.1;host=\"h\";proto=http\r\n"},
  };
  for (const auto& row : cases) {
    EXPECT_EQ(written(row.received, origin), std::string("GET /a?b HTTP/1.1\r\nHost: h\r\n") + row.forwarded +
                                                 "X-Request-Id: r2\r\nVia: 1.1 adit\r\n\r\n")
        << row.received;
  }
}

TEST(ForwardRequest, Edits) {
  using Kind = FieldEdit::Kind;
  const std::array<FieldEdit, 3> edits = {
      {{Kind::set, "X-Set", "new"}, {Kind::add, "X-Add", "second"}, {Kind::remove, "X-Gone", ""}}};
  const auto head = written("x-set: old\r\nX_Set: old\r\nX-Add: first\r\nX-GONE: a\r\nX-Kept: b\r\n", kOrigin,
                            {"/other", "inside:1", edits});
  EXPECT_TRUE(
      head.starts_with("GET /other HTTP/1.1\r\nHost: inside:1\r\nX-Add: first\r\nX-Kept: b\r\nX-Set: new\r\n"
                       "X-Add: second\r\nX-Forwarded-For: 203.0.113.9\r\n"))
      << head;
  EXPECT_NE(head.find("X-Forwarded-Host: h\r\n"), std::string::npos) << "what the visitor asked for";
}

TEST(ForwardResponse, Edits) {
  using Kind = FieldEdit::Kind;
  const std::array<FieldEdit, 2> edits = {{{Kind::set, "Server", "adit"}, {Kind::remove, "X-Powered-By", ""}}};
  ResponseParser parser;
  ResponseHead head;
  const std::string answer = "HTTP/1.1 200 OK\r\nserver: x\r\nX-Powered-By: y\r\nContent-Length: 0\r\n\r\n";
  ASSERT_EQ(parser.parse_head(answer, false, head).progress, Progress::complete);
  base::Buffer out;
  write_response_head(out, head, {11, false, Framing::length, edits});
  EXPECT_EQ(out.view(), "HTTP/1.1 200 OK\r\nServer: adit\r\nContent-Length: 0\r\n\r\n");
}

TEST(ForwardResponse, Heads) {
  for (const AnswerCase& row : kAnswers) {
    ResponseParser parser;
    ResponseHead head;
    ASSERT_EQ(parser.parse_head(row.received, false, head).progress, Progress::complete) << row.received;
    base::Buffer out;
    write_response_head(out, head, row.rules);
    EXPECT_EQ(out.view(), row.forwarded) << row.received;
  }
}

TEST(ForwardResponse, KeepsTheLengthThatHeadAsksFor) {
  ResponseParser parser;
  ResponseHead head;
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n";
  ASSERT_EQ(parser.parse_head(answer, true, head).progress, Progress::complete);
  base::Buffer out;
  write_response_head(out, head, {11, false, response_framing(head, 11)});
  EXPECT_EQ(out.view(), answer);
}

TEST(ForwardResponse, Framing) {
  ResponseHead head;
  const struct {
    Framing received;
    int version;
    Framing sent;
  } cases[] = {
      {Framing::none, 11, Framing::none},           {Framing::none, 10, Framing::none},
      {Framing::length, 11, Framing::length},       {Framing::length, 10, Framing::length},
      {Framing::chunked, 11, Framing::chunked},     {Framing::chunked, 10, Framing::until_close},
      {Framing::until_close, 11, Framing::chunked}, {Framing::until_close, 10, Framing::until_close},
  };
  for (const auto& row : cases) {
    head.framing = row.received;
    EXPECT_EQ(response_framing(head, row.version), row.sent) << framing_name(row.received) << row.version;
  }
}

TEST(Chunks, AreWrittenAndEnded) {
  base::Buffer out;
  write_chunk(out, {});
  EXPECT_TRUE(out.empty());
  write_chunk(out, "abc"s);
  write_chunk(out, std::string(255, 'x'));
  write_last_chunk(out, nullptr);
  EXPECT_EQ(out.view(), "3\r\nabc\r\nff\r\n" + std::string(255, 'x') + "\r\n0\r\n\r\n");
}

TEST(Chunks, TrailersThatSteerNothingPass) {
  FieldList trailers;
  for (const char* name : {"Grpc-Status", "Content-Length", "transfer_encoding", "Host", "Authorization", "Set-Cookie",
                           "X-Forwarded-For", "Connection", "Trailer", "Content-Type", "Server-Timing"}) {
    ASSERT_TRUE(trailers.add(name, "0"));
  }
  base::Buffer out;
  write_last_chunk(out, &trailers);
  EXPECT_EQ(out.view(), "0\r\nGrpc-Status: 0\r\nServer-Timing: 0\r\n\r\n");
}

TEST(ForwardResponse, ReasonPhrases) {
  EXPECT_EQ(reason_phrase(100), "Continue");
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(511), "Network Authentication Required");
  for (const int unknown : {0, 99, 299, 418, 599, 1000}) EXPECT_EQ(reason_phrase(unknown), "Unknown");
}

}  // namespace
}  // namespace adit::http::test
