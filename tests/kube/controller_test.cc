#include "kube/controller.h"

#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "base/random.h"
#include "tests/kube/objects.h"

namespace adit::kube {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

ControllerOptions options(unsigned workers = 2) {
  ControllerOptions options;
  options.name = "test";
  options.workers = workers;
  options.backoff = {milliseconds(1), milliseconds(5)};
  return options;
}

TEST(Controller, WorksOnWhatWasEnqueuedBeforeItsStart) {
  Signal signal;
  std::multiset<std::string> done;
  Controller controller(options(), [&](const std::string& key) {
    signal.tell([&] { done.insert(key); });
    return ReconcileResult::done();
  });
  for (const auto* key : {"a", "b", "a"}) controller.enqueue(key);
  EXPECT_EQ(controller.counts().queued, 2U);
  controller.start();
  ASSERT_TRUE(signal.wait([&] { return done.size() == 2; }));
  EXPECT_EQ(done, (std::multiset<std::string>{"a", "b"}));
}

TEST(Controller, TriesAgainAfterARetryAndAnException) {
  Signal signal;
  int tries = 0;
  Controller controller(options(), [&](const std::string&) {
    int now = 0;
    signal.tell([&] { now = ++tries; });
    if (now == 1) throw std::runtime_error("no");
    if (now == 2) throw 7;
    return now < 5 ? ReconcileResult::retry() : ReconcileResult::done();
  });
  controller.start();
  controller.enqueue("a");
  ASSERT_TRUE(signal.wait([&] { return tries == 5; }));
  controller.stop();
  EXPECT_EQ(controller.counts().retries, 4U);
  EXPECT_EQ(controller.counts().done, 1U);
}

TEST(Controller, ComesAgainLater) {
  Signal signal;
  int times = 0;
  Controller controller(options(), [&](const std::string&) {
    int now = 0;
    signal.tell([&] { now = ++times; });
    return ReconcileResult::later(now == 1 ? milliseconds(1) : hours(1));
  });
  controller.start();
  controller.enqueue("a");
  ASSERT_TRUE(signal.wait([&] { return times == 2; }));
  controller.stop();
  EXPECT_EQ(controller.counts().done, 2U);
}

TEST(Controller, AnEarlierTimeWakesAWaitingWorker) {
  Signal signal;
  std::string done;
  Controller controller(options(1), [&](const std::string& key) {
    signal.tell([&] { done += key; });
    return ReconcileResult::done();
  });
  controller.start();
  controller.enqueue_after("z", hours(1));
  controller.enqueue_after("a", milliseconds(1));
  ASSERT_TRUE(signal.wait([&] { return done == "a"; }));
  controller.enqueue("b");
  ASSERT_TRUE(signal.wait([&] { return done == "ab"; }));
  EXPECT_EQ(controller.counts().queued, 1U);
}

TEST(Controller, NeverWorksOnAKeyTwiceAtOnce) {
  Signal signal;
  std::map<std::string, int> busy;
  std::map<std::string, int> seen;
  std::map<std::string, int> wanted;
  bool twice = false;
  Controller controller(options(4), [&](const std::string& key) {
    int version = 0;
    signal.tell([&] {
      twice |= ++busy[key] > 1;
      version = wanted[key];
    });
    std::this_thread::yield();
    signal.tell([&] {
      --busy[key];
      seen[key] = version;
    });
    return version % 7 == 3 ? ReconcileResult::retry() : ReconcileResult::done();
  });
  controller.start();
  base::Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::string key(1, static_cast<char>('a' + random.up_to(3)));
    signal.tell([&] { ++wanted[key]; });
    controller.enqueue(key);
  }
  ASSERT_TRUE(signal.wait([&] { return seen == wanted; })) << "the last change of each key is worked on";
  EXPECT_FALSE(twice);
}

TEST(Controller, StopDropsWhatIsQueuedAndWaitsForWhatIsUnderWay) {
  Signal signal;
  bool begun = false;
  bool open = false;
  int finished = 0;
  Controller controller(options(1), [&](const std::string&) {
    signal.tell([&] { begun = true; });
    signal.wait([&] { return open; });
    signal.tell([&] { ++finished; });
    return ReconcileResult::retry();
  });
  controller.start();
  controller.enqueue("a");
  ASSERT_TRUE(signal.wait([&] { return begun; }));
  controller.enqueue("b");
  std::jthread opener([&] { signal.tell([&] { open = true; }); });
  controller.stop();
  opener.join();
  EXPECT_GE(finished, 1);
  EXPECT_EQ(controller.counts().queued, 0U);
}

TEST(Controller, StartsAgain) {
  Signal signal;
  int times = 0;
  Controller controller(options(), [&](const std::string&) {
    signal.tell([&] { ++times; });
    return ReconcileResult::done();
  });
  controller.start();
  controller.stop();
  controller.enqueue("a");
  controller.start();
  ASSERT_TRUE(signal.wait([&] { return times == 1; }));
}

}  // namespace
}  // namespace adit::kube
