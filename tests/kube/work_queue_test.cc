#include "kube/work_queue.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace adit::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class WorkQueueTest : public testing::Test {
 protected:
  /// The next key; "" when none is due.
  std::string take() { return queue_.take(now_).value_or(""); }

  /// All keys that are due, in their order.
  std::string take_all() {
    std::string keys;
    while (const auto key = queue_.take(now_)) keys += *key;
    return keys;
  }

  base::Random random_{1};
  WorkQueue queue_{{milliseconds(200), milliseconds(60'000)}, random_};
  base::TimePoint now_{seconds(1000)};
};

TEST_F(WorkQueueTest, HandsOutEachKeyOnceInOrder) {
  for (const auto* key : {"b", "a", "b", "c", "a"}) queue_.add(key);
  EXPECT_EQ(queue_.size(), 3U);
  EXPECT_EQ(take_all(), "bac");
}

TEST_F(WorkQueueTest, NeverHandsOutAKeyThatIsWorkedOn) {
  queue_.add("a");
  EXPECT_EQ(take(), "a");
  queue_.add("a");
  queue_.add("a");
  EXPECT_EQ(take(), "");
  queue_.finish("a");
  EXPECT_EQ(take(), "a");
  queue_.finish("a");
  EXPECT_EQ(take(), "");
}

TEST_F(WorkQueueTest, WaitsForTheTimeAskedFor) {
  queue_.add_at("a", now_ + seconds(5));
  EXPECT_EQ(queue_.next_due(), now_ + seconds(5));
  now_ += seconds(5) - milliseconds(1);
  EXPECT_EQ(take(), "");
  now_ += milliseconds(1);
  EXPECT_EQ(take(), "a");
  EXPECT_EQ(queue_.next_due(), base::kNever);
}

TEST_F(WorkQueueTest, TheEarliestTimeAskedForCounts) {
  queue_.add_at("a", now_ + seconds(9));
  queue_.add_at("a", now_ + seconds(5));
  queue_.add_at("a", now_ + seconds(7));
  EXPECT_EQ(queue_.next_due(), now_ + seconds(5));
  now_ += seconds(20);
  EXPECT_EQ(take_all(), "a");
}

TEST_F(WorkQueueTest, ATimeAskedForOutlivesEarlierWork) {
  queue_.add_at("a", now_ + seconds(5));
  queue_.add("a");
  EXPECT_EQ(take(), "a");
  queue_.finish("a");
  now_ += seconds(5);
  EXPECT_EQ(take(), "a");
}

TEST_F(WorkQueueTest, ATimeThatComesDuringTheWorkBringsTheKeyAgain) {
  queue_.add("a");
  EXPECT_EQ(take(), "a");
  queue_.add_at("a", now_ + seconds(1));
  now_ += seconds(2);
  EXPECT_EQ(take(), "");
  queue_.finish("a");
  EXPECT_EQ(take(), "a");
}

TEST_F(WorkQueueTest, ALaterLookIsDroppedWhenTheKeyComesEarlier) {
  queue_.add("a");
  EXPECT_EQ(take(), "a");
  queue_.finish_until("a", now_ + seconds(5));
  EXPECT_EQ(queue_.next_due(), now_ + seconds(5));
  queue_.add("a");
  EXPECT_EQ(take(), "a");
  queue_.finish("a");
  EXPECT_EQ(queue_.next_due(), base::kNever);
}

TEST_F(WorkQueueTest, EachFailureDoublesTheCeilingOfTheWaitOfItsKeyAlone) {
  const int ceilings[] = {200, 400, 800, 1600, 3200};
  std::vector<milliseconds> longest(5, milliseconds(0));
  for (int run = 0; run < 300; ++run) {
    for (auto& wait : longest) {
      queue_.add("a");
      EXPECT_EQ(take(), "a");
      queue_.finish_and_retry("a", now_);
      wait = std::max(wait, std::chrono::duration_cast<milliseconds>(queue_.next_due() - now_));
    }
    queue_.add("a");
    EXPECT_EQ(take(), "a");
    queue_.finish("a");
  }
  for (std::size_t i = 0; i < longest.size(); ++i) {
    EXPECT_LE(longest[i].count(), ceilings[i]);
    EXPECT_GT(longest[i].count(), ceilings[i] * 9 / 10);
  }
}

TEST_F(WorkQueueTest, AFailedKeyComesAtOnceWhenItWasAddedMeanwhile) {
  queue_.add("a");
  EXPECT_EQ(take(), "a");
  queue_.add("a");
  queue_.finish_and_retry("a", now_);
  EXPECT_EQ(take(), "a");
}

TEST_F(WorkQueueTest, ClearForgetsAllButWhatIsWorkedOn) {
  queue_.add("a");
  queue_.add("b");
  queue_.add_at("c", now_);
  EXPECT_EQ(take(), "a");
  queue_.add("a");
  queue_.clear();
  EXPECT_EQ(queue_.size(), 0U);
  EXPECT_EQ(take(), "");
  queue_.finish("a");
  EXPECT_EQ(take(), "");
  queue_.add("a");
  EXPECT_EQ(take(), "a");
}

// Whatever the order of calls: no key is with two workers, and none that was added after its work began is forgotten.
TEST_F(WorkQueueTest, KeepsItsPromisesInAnyOrderOfCalls) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    base::Random random(seed);
    WorkQueue queue({milliseconds(200), milliseconds(1'000)}, random);
    std::set<std::string> taken;
    std::set<std::string> owed;
    for (int step = 0; step < 2000; ++step) {
      const std::string key(1, static_cast<char>('a' + random.up_to(5)));
      switch (random.up_to(5)) {
        case 0:
          queue.add(key);
          owed.insert(key);
          break;
        case 1:
          queue.add_at(key, now_ + milliseconds(random.up_to(500)));
          owed.insert(key);
          break;
        case 2:
          if (const auto next = queue.take(now_)) {
            ASSERT_TRUE(taken.insert(*next).second);
            owed.erase(*next);
          }
          break;
        case 3:
          if (taken.erase(key) > 0) queue.finish(key);
          break;
        case 4:
          if (taken.erase(key) > 0) {
            queue.finish_and_retry(key, now_);
            owed.insert(key);
          }
          break;
        default:
          now_ += milliseconds(random.up_to(100));
      }
    }
    for (const auto& key : taken) queue.finish(key);
    now_ += seconds(10);
    while (const auto next = queue.take(now_)) owed.erase(*next);
    EXPECT_TRUE(owed.empty()) << "seed " << seed << ": " << *owed.begin();
  }
}

}  // namespace
}  // namespace adit::kube
