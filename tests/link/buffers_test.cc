// Budgets of what may wait in memory, and what a link does at their limits.

#include <gtest/gtest.h>

#include "link/buffer_budget.h"
#include "tests/link/pair.h"

namespace adit::link::test {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

TEST(BufferBudget, GrantsHalfOfItsLimitAndWhatTheLevelsAboveHave) {
  const auto process = std::make_shared<BufferBudget>(1000);
  const auto tunnel = std::make_shared<BufferBudget>(1600, process);
  BufferBudget link(400, tunnel);
  EXPECT_EQ(link.grant(150), 150U);
  EXPECT_EQ(link.grant(150), 50U) << "half of the link's own limit";
  EXPECT_EQ(link.grant(1), 0U);
  EXPECT_EQ(tunnel->grant(1000), 300U) << "half of the process's, less the link's 200";
  EXPECT_EQ(process->granted(), 500U);
  EXPECT_EQ(tunnel->granted(), 500U) << "what the level above refused is not kept";
  link.give_back(200);
  tunnel->give_back(300);
  EXPECT_EQ(link.granted() + tunnel->granted() + process->granted(), 0U);
}

TEST(BufferBudget, IsFullWhenALevelAboveIs) {
  const auto process = std::make_shared<BufferBudget>(1000);
  BufferBudget one(900, process);
  BufferBudget two(900, process);
  one.hold(600);
  two.hold(400);
  EXPECT_FALSE(one.is_full());
  two.hold(1);
  EXPECT_TRUE(one.is_full());
  EXPECT_TRUE(two.is_full());
  one.hold(-600);
  EXPECT_FALSE(two.is_full());
  EXPECT_EQ(process->held(), 401U);
}

TEST(BufferAccount, TellsInStepsAndTakesBackWhatIsLeft) {
  constexpr auto kStep = BufferAccount::kStep;
  BufferBudget budget(10 * kStep);
  {
    BufferAccount account(budget);
    account.received(kStep - 1);
    EXPECT_EQ(budget.held(), 0U);
    account.received(1);
    EXPECT_EQ(budget.held(), kStep);
    account.delivered(1);
    account.received(1);
    account.delivered(kStep - 1);
    EXPECT_EQ(budget.held(), kStep) << "to and fro within a step tells nobody";
    account.delivered(1);
    EXPECT_EQ(budget.held(), 0U);
    account.received(3 * kStep + 7);
    EXPECT_EQ(budget.held(), 3 * kStep);
    EXPECT_EQ(account.held(), 3 * kStep + 7);
  }
  EXPECT_EQ(budget.held(), 0U) << "a link that ends holds nothing";
}

TEST(BufferAccount, ALinkThatHoldsLittleIsNotMadeToWait) {
  const auto process = std::make_shared<BufferBudget>(1000);
  process->hold(5000);  // of others
  BufferBudget link(1 << 20, process);
  BufferAccount account(link);
  account.received(BufferAccount::kStep - 1);
  EXPECT_FALSE(account.is_full());
  account.received(1);
  EXPECT_TRUE(account.is_full());
}

/// A link whose gateway may hold `most`; the connector sends without end on each stream.
struct Buffers : testing::Test {
  static SessionOptions options() {
    SessionOptions options;
    options.most_buffered = 2 * kMiB;
    options.link_window = 1 << 20;
    options.budget = process();
    return options;
  }
  static std::shared_ptr<BufferBudget>& process() {
    static std::shared_ptr<BufferBudget> budget;
    return budget;
  }

  Buffers() {
    pair.settle();
    pair.connector.serve = [](Recorder& recorder) {
      recorder.filler = std::uint64_t{1} << 40U;
      recorder.stream->answer(200, "");
    };
  }
  ~Buffers() override { process().reset(); }

  Recorder* stalled() {
    auto* stream = pair.open();
    stream->keep = false;
    stream->consumes = false;
    return stream;
  }
  const SessionStats& stats() const { return pair.gateway.session->stats(); }

  std::shared_ptr<BufferBudget> budget = process() = std::make_shared<BufferBudget>(64 * kMiB);
  Pair pair{10ms, options()};
};

TEST_F(Buffers, CountsWhatWaitsUntilItIsDeliveredOrTheStreamEnds) {
  auto* one = stalled();
  auto* two = stalled();
  pair.run(1s);
  const std::uint64_t window = SessionOptions{}.first_window;
  EXPECT_EQ(stats().buffered, 2 * window);
  one->stream->consume(1000);
  EXPECT_EQ(stats().buffered, 2 * window - 1000);
  two->stream->reset();
  EXPECT_EQ(stats().buffered, window - 1000);
  pair.gateway.session->abandon();
  EXPECT_EQ(stats().buffered, 0U);
}

TEST_F(Buffers, BeyondTheLimitTheConnectionGetsNoMoreCredit) {
  std::vector<Recorder*> streams;
  for (int i = 0; i < 100; ++i) streams.push_back(stalled());  // 6.4 MiB of first windows
  pair.run(5s);
  EXPECT_TRUE(stats().credit_withheld);
  EXPECT_GE(stats().buffered, 2 * kMiB);
  EXPECT_LE(stats().buffered, 2 * kMiB + options().link_window + BufferAccount::kStep);
  EXPECT_EQ(pair.gateway.error + pair.connector.error, "") << "PINGs still pass";
  // Once the visitors have gone, others go on.
  for (auto* stream : streams) stream->stream->reset();
  EXPECT_FALSE(stats().credit_withheld);
  auto* next = pair.open();
  next->keep = false;
  pair.run(1s);
  EXPECT_GT(next->bytes, 2 * kMiB);
}

TEST_F(Buffers, ALinkGoesOnOnceOthersHaveMadeRoom) {
  auto* stream = pair.open();
  stream->keep = false;
  pair.run(1s);
  budget->hold(100 * kMiB);  // of other links
  std::vector<Recorder*> more;
  for (int i = 0; i < 8; ++i) more.push_back(stalled());  // more than a step of its own
  pair.run(2s);
  EXPECT_TRUE(stats().credit_withheld);
  const auto before = stream->bytes;
  pair.run(2s);
  EXPECT_EQ(stream->bytes, before);
  budget->hold(-static_cast<std::int64_t>(100 * kMiB));
  pair.run(1s);
  EXPECT_FALSE(stats().credit_withheld);
  EXPECT_GT(stream->bytes, before + kMiB);
}

TEST_F(Buffers, GrowthDrawsOnTheSharedBudgetAndComesBack) {
  auto* stream = pair.open();
  stream->keep = false;
  pair.run(2s);
  EXPECT_EQ(stats().window_bytes, kMiB) << "half of the link's limit";
  EXPECT_EQ(budget->granted(), kMiB);
  stream->consumes = false;
  pair.run(5s);
  EXPECT_EQ(stats().window_bytes, 0U) << "an idle stream gives its growth back";
  EXPECT_EQ(budget->granted(), 0U);
}

TEST_F(Buffers, NoGrowthWithoutASharedBudget) {
  (void)budget->grant(32 * kMiB);
  auto* stream = pair.open();
  stream->keep = false;
  pair.run(2s);
  EXPECT_EQ(stats().window_bytes, 0U);
  EXPECT_GT(stream->bytes, 4 * kMiB) << "with its first window it goes on";
}

TEST_F(Buffers, AWindowThatShrankTakesWhatThePeerMayStillSend) {
  auto* stream = pair.open();
  stream->keep = false;
  pair.run(2s);
  stream->consumes = false;
  pair.run(5s);
  const auto waiting = stats().buffered;
  EXPECT_LE(waiting, kMiB + SessionOptions{}.first_window);
  stream->consumes = true;
  stream->stream->consume(waiting);
  pair.run(5s);
  EXPECT_EQ(pair.gateway.error + pair.connector.error, "");
  EXPECT_EQ(stats().window_bytes, kMiB) << "and grows again";
}

TEST(BufferBudget, EndsOfLinksGiveEverythingBack) {
  const auto budget = std::make_shared<BufferBudget>(64 * kMiB);
  SessionOptions options;
  options.budget = budget;
  {
    Pair pair(10ms, options);
    pair.settle();
    pair.connector.serve = [](Recorder& recorder) {
      recorder.filler = std::uint64_t{1} << 40U;
      recorder.stream->answer(200, "");
    };
    auto* stream = pair.open();
    stream->keep = false;
    pair.run(2s);
    stream->consumes = false;
    pair.run(1s);
    EXPECT_NE(budget->granted(), 0U);
    EXPECT_NE(budget->held(), 0U);
  }
  EXPECT_EQ(budget->granted(), 0U);
  EXPECT_EQ(budget->held(), 0U);
}

}  // namespace
}  // namespace adit::link::test
