#include "net/loop.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/loop_until.h"

namespace adit::net::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct Task final : TurnTask {
  explicit Task(std::vector<int>& log, int id) : log_(log), id_(id) {}
  void at_turn_end() override {
    log_.push_back(id_);
    if (then) then();
  }
  std::function<void()> then;

 private:
  std::vector<int>& log_;
  int id_;
};

struct Alarm {
  explicit Alarm(Loop& loop) : deadline(Deadline::of<&Alarm::fire>(loop, this)) {}
  void fire() {
    ++fired;
    at = Loop::now();
  }
  int fired = 0;
  base::TimePoint at{};
  Deadline deadline;
};

TEST(Loop, RunsADeferredTaskOncePerTurn) {
  Loop loop;
  std::vector<int> log;
  Task one(log, 1);
  Task two(log, 2);
  loop.defer(one);
  loop.defer(two);
  loop.defer(one);
  settle(loop);
  EXPECT_THAT(log, ElementsAre(1, 2));
}

TEST(Loop, TaskThatAsksAgainWaitsForTheNextTurn) {
  Loop loop;
  std::vector<int> log;
  Task again(log, 1);
  Task other(log, 2);
  again.then = [&] {
    if (log.size() < 3) loop.defer(again);
  };
  loop.defer(again);
  loop.defer(other);
  settle(loop);
  EXPECT_THAT(log, ElementsAre(1, 2, 1));
}

TEST(Loop, TaskMayDestroyAnother) {
  Loop loop;
  std::vector<int> log;
  Task first(log, 1);
  auto second = std::make_unique<Task>(log, 2);
  first.then = [&] { second.reset(); };
  loop.defer(first);
  loop.defer(*second);
  settle(loop);
  EXPECT_THAT(log, ElementsAre(1));
}

TEST(Loop, TellsOnceHowLateItCame) {
  Loop loop;
  Alarm alarm(loop);
  alarm.deadline.set(Loop::now() + 10ms);  // its timer is under way
  const auto busy_until = base::Clock::now() + Loop::kTick + 30ms;
  loop.post([&] {
    while (base::Clock::now() < busy_until) {
    }
  });
  ASSERT_TRUE(until(loop, [&] { return alarm.fired != 0; }));
  EXPECT_GE(loop.take_longest_delay(), 20ms);
  EXPECT_EQ(loop.take_longest_delay(), 0ms);
}

TEST(Loop, SendsComeFirst) {
  Loop loop;
  std::vector<int> log;
  Task task(log, 1);
  Task send(log, 2);
  loop.defer(task);
  loop.defer_send(send);
  settle(loop);
  EXPECT_THAT(log, ElementsAre(2, 1));
}

TEST(Loop, SendsCanBeHurriedAndThenDoNotComeAgain) {
  Loop loop;
  std::vector<int> log;
  Task task(log, 1);
  Task send(log, 2);
  loop.defer(task);
  loop.defer_send(send);
  loop.send_deferred();
  EXPECT_THAT(log, ElementsAre(2));
  settle(loop);
  EXPECT_THAT(log, ElementsAre(2, 1));
}

TEST(Loop, TimeStandsStillWithinATurn) {
  Loop loop;
  std::vector<base::TimePoint> seen;
  std::vector<int> log;
  Task next_turn(log, 1);
  next_turn.then = [&] {
    seen.push_back(Loop::now());
    loop.stop();
  };
  loop.post([&] {
    seen.push_back(Loop::now());
    const auto later = base::Clock::now() + 1ms;
    while (base::Clock::now() < later) {
    }
    seen.push_back(Loop::now());
    loop.defer(next_turn);
  });
  loop.run();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_GE(seen[2], seen[0] + 1ms);
}

TEST(Deadline, FiresOnceAndNotEarly) {
  Loop loop;
  Alarm alarm(loop);
  const auto due = Loop::now() + 80ms;
  alarm.deadline.set(due);
  ASSERT_TRUE(until(loop, [&] { return alarm.fired != 0; }));
  EXPECT_GE(alarm.at, due);
  EXPECT_FALSE(alarm.deadline.is_set());
}

TEST(Deadline, MovedLaterFiresLater) {
  Loop loop;
  Alarm alarm(loop);
  alarm.deadline.set(Loop::now() + 10ms);
  const auto due = Loop::now() + 300ms;
  alarm.deadline.set(due);
  ASSERT_TRUE(until(loop, [&] { return alarm.fired != 0; }));
  EXPECT_GE(alarm.at, due);
  EXPECT_EQ(alarm.fired, 1);
}

TEST(Deadline, MovedEarlierFiresEarlier) {
  Loop loop;
  Alarm moved(loop);
  Alarm late(loop);
  late.deadline.set(Loop::now() + 1s);
  moved.deadline.set(Loop::now() + 10min);
  moved.deadline.set(Loop::now() + 60ms);
  ASSERT_TRUE(until(loop, [&] { return moved.fired != 0; }));
  EXPECT_EQ(late.fired, 0);
}

TEST(Deadline, ClearedOrDestroyedNeverFires) {
  Loop loop;
  Alarm cleared(loop);
  auto destroyed = std::make_unique<Alarm>(loop);
  Alarm later(loop);
  cleared.deadline.set(Loop::now() + 10ms);
  destroyed->deadline.set(Loop::now() + 10ms);
  later.deadline.set(Loop::now() + 200ms);
  cleared.deadline.clear();
  destroyed.reset();
  ASSERT_TRUE(until(loop, [&] { return later.fired != 0; }));
  EXPECT_EQ(cleared.fired, 0);
}

TEST(Deadline, MayBeSetAgainWhileItFires) {
  Loop loop;
  struct Beat {
    explicit Beat(Loop& loop) : deadline(Deadline::of<&Beat::fire>(loop, this)) {}
    void fire() {
      if (++fired < 3) deadline.set(Loop::now() + 10ms);
    }
    int fired = 0;
    Deadline deadline;
  } beat(loop);
  beat.deadline.set(Loop::now());
  EXPECT_TRUE(until(loop, [&] { return beat.fired == 3; }));
}

TEST(Deadline, ThatIsPastFiresSoon) {
  Loop loop;
  Alarm alarm(loop);
  alarm.deadline.set(Loop::now() - 1h);
  EXPECT_TRUE(until(loop, [&] { return alarm.fired == 1; }));
}

TEST(Deadline, OfOneThatDestroysAnotherIsSafe) {
  Loop loop;
  auto victim = std::make_unique<Alarm>(loop);
  struct Killer {
    Killer(Loop& loop, std::unique_ptr<Alarm>& victim)
        : victim(victim), deadline(Deadline::of<&Killer::fire>(loop, this)) {}
    void fire() {
      victim.reset();
      done = true;
    }
    std::unique_ptr<Alarm>& victim;
    bool done = false;
    Deadline deadline;
  } killer(loop, victim);
  const auto due = Loop::now() + 20ms;
  killer.deadline.set(due);
  victim->deadline.set(due);
  EXPECT_TRUE(until(loop, [&] { return killer.done; }));
}

}  // namespace
}  // namespace adit::net::test
