#include <gtest/gtest.h>

#include "http/chunked.h"
#include "tests/http/conversation.h"

namespace adit::http::test {
namespace {

using namespace std::string_literals;

std::string outcome_of(const std::string& body) {
  return outcome_at_once<Visitor>("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
}

/// What is told of the body that follows a chunked head; checked for each way to split it.
std::string decoded(const std::string& body) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string outcome = outcome_of(body);
  EXPECT_EQ(differs_when_split<Visitor>(head + body, outcome), "") << body;
  return outcome.substr(std::string_view("POST / h h 11 chunked keep").size());
}

struct Case {
  std::string body;
  const char* outcome;
};

// clang-format off
const Case kBodies[] = {
    {"0\r\n\r\n", " {}"},
    {"000\r\n\r\n", " {}"},
    {"3\r\nabc\r\n0\r\n\r\n", " {abc}"},
    {"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", " {abcde}"},
    {"2\r\n\r\n\r\n0\r\n\r\n", " {\r\n}"},
    {"0000000000000003\r\nabc\r\n0\r\n\r\n", " {abc}"},
    {"A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n", " {01234567890123456789a}"},
    {"3;a\r\nabc\r\n0;b=c\r\n\r\n", " {abc}"},
    {"3; a=\"\t;\\\"x\"\r\nabc\r\n0\r\n\r\n", " {abc}"},
    {"0\r\nA: b\r\nC:\td \r\n\r\n", " {}[A: b;C: d;]"},
    {"0\r\nA:\r\n\r\n", " {}[A: ;]"},
    {"3\r\nab", " | more"},
    {"3\r\nabc\r\n0\r\n", " | more"},
    {"3\r\nabc\r\n0\r\nA: b\r\n", " | more"},
    {"ffffffffffffffff\r\na", " | more"},
    {"10000000000000000\r\na", " | 400"},
    {"00000000000000003\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"\r\n3\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"3\nabc\r\n0\r\n\r\n", " | 400"},
    {"3\r\nabc\n0\r\n\r\n", " | 400"},
    {"3\r\nabc\r0\r\n\r\n", " | 400"},
    {"3\r\nabc0\r\n\r\n", " | 400"},
    {"3\r\nabcd\r\n0\r\n\r\n", " | 400"},
    {"3\r\nab\r\n0\r\n\r\n", " | 400"},
    {"3\r\nabc\n\n0\r\n\r\n", " | 400"},
    {"3\r\nabcd\n0\r\n\r\n", " | 400"},
    {"3\rabc\r\n0\r\n\r\n", " | 400"},
    {"3\r\r\nabc\r\n0\r\n\r\n", " | 400"},
    {" 3\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"3 \r\nabc\r\n0\r\n\r\n", " | 400"},
    {"3 ;a\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"3\t\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"+3\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"-3\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"0x3\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"3,3\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"g\r\nabc\r\n0\r\n\r\n", " | 400"},
    {";a\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"3;\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"3;a\nb\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"3;a=\"\n\"\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"3;a\rb\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"3;a\x01\r\nabc\r\n0\r\n\r\n", " | 400"},
    {"3;a\0\r\nabc\r\n0\r\n\r\n"s, " | 400"},
    {"0\r\nA: b\n\r\n", " | 400"},
    {"0\r\n\n", " | 400"},
    {"0\r\nA : b\r\n\r\n", " | 400"},
    {"0\r\n: b\r\n\r\n", " | 400"},
    {"0\r\nA\r\n\r\n", " | 400"},
    {"0\r\nA B: c\r\n\r\n", " | 400"},
    {"0\r\nA: b\r\n c\r\n\r\n", " | 400"},
    {"0\r\n A: b\r\n\r\n", " | 400"},
    {"0\r\nA: b\rc\r\n\r\n", " | 400"},
    {"0\r\nA: b\0\r\n\r\n"s, " | 400"},
    {"0\r\nA: b\x7f\r\n\r\n", " | 400"},
};
// clang-format on

TEST(ChunkedBody, Table) {
  for (const Case& row : kBodies) EXPECT_EQ(decoded(row.body), row.outcome) << row.body;
}

TEST(ChunkedBody, SizeLineLimit) {
  const auto body = [](std::size_t line) { return "1;" + std::string(line - 4, 'e') + "\r\na\r\n0\r\n\r\n"; };
  EXPECT_EQ(decoded(body(ChunkedDecoder::kLongestSizeLine)), " {a}");
  EXPECT_EQ(decoded(body(ChunkedDecoder::kLongestSizeLine + 1)), " | 400");
}

TEST(ChunkedBody, ExtensionsAreLimitedOverTheBody) {
  const std::string chunk = "1;" + std::string(127, 'e') + "\r\na\r\n";
  std::string body;
  for (std::size_t i = 0; i < ChunkedDecoder::kMostExtensions / 128; ++i) body += chunk;
  const auto accepted = outcome_of(body + "0\r\n\r\n");
  EXPECT_EQ(accepted.substr(accepted.size() - 4), "aaa}");
  const auto refused = outcome_of(body + "1;e\r\na\r\n0\r\n\r\n");
  EXPECT_EQ(refused.substr(refused.size() - 3), "400");
}

TEST(ChunkedBody, TrailerLimits) {
  const auto body = [](std::size_t section) { return "0\r\nA: " + std::string(section - 7, 'e') + "\r\n\r\n"; };
  EXPECT_EQ(outcome_of(body(ChunkedDecoder::kLongestTrailers)).back(), ']');
  EXPECT_EQ(outcome_of(body(ChunkedDecoder::kLongestTrailers + 1)), "POST / h h 11 chunked keep | 431");
  std::string fields;
  for (int i = 0; i < 201; ++i) fields += "A: b\r\n";
  EXPECT_EQ(outcome_of("0\r\n" + fields + "\r\n"), "POST / h h 11 chunked keep | 431");
}

/// Counts what it was handed at once.
class PieceSink final : public BodySink {
 public:
  void on_body(std::span<const char> bytes) override { pieces.emplace_back(bytes.data(), bytes.size()); }
  void on_trailers(const FieldList&) override {}
  std::vector<std::string> pieces;
};

TEST(Body, FlowsBeforeItIsWhole) {
  RequestParser parser;
  RequestHead head;
  PieceSink sink;
  const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  ASSERT_EQ(parser.parse_head(chunked, head).progress, Progress::complete);
  auto parsed = parser.parse_body("5\r\nab"s, sink);
  EXPECT_EQ(parsed.progress, Progress::need_more);
  EXPECT_EQ(parsed.consumed, 5u);
  EXPECT_EQ(sink.pieces, std::vector<std::string>{"ab"});
  parsed = parser.parse_body("cde\r\n0\r\n\r\nGET"s, sink);
  EXPECT_EQ(parsed.progress, Progress::complete);
  EXPECT_EQ(parsed.consumed, 10u);
  EXPECT_EQ(sink.pieces, (std::vector<std::string>{"ab", "cde"}));
}

TEST(Body, OfAGivenLengthTakesNoByteMore) {
  RequestParser parser;
  RequestHead head;
  PieceSink sink;
  const std::string request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
  ASSERT_EQ(parser.parse_head(request, head).progress, Progress::complete);
  EXPECT_EQ(parser.parse_body({}, sink).progress, Progress::need_more);
  EXPECT_TRUE(sink.pieces.empty());
  const auto parsed = parser.parse_body("abcGET"s, sink);
  EXPECT_EQ(parsed.progress, Progress::complete);
  EXPECT_EQ(parsed.consumed, 3u);
  EXPECT_EQ(parser.parse_body("GET"s, sink).consumed, 0u);
}

}  // namespace
}  // namespace adit::http::test
