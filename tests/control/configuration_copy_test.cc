// The envelope of the cached copy.

#include "control/configuration_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/replica.h"

namespace adit::control::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(ConfigurationCopy, HoldsItsLines) {
  const auto empty = seal_copy({});
  ASSERT_TRUE(open_copy(empty));
  EXPECT_THAT(*open_copy(empty), IsEmpty());
  const auto two = seal_copy({"one", "two"});
  ASSERT_TRUE(open_copy(two));
  EXPECT_THAT(*open_copy(two), ElementsAre("one", "two"));
}

TEST(ConfigurationCopy, SaysWhyItIsNone) {
  const auto why = [](const std::string& text) {
    const auto opened = open_copy(text);
    return opened ? "" : opened.error();
  };
  const auto good = seal_copy({"one"});
  EXPECT_THAT(why(""), HasSubstr("format"));
  EXPECT_THAT(why("adit-configuration 2 " + good.substr(21)), HasSubstr("format"));
  EXPECT_THAT(why(good.substr(0, 40)), HasSubstr("cut off"));
  EXPECT_THAT(why(good.substr(0, good.size() - 1)), HasSubstr("cut off or changed"));
  EXPECT_THAT(why(good + "x"), HasSubstr("cut off or changed"));
}

TEST(ConfigurationCopy, SealedNonsenseIsRefused) {
  for (const auto& lines : std::vector<std::vector<std::string>>{{}, {"{"}, {R"({"type":"later"})"}}) {
    Replica replica;
    EXPECT_FALSE(replica.read_copy(seal_copy(lines)));
    EXPECT_FALSE(replica.version());
  }
}

}  // namespace
}  // namespace adit::control::test
