#include "base/buffer.h"

#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "base/random.h"

namespace adit::base {
namespace {

using namespace std::string_view_literals;

TEST(Buffer, AnEmptyOneHoldsNoMemory) {
  const Buffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_EQ(buffer.view(), "");
}

TEST(Buffer, GivesBytesBackInOrder) {
  Buffer buffer;
  buffer.append("one"sv);
  buffer.append(' ');
  buffer.append("two"sv);
  EXPECT_EQ(buffer.view(), "one two");
  buffer.consume(4);
  EXPECT_EQ(buffer.view(), "two");
  buffer.truncate(1);
  EXPECT_EQ(buffer.view(), "t");
}

TEST(Buffer, HoldsNoMemoryOnceAllIsConsumed) {
  Buffer buffer;
  buffer.append("x"sv);
  EXPECT_GT(buffer.capacity(), 0U);
  buffer.consume(1);
  EXPECT_EQ(buffer.capacity(), 0U);
}

TEST(Buffer, AppendingNothingTakesNoMemory) {
  Buffer buffer;
  buffer.append(""sv);
  EXPECT_EQ(buffer.capacity(), 0U);
}

TEST(Buffer, ReservedBytesAreReadableOnlyOnceCommitted) {
  Buffer buffer;
  const auto space = buffer.reserve(10);
  ASSERT_GE(space.size(), 10U);
  space[0] = 'a';
  space[1] = 'b';
  EXPECT_TRUE(buffer.empty());
  buffer.commit(2);
  EXPECT_EQ(buffer.view(), "ab");
}

TEST(Buffer, KeepsItsBytesWhenItGrows) {
  Buffer buffer;
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    const auto piece = std::to_string(i);
    buffer.append(std::string_view(piece));
    expected += piece;
  }
  EXPECT_EQ(buffer.view(), expected);
}

TEST(Buffer, MovesBytesToTheFrontInsteadOfGrowing) {
  Buffer buffer;
  buffer.append(std::string_view(std::string(1000, 'a')));
  const auto capacity = buffer.capacity();
  buffer.consume(900);
  buffer.append(std::string_view(std::string(capacity - 100, 'b')));
  EXPECT_EQ(buffer.capacity(), capacity);
  EXPECT_EQ(buffer.view(), std::string(100, 'a') + std::string(capacity - 100, 'b'));
}

TEST(Buffer, AMovedFromOneIsEmptyAndUsable) {
  Buffer first;
  first.append("text"sv);
  Buffer second = std::move(first);
  EXPECT_EQ(second.view(), "text");
  first.append("again"sv);  // NOLINT(bugprone-use-after-move): what is tested
  EXPECT_EQ(first.view(), "again");
  second = std::move(first);
  EXPECT_EQ(second.view(), "again");
}

TEST(Buffer, HoldsMoreThanTheCacheKeeps) {
  Buffer buffer;
  const std::string large(3'000'000, 'z');
  buffer.append(std::string_view(large));
  EXPECT_EQ(buffer.view(), large);
}

TEST(Buffer, MayBeFreedOnAnotherThread) {
  Buffer buffer;
  buffer.append("made here"sv);
  std::thread([moved = std::move(buffer)]() mutable {
    EXPECT_EQ(moved.view(), "made here");
    moved.clear();
  }).join();
}

TEST(Buffer, AgreesWithAStringOverRandomSteps) {
  Random random(42);
  Buffer buffer;
  std::string model;
  for (int step = 0; step < 20'000; ++step) {
    if (random.up_to(2) != 0) {
      const std::string piece(random.up_to(3000), static_cast<char>('a' + random.up_to(25)));
      buffer.append(std::string_view(piece));
      model += piece;
    } else if (!model.empty()) {
      const auto size = random.up_to(model.size());
      buffer.consume(size);
      model.erase(0, size);
    }
    if (model.size() > 100'000) {
      buffer.truncate(50);
      model.resize(50);
    }
    ASSERT_EQ(buffer.view(), model) << "after step " << step;
  }
}

}  // namespace
}  // namespace adit::base
