// What fails between gateway and service, and what the visitor is told of it.

#include "net/loop.h"
#include "tests/gateway/exchange_bench.h"
#include "tests/net/loop_until.h"

namespace adit::gateway::test {
namespace {

using link::Closed;

TEST(ExchangeFailures, NoLink) {
  Bench bench(0);
  bench.get();
  EXPECT_EQ(bench.answer.text(), "failed 503 retry-after");
  EXPECT_EQ(bench.answer.reason, "no connector offers the service");
  EXPECT_EQ(bench.unserved(Unserved::not_offered), 1U);
  EXPECT_EQ(bench.metrics.service_failures.value(), 0U);
  EXPECT_EQ(bench.exchange.summary().attempts, 0U);
}

struct Refusal {
  int status;
  std::size_t links;
  std::string_view outcome;
  std::size_t attempts;
};
const Refusal kRefusals[] = {
    {502, 1, "failed 502", 1}, {502, 2, "failed 502", 2}, {502, 5, "failed 502", 3},
    {403, 3, "failed 502", 3}, {504, 3, "failed 504", 1},  // the dial has taken its time already
};

TEST(ExchangeFailures, RefusalsOfConnectors) {
  for (const auto& test : kRefusals) {
    SCOPED_TRACE(std::to_string(test.status) + " of " + std::to_string(test.links) + " links");
    Bench bench(test.links);
    bench.post("x=1");
    for (int i = 0; i < 5 && !bench.answer.failure; ++i) bench.stream().deny(test.status, "dial: refused");
    EXPECT_EQ(bench.answer.text(), test.outcome);
    EXPECT_EQ(bench.answer.reason, "dial: refused");
    EXPECT_EQ(bench.opened(), test.attempts);
    EXPECT_EQ(bench.exchange.summary().attempts, test.attempts);
    EXPECT_EQ(bench.metrics.retries.value(), test.attempts - 1);
    EXPECT_EQ(bench.metrics.service_failures.value(), 1U);
    EXPECT_EQ(bench.metrics.interrupted.value(), 0U) << "no byte had left";
  }
}

/// R4: a connector that drains finishes what it has; to ask another one as well would do the work twice.
TEST(ExchangeFailures, R4_ALongRequestStaysOnALinkThatIsLeaving) {
  Bench bench(2);
  bench.get();
  bench.stream().accept();
  bench.stream().take();
  bench.opener.links[0]->state = LinkState::over;
  ASSERT_TRUE(net::test::until(bench.loop, [&] { return bench.opener.doubted.size() == 2; }))
      << "asked, and asked again";
  EXPECT_EQ(bench.opened(), 1U);
  bench.opener.links[0]->state = LinkState::suspect;
  ASSERT_TRUE(net::test::until(bench.loop, [&] { return bench.opened() == 2; })) << "one that is silent is left";
}

TEST(ExchangeFailures, MovesToAnotherLinkWhileNoByteHasLeft) {
  for (const auto why : {Closed::refused, Closed::reset, Closed::link_lost}) {
    for (const bool accepted : {false, true}) {
      Bench bench(2);
      bench.post("x=1");
      if (accepted) bench.stream().accept();
      bench.stream().close(why);
      ASSERT_EQ(bench.opened(), 2U);
      bench.stream().accept();
      const auto sent = std::string(bench.stream().take());
      EXPECT_TRUE(sent.starts_with("POST /form HTTP/1.1\r\n")) << sent;
      EXPECT_TRUE(sent.ends_with("\r\n\r\nx=1")) << sent;
      bench.stream().data("HTTP/1.1 204 No Content\r\n\r\n");
      EXPECT_EQ(bench.answer.text(), "204  end");
      EXPECT_EQ(bench.exchange.summary().link->id, 2U);
    }
  }
}

TEST(ExchangeFailures, LinksThatEndBeforeAByteHasLeft) {
  for (const auto why : {Closed::refused, Closed::link_lost}) {
    for (const std::size_t links : {1U, 2U, 5U}) {
      SCOPED_TRACE(std::to_string(links) + " links");
      Bench bench(links);
      bench.post("x=1");
      for (int i = 0; i < 5 && !bench.answer.failure; ++i) bench.stream().close(why);
      EXPECT_EQ(bench.answer.text(), "failed 503 retry-after");
      EXPECT_EQ(bench.opened(), std::min<std::size_t>(links, 3));
      EXPECT_EQ(bench.unserved(Unserved::links_failed), 1U);
      EXPECT_EQ(bench.metrics.service_failures.value(), 0U);
    }
  }
}

TEST(ExchangeFailures, ConnectorsWordStandsWhenTheLastLinkWasNotToBlame) {
  Bench bench(2);
  bench.post("x=1");
  bench.stream().close(Closed::link_lost);
  bench.stream().deny(502, "dial: refused");
  EXPECT_EQ(bench.answer.text(), "failed 502");
  EXPECT_EQ(bench.answer.reason, "dial: refused");
}

TEST(ExchangeFailures, PostIsNeverSentTwice) {
  for (const auto why : {Closed::refused, Closed::reset, Closed::link_lost, Closed::finished}) {
    Bench bench(3);
    bench.post("x=1");
    bench.stream().accept();
    bench.stream().take(1);
    bench.stream().close(why);
    EXPECT_EQ(bench.answer.text(), "failed 502");
    EXPECT_EQ(bench.opened(), 1U);
    EXPECT_EQ(bench.metrics.interrupted.value(), 1U);
  }
}

TEST(ExchangeFailures, IdempotentRequestIsRepeatedOnce) {
  Bench bench(3);
  bench.get();
  bench.stream().accept();
  const auto first = std::string(bench.stream().take());
  bench.stream().close(Closed::link_lost);
  ASSERT_EQ(bench.opened(), 2U);
  bench.stream().accept();
  EXPECT_EQ(bench.stream().take(), first);
  bench.stream().close(Closed::link_lost);
  EXPECT_EQ(bench.answer.text(), "failed 502");
  EXPECT_EQ(bench.opened(), 2U);
}

TEST(ExchangeFailures, NotRepeatedOnceAnAnswerByteCame) {
  for (const std::string_view answer : {"H", "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"}) {
    Bench bench(2);
    bench.get();
    bench.stream().accept();
    bench.stream().take();
    bench.stream().data(answer);
    bench.stream().close(Closed::link_lost);
    EXPECT_TRUE(bench.answer.failure) << answer;
    EXPECT_EQ(bench.opened(), 1U) << answer;
    EXPECT_EQ(bench.metrics.interrupted.value(), 1U);
  }
}

struct Reuse {
  const char* method;
  bool by_end;  ///< the service's FIN, else its reset
  bool repeated;
};
const Reuse kReuses[] = {{"GET", true, true},     {"GET", false, true},   {"HEAD", true, true},
                         {"OPTIONS", true, true}, {"PUT", true, true},    {"DELETE", true, true},
                         {"POST", true, false},   {"POST", false, false}, {"PATCH", true, false}};

TEST(ExchangeFailures, ReusedStreamThatTheServiceHadClosed) {
  for (const auto& test : kReuses) {
    SCOPED_TRACE(test.method);
    Bench bench;
    FakeStream& service = bench.warm_up();
    bench.get(test.method);  // none has a body
    ASSERT_EQ(bench.opened(), 1U);
    service.take();
    if (test.by_end) {
      service.end();
    } else {
      service.close(Closed::reset);
    }
    EXPECT_EQ(bench.opened(), test.repeated ? 2U : 1U);
    if (!test.repeated) {
      EXPECT_EQ(bench.answer.text(), "failed 502");
      continue;
    }
    bench.stream().accept();
    EXPECT_EQ(bench.stream().take(), service.sent);
    bench.stream().data("HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(bench.answer.text(), "204  end");
  }
}

TEST(ExchangeFailures, PutWithABodyIsNotRepeated) {
  Bench bench(2);
  bench.begin("PUT / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 1\r\n\r\n");
  bench.exchange.body(bytes_of("x"));
  bench.exchange.end_body(nullptr);
  bench.stream().accept();
  bench.stream().take();
  bench.stream().end();
  EXPECT_EQ(bench.answer.text(), "failed 502");
  EXPECT_EQ(bench.opened(), 1U);
}

TEST(ExchangeFailures, ReasonOfA503IsThatOfTheTunnel) {
  for (std::size_t i = 0; i < kUnservedNames.size(); ++i) {
    const auto why = static_cast<Unserved>(i);
    Bench bench(0);
    bench.opener.unserved = why;
    bench.get();
    EXPECT_EQ(bench.answer.text(), "failed 503 retry-after");
    EXPECT_EQ(bench.answer.reason, text_of(why));
    EXPECT_EQ(bench.unserved(why), 1U);
  }
}

TEST(ExchangeFailures, AConnectorThatCannotReachTheServiceIsLeftOut) {
  Bench bench(2);
  auto& ejections = bench.pool.upstream(bench.tunnel, "web").ejections;
  bench.post("x=1");
  bench.stream().deny(502);
  bench.stream().accept();
  bench.stream().take();
  bench.stream().data("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(bench.answer.text(), "204  end");
  const auto now = net::Loop::now();
  EXPECT_TRUE(ejections.contains(connector_key(*bench.opener.links[0]), now));
  EXPECT_FALSE(ejections.contains(connector_key(*bench.opener.links[1]), now));
  EXPECT_EQ(bench.metrics.ejections.value(), 1U);
}

TEST(ExchangeFailures, NotTriedAgainWhereNoLinkIsWithoutTrouble) {
  Bench bench(2);
  bench.opener.sound = false;
  bench.post("x=1");
  bench.stream().deny(502, "dial: refused");
  EXPECT_EQ(bench.answer.text(), "failed 502");
  EXPECT_EQ(bench.opened(), 1U);
}

TEST(ExchangeFailures, BudgetEndsFurtherAttempts) {
  Bench bench(2);
  std::size_t retried = 0;
  for (unsigned i = 0; i < RetryBudget::kFloor + 3; ++i) {
    const auto before = bench.opened();
    bench.post("x=1");
    bench.stream().deny(502);
    if (!bench.answer.failure) bench.stream().deny(502);
    retried += bench.opened() - before - 1;
    EXPECT_EQ(bench.answer.text(), "failed 502");
  }
  const auto cells = bench.pool.upstream(bench.tunnel, "web").cells;
  EXPECT_GE(retried, RetryBudget::kFloor);
  EXPECT_LE(retried, RetryBudget::kFloor + 1U);  // what so many requests have earned
  EXPECT_EQ(retried + cells->retries_denied.value(), RetryBudget::kFloor + 3U);
  EXPECT_EQ(bench.pool.upstream(bench.tunnel, "api").budget, bench.pool.upstream(bench.tunnel, "web").budget);
}

TEST(ExchangeFailures, MovingCostsNoBudget) {
  Bench bench(2);
  for (unsigned i = 0; i < 3 * RetryBudget::kFloor; ++i) {
    bench.post("x=1");
    const auto before = bench.opened();
    bench.stream().close(i % 2 == 0 ? Closed::link_lost : Closed::refused);
    EXPECT_EQ(bench.opened(), before + 1);
    bench.exchange.abort();
  }
}

TEST(ExchangeFailures, LateAnswer) {
  Bench bench(2, std::chrono::milliseconds(1));
  bench.get();
  bench.stream().accept();
  bench.stream().take();
  ASSERT_TRUE(net::test::until(bench.loop, [&] { return bench.answer.failure.has_value(); }));
  EXPECT_EQ(bench.answer.text(), "failed 504");
  EXPECT_EQ(bench.answer.reason, "the service did not answer");
  EXPECT_TRUE(bench.stream().was_reset);
  EXPECT_EQ(bench.opened(), 1U);
}

TEST(ExchangeFailures, AbortInEveryState) {
  const std::string_view upgrade = "GET / HTTP/1.1\r\nHost: a.example.com\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
  for (int steps = 0; steps <= 4; ++steps) {
    SCOPED_TRACE(steps);
    Bench bench;
    bench.begin(std::string(upgrade));
    if (steps > 0) bench.stream().accept();
    if (steps > 1) bench.stream().take();
    if (steps > 2) bench.stream().data("HTTP/1.1 101 Swit");
    if (steps > 3) bench.stream().data("ching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nbytes");
    bench.exchange.abort();
    EXPECT_TRUE(bench.stream().was_reset);
    EXPECT_FALSE(bench.exchange.active());
    EXPECT_FALSE(bench.answer.failure);
    bench.exchange.abort();  // no effect
    EXPECT_EQ(bench.pool.upstream(bench.tunnel, "web").users, 0U);
    bench.get();  // as good as new
    bench.stream().accept();
    EXPECT_TRUE(bench.stream().take().starts_with("GET /page"));
  }
}

}  // namespace
}  // namespace adit::gateway::test
