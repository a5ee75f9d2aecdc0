#include "routing/host_index.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace adit::routing {
namespace {

TEST(HostKey, IsTheHostInLowerCaseWithoutFinalDot) {
  const std::string longest(kLongestHost, 'x');
  struct Case {
    std::string host, expected;
  };
  const Case cases[] = {
      {"", ""},
      {".", ""},
      {"a", "a"},
      {"Shop.EXAMPLE.com.", "shop.example.com"},
      {"x.io..", "x.io."},
      {"@AZ[`az{", "@az[`az{"},
      {"\xc1\xda\xe1.IO", "\xc1\xda\xe1.io"},
      {"12345678", "12345678"},
      {"12345678A", "12345678a"},
      {longest + ".", longest},
  };
  for (const auto& [host, expected] : cases) {
    const HostKey key(host);
    EXPECT_TRUE(key.fits()) << host;
    EXPECT_EQ(key.text(), expected);
  }
  EXPECT_FALSE(HostKey(longest + "x").fits());
  EXPECT_FALSE(HostKey(longest + "x.").fits());
}

TEST(HostKey, BecomesTheWildcardsOverIt) {
  HostKey key("a.Shop.example.com");
  EXPECT_EQ(key.to_wildcard(1), "*.shop.example.com");
  EXPECT_EQ(key.to_wildcard(6), "*.example.com");
}

TEST(HostIndex, AnEmptyOneFindsNothing) {
  const HostIndex index;
  EXPECT_EQ(index.find(HostKey("x.io").text(), [](std::uint32_t) { return true; }), HostIndex::kNone);
}

TEST(HostIndex, FindsEachNameByItsOwnTextWhereverThatStands) {
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i)
    names.push_back("*." + std::string(static_cast<std::size_t>(i % 20), 'y') + std::to_string(i));
  HostIndex index;
  index.reset(names.size());
  for (std::uint32_t i = 0; i < names.size(); ++i) index.add(HostKey(names[i]).text(), i);
  const auto find = [&](std::string_view text) {
    return index.find(text, [&](std::uint32_t number) { return names[number] == text; });
  };
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(find(HostKey(names[i]).text()), i);
    HostKey longer("in-front" + names[i].substr(1));
    EXPECT_EQ(find(longer.to_wildcard(8)), i);
    EXPECT_EQ(find(HostKey(names[i] + "0").text().substr(1)), HostIndex::kNone);
  }
}

}  // namespace
}  // namespace adit::routing
