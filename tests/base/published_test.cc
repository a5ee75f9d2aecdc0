#include "base/published.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace adit::base {
namespace {

TEST(Published, GivesWhatWasPublishedLast) {
  Published<int> value(std::make_shared<const int>(1));
  EXPECT_EQ(*value.get(), 1);
  value.publish(std::make_shared<const int>(2));
  EXPECT_EQ(*value.get(), 2);
}

TEST(Published, CountsVersions) {
  Published<int> value(std::make_shared<const int>(1));
  const auto before = value.version();
  value.publish(std::make_shared<const int>(1));
  EXPECT_GT(value.version(), before);
}

TEST(Snapshot, KeepsItsValueUntilANewOneIsPublished) {
  Published<int> value(std::make_shared<const int>(1));
  Snapshot<int> snapshot(value);
  const auto* first = snapshot.get().get();
  EXPECT_EQ(snapshot.get().get(), first);
  value.publish(std::make_shared<const int>(2));
  EXPECT_EQ(*snapshot.get(), 2);
}

TEST(Snapshot, FreesAnOldValueOnlyWhenItsLastReaderIsDone) {
  auto first = std::make_shared<const int>(1);
  const std::weak_ptr<const int> watched = first;
  Published<int> value(std::move(first));
  Snapshot<int> snapshot(value);
  auto kept = snapshot.get();
  value.publish(std::make_shared<const int>(2));
  (void)snapshot.get();
  EXPECT_FALSE(watched.expired());
  kept.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(Snapshot, ReadersOnOtherThreadsSeeWholeValuesInOrderAndTheLastOne) {
  struct Pair {
    int first;
    int second;
  };
  constexpr int kLast = 20'000;
  Published<Pair> value(std::make_shared<const Pair>(Pair{0, 0}));
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      Snapshot<Pair> snapshot(value);
      int newest = 0;
      while (newest < kLast) {
        const auto& pair = *snapshot.get();
        ASSERT_EQ(pair.first, pair.second);
        ASSERT_GE(pair.first, newest);
        newest = pair.first;
      }
    });
  }
  for (int i = 1; i <= kLast; ++i) value.publish(std::make_shared<const Pair>(Pair{i, i}));
  for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace adit::base
