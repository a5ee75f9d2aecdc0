// Answers as services give them: whole, in pieces, without body, interim, upgraded.

#include "tests/gateway/exchange_bench.h"

namespace adit::gateway::test {
namespace {

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

struct Case {
  const char* name;
  const char* method;
  std::string_view answer;
  bool closes;               ///< the service ends its half behind it
  std::string_view outcome;  ///< Answer::text()
  bool kept;                 ///< the stream is idle afterwards
};

const Case kCases[] = {
    {"Length", "GET", kHello, false, "200 hello end", true},
    {"LengthZero", "GET", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", false, "302  end", true},
    {"Chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", false,
     "200 abcde end", true},
    {"Trailers", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nSum: 1\r\n\r\n", false,
     "200 x [Sum:1] end", true},
    {"UntilClose", "GET", "HTTP/1.1 200 OK\r\n\r\nall of it", true, "200 all of it end", false},
    {"UntilCloseEmpty", "GET", "HTTP/1.0 200 OK\r\n\r\n", true, "200  end", false},
    {"ServiceCloses", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false, "200 ok end",
     false},
    {"Head", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, "200  end", true},
    {"HeadChunked", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, "200  end", true},
    {"NoContent", "GET", "HTTP/1.1 204 No Content\r\n\r\n", false, "204  end", true},
    {"NotModified", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false, "304  end", true},
    {"Interim", "GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
     false, "103 200 ok end", true},
    {"CutShort", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", true, "200 hellofailed 502", false},
    {"CutInChunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", true, "200 abfailed 502",
     false},
    {"CutInHead", "GET", "HTTP/1.1 200 OK\r\nConte", true, "failed 502", false},
    {"NotHttp", "GET", "SSH-2.0-OpenSSH_9.2\r\n", true, "failed 502", false},
    {"TwoLengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", false, "failed 502",
     false},
    {"UpgradeNobodyAskedFor", "GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", false, "failed 502",
     false},
};

class ExchangeAnswer : public testing::TestWithParam<Case> {};

/// Plays the answer in two pieces, cut behind `first` bytes.
void play(const Case& test, std::size_t first) {
  SCOPED_TRACE("cut behind byte " + std::to_string(first));
  Bench bench;
  bench.get(test.method);
  FakeStream& service = bench.stream();
  service.accept();
  EXPECT_EQ(service.take().substr(0, 5), std::string(test.method).append(" /pag").substr(0, 5));
  if (first != 0) service.data(test.answer.substr(0, first));
  if (service.alive() && first != test.answer.size()) service.data(test.answer.substr(first));
  if (service.alive() && test.closes) service.end();
  EXPECT_EQ(bench.answer.text(), test.outcome);
  EXPECT_FALSE(bench.exchange.active());
  EXPECT_EQ(service.was_reset, !test.kept);
  if (test.kept) {
    EXPECT_EQ(service.consumed, service.delivered) << "credit was lost";
  }
  EXPECT_EQ(bench.pool.upstream(bench.tunnel, "web").users, 0U);
  EXPECT_EQ(bench.opened(), 1U);
}

TEST_P(ExchangeAnswer, CutAnywhere) {
  const Case& test = GetParam();
  for (std::size_t first = 0; first <= test.answer.size(); ++first) play(test, first);
}

INSTANTIATE_TEST_SUITE_P(Table, ExchangeAnswer, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ExchangeAnswers, CreditFollowsWhatTheVisitorTook) {
  Bench bench;
  bench.get();
  FakeStream& service = bench.stream();
  service.accept();
  service.take();
  service.data("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
  service.data(std::string(40'000, 'x'));
  EXPECT_EQ(service.consumed, 0U);
  bench.exchange.delivered(30'000);
  EXPECT_EQ(service.consumed, service.delivered - 30'000);
  bench.exchange.delivered(30'000);
  bench.exchange.delivered(35'000);  // bytes of our own were added
  EXPECT_EQ(service.consumed, service.delivered - 30'000);
  bench.exchange.delivered(0);
  EXPECT_EQ(service.consumed, service.delivered);
  service.data(std::string(60'000, 'x'));
  EXPECT_TRUE(bench.answer.ended);
  EXPECT_EQ(service.consumed, service.delivered) << "an idle stream owes its service nothing";
}

TEST(ExchangeAnswers, StreamWithBytesBehindTheAnswerIsNotReused) {
  Bench bench;
  bench.get();
  bench.stream().accept();
  bench.stream().take();
  bench.stream().data(std::string(kHello) + "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(bench.answer.text(), "200 hello end");
  EXPECT_TRUE(bench.stream().was_reset);
}

TEST(ExchangeAnswers, AnswerBeforeTheRequestIsWhole) {
  Bench bench;
  bench.begin("POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 100\r\n\r\n");
  bench.stream().accept();
  bench.stream().take();
  bench.exchange.body(bytes_of("part"));
  bench.stream().take();
  bench.stream().data("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(bench.answer.text(), "413  end");
  EXPECT_TRUE(bench.stream().was_reset) << "the rest of the body would be read as a request";
}

constexpr std::string_view kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: shop.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
constexpr std::string_view kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

TEST(ExchangePipe, BothWaysUntilBothEnd) {
  Bench bench;
  bench.begin(std::string(kUpgrade));
  FakeStream& service = bench.stream();
  service.accept();
  service.take();
  service.data(std::string(kSwitched) + "first");
  EXPECT_EQ(bench.answer.heads, std::vector<int>{101});
  EXPECT_EQ(bench.answer.piped, "first");
  bench.exchange.pipe(bytes_of("question"));
  EXPECT_EQ(service.take(), "question");
  service.data("answer");
  EXPECT_EQ(bench.answer.piped, "firstanswer");
  bench.exchange.delivered(0);
  EXPECT_EQ(service.consumed, service.delivered);
  service.end();
  EXPECT_TRUE(bench.answer.pipe_ended);
  bench.exchange.pipe(bytes_of("still"));
  EXPECT_EQ(service.take(), "still");
  bench.exchange.end_pipe();
  EXPECT_TRUE(service.finished);
  service.close(link::Closed::finished);
  EXPECT_TRUE(bench.answer.failure) << "how a pipe ends";
  EXPECT_EQ(bench.metrics.interrupted.value(), 0U) << "nothing was cut off";
  EXPECT_EQ(bench.metrics.service_failures.value(), 0U) << "nobody was answered 502";
}

TEST(ExchangePipe, LostLinkIsAnInterruption) {
  Bench bench;
  bench.begin(std::string(kUpgrade));
  bench.stream().accept();
  bench.stream().take();
  bench.stream().data(kSwitched);
  bench.stream().close(link::Closed::link_lost);
  EXPECT_TRUE(bench.answer.failure);
  EXPECT_EQ(bench.metrics.interrupted.value(), 1U);
  EXPECT_EQ(bench.metrics.service_failures.value(), 0U) << "it was answered 101";
}

TEST(ExchangePipe, RefusedUpgradeIsAnOrdinaryAnswer) {
  Bench bench;
  bench.begin(std::string(kUpgrade));
  bench.stream().accept();
  bench.stream().take();
  bench.stream().data("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(bench.answer.text(), "426  end");
}

}  // namespace
}  // namespace adit::gateway::test
