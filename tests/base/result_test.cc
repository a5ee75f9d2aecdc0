#include "base/result.h"

#include <memory>

#include <gtest/gtest.h>

namespace adit::base {
namespace {

Result<std::unique_ptr<int>> make(bool good) {
  if (!good) return Error{"no number"};
  return std::make_unique<int>(7);
}

TEST(Result, HoldsAValueThatCanBeMovedOut) {
  auto result = make(true);
  ASSERT_TRUE(result);
  const std::unique_ptr<int> number = *std::move(result);
  EXPECT_EQ(*number, 7);
}

TEST(Result, HoldsTheReasonWhyThereIsNone) {
  const auto result = make(false);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), "no number");
}

TEST(Result, OfVoidIsSuccessUnlessThereIsAnError) {
  const Result<void> good;
  const Result<void> bad = Error{"refused"};
  EXPECT_TRUE(good);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), "refused");
}

TEST(Result, OfAnErrorWithoutWordsIsStillAFailure) {
  EXPECT_FALSE(Result<void>(Error{}));
  EXPECT_FALSE(Result<int>(Error{}));
}

TEST(Result, OfAStringTellsTextFromError) {
  EXPECT_TRUE(Result<std::string>("text"));
  EXPECT_FALSE(Result<std::string>(Error{"text"}));
}

}  // namespace
}  // namespace adit::base
