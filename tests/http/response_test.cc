#include <gtest/gtest.h>

#include "tests/http/conversation.h"

namespace adit::http::test {
namespace {

using namespace std::string_literals;

struct Case {
  std::string bytes;
  const char* outcome;
};

std::string ok(const std::string& fields, const std::string& body = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body;
}
std::string status(const std::string& line) { return line + "\r\nContent-Length: 0\r\n\r\n"; }

// clang-format off
const Case kAnswers[] = {
    {status("HTTP/1.1 200 OK"), "200 11 length=0 keep {}"},
    {status("HTTP/1.1 200 "), "200 11 length=0 keep {}"},
    {status("HTTP/1.1 404 Not \xc3\xa4 Found"), "404 11 length=0 keep {}"},
    {status("HTTP/1.0 200 OK"), "200 10 length=0 {}"},
    {status("HTTP/1.0 200 OK\r\nConnection: keep-alive"), "200 10 length=0 keep {}"},
    {status("HTTP/1.1 200 OK\r\nConnection: close"), "200 11 length=0 {}"},
    {status("HTTP/1.1 200"), "502"},
    {status("HTTP/1.1 20 OK"), "502"},
    {status("HTTP/1.1 2000 OK"), "502"},
    {status("HTTP/1.1 2x0 OK"), "502"},
    {status("HTTP/1.1 099 OK"), "502"},
    {status("HTTP/1.1 600 OK"), "502"},
    {status("HTTP/1.1  200 OK"), "502"},
    {status("HTTP/2.0 200 OK"), "502"},
    {status("HTTP/1.2 200 OK"), "502"},
    {status("http/1.1 200 OK"), "502"},
    {status("ICY 200 OK"), "502"},
    {status(" HTTP/1.1 200 OK"), "502"},
    {status("HTTP/1.1 200 O\x01K"), "502"},
    {status("HTTP/1.1 200 O\0K"s), "502"},
    {status("HTTP/1.1 200 O\rK"), "502"},
    {"\r\nHTTP/1.1 200 OK\r\n\r\n", "502"},
    {"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "502"},
    {ok("X: a\r\n b\r\nContent-Length: 0\r\n"), "502"},
    {ok("X : a\r\nContent-Length: 0\r\n"), "502"},
    {ok("X: a\x02\r\nContent-Length: 0\r\n"), "502"},
    {ok("X: a\0\r\nContent-Length: 0\r\n"s), "502"},
    {ok("X: a\nSet-Cookie: b\r\nContent-Length: 0\r\n"), "502"},
    {ok("X: a\rSet-Cookie: b\r\nContent-Length: 0\r\n"), "502"},
    {ok("Content-Length: 2\r\n", "ab"), "200 11 length=2 keep {ab}"},
    {ok("Content-Length: 2\r\n", "a"), "200 11 length=2 keep | more"},
    {ok("Content-Length: 2\r\nContent-Length: 2\r\n", "ab"), "502"},
    {ok("Content-Length: 2, 2\r\n", "ab"), "502"},
    {ok("Content-Length: -1\r\n", "ab"), "502"},
    {ok("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "502"},
    {ok("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "0\r\n\r\n"), "502"},
    {ok("Transfer-Encoding: gzip\r\n", "0\r\n\r\n"), "502"},
    {ok("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "502"},
    {ok("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), "502"},
    {ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "502"},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "502"},
    {ok("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n0\r\nT: u\r\n\r\n"), "200 11 chunked keep {ab}[T: u;]"},
    {ok("Transfer-Encoding: chunked\r\n", "2\r\nabc\r\n0\r\n\r\n"), "200 11 chunked keep | 502"},
    {ok("Transfer-Encoding: chunked\r\n", "0\r\nT : u\r\n\r\n"), "200 11 chunked keep | 502"},
    {ok("Transfer_Encoding: chunked\r\nContent-Length: 2\r\n", "ab"), "502"},
    {ok("Content_Length: 2\r\n", "ab"), "502"},
    {ok("", "ab"), "200 11 until_close | more"},
    {ok("Connection: keep-alive\r\n", "ab"), "200 11 until_close | more"},
    {"HTTP/1.1 204 No Content\r\n\r\n", "204 11 none keep"},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "204 11 none keep"},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", "204 11 none"},
    {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", "204 11 none"},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "304 11 none keep"},
    {"HTTP/1.1 100 Continue\r\n\r\n" + ok("Content-Length: 1\r\n", "a"), "100 11 none keep | 200 11 length=1 keep {a}"},
    {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok("Content-Length: 0\r\n"), "103 11 none keep | 200 11 length=0 keep {}"},
    {"HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\nab", "502"},
    {"HTTP/1.1 101 Switching Protocols\r\nTransfer-Encoding: chunked\r\n\r\n", "502"},
    {"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "101 11 none"},
    {ok("Content-Length: 1\r\n", "a") + ok("Content-Length: 1\r\n", "b"), "200 11 length=1 keep {a} | 200 11 length=1 keep {b}"},
    {ok("Content-Length: 1\r\n", "a") + "junk\r\n\r\n", "200 11 length=1 keep {a} | 502"},
};

const Case kAnswersToHead[] = {
    {ok("Content-Length: 5\r\n"), "200 11 none keep"},
    {ok("Transfer-Encoding: chunked\r\n"), "200 11 none keep"},
    {ok(""), "200 11 none keep"},
    {ok("Connection: close\r\n"), "200 11 none"},
    {ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "502"},
    {ok("Content-Length: 5\r\n", "hello\r\n\r\n"), "200 11 none keep | 502"},
};
// clang-format on

TEST(Response, Answers) {
  for (const Case& row : kAnswers) {
    EXPECT_EQ(outcome_at_once<Service>(row.bytes), row.outcome) << row.bytes;
    EXPECT_EQ(differs_when_split<Service>(row.bytes, row.outcome), "") << row.bytes;
  }
}

TEST(Response, AnswersToHead) {
  for (const Case& row : kAnswersToHead) {
    EXPECT_EQ(outcome_at_once<Service>(row.bytes, true), row.outcome) << row.bytes;
    EXPECT_EQ(differs_when_split<Service>(row.bytes, row.outcome, true), "") << row.bytes;
  }
}

TEST(Response, TooLargeHead) {
  EXPECT_EQ(outcome_at_once<Service>(ok("X: " + std::string(64 * 1024, 'x'))), "502");
  std::string fields;
  for (int i = 0; i < 1001; ++i) fields += "X: y\r\n";
  EXPECT_EQ(outcome_at_once<Service>(ok(fields)), "502");
}

TEST(Response, NothingOfAnAnswerStaysAfterReset) {
  const std::string begun[] = {
      "HTTP/1.1 200 OK\r\nX: y\r\n",                           // a head without its end
      "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 9\r\n\r\n",    // refused
      "HTTP/1.1 200 OK\r\nX: " + std::string(64 * 1024, 'x'),  // refused
      ok("Content-Length: 99\r\n", "abc"),
      ok("Transfer-Encoding: chunked\r\n", "9\r\nabc"),
  };
  for (const std::string& bytes : begun) {
    ResponseParser parser;
    ResponseHead head;
    TextSink sink;
    const auto parsed = parser.parse_head(bytes, false, head);
    if (parsed.progress == Progress::complete) parser.parse_body(std::string_view(bytes).substr(parsed.consumed), sink);
    parser.reset();
    EXPECT_EQ(parser.finish().progress, Progress::complete) << bytes.substr(0, 99);
    EXPECT_EQ(parser.parse_head("HTTP/1.1\n200 OK\r\n\r\n"s, false, head).status, 502) << "the line feed was seen";
    parser.reset();
    EXPECT_EQ(parser.parse_head(ok(""), false, head).consumed, ok("").size()) << bytes.substr(0, 99);
  }
}

TEST(Response, TheClosedConnection) {
  const struct {
    std::string bytes;
    bool complete;
  } cases[] = {
      {"", true},
      {"H", false},
      {"HTTP/1.1 200 OK\r\n", false},
      {ok("", ""), true},
      {ok("", "abc"), true},
      {ok("Content-Length: 3\r\n", "ab"), false},
      {ok("Content-Length: 3\r\n", "abc"), true},
      {ok("Content-Length: 0\r\n"), true},
      {ok("Transfer-Encoding: chunked\r\n", "1\r\na\r\n"), false},
      {ok("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n"), false},
      {ok("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\n"), true},
  };
  for (const auto& row : cases) {
    Service service;
    service.receive(row.bytes);
    const auto parsed = service.parser().finish();
    EXPECT_EQ(parsed.progress, row.complete ? Progress::complete : Progress::refused) << row.bytes;
    EXPECT_EQ(parsed.status, row.complete ? 0 : 502) << row.bytes;
  }
}

}  // namespace
}  // namespace adit::http::test
