#include "base/text.h"

#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace adit::base {
namespace {

TEST(Text, ComparesWithoutTheCaseOfAsciiLetters) {
  EXPECT_TRUE(equals_ignoring_case("Content-Length", "cONTENT-lENGTH"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));  // they differ in the bit that letters differ in
  EXPECT_FALSE(equals_ignoring_case("É", "é"));
}

TEST(Text, LowersAsciiLettersOnly) { EXPECT_EQ(lower_case("ABC-É-[Z]"), "abc-É-[z]"); }

TEST(Text, TrimsSpacesAndTabsOnly) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\r\na"), "\r\na");
}

TEST(Text, ParsesDecimalsAndNothingElse) {
  EXPECT_EQ(parse_decimal("0"), 0U);
  EXPECT_EQ(parse_decimal("007"), 7U);
  EXPECT_EQ(parse_decimal("18446744073709551615"), 18446744073709551615U);
  for (const auto* wrong : {"", "-1", "+1", " 1", "1 ", "1a", "0x10", "18446744073709551616", "1,000"}) {
    EXPECT_FALSE(parse_decimal(wrong)) << wrong;
  }
}

TEST(Text, VisitsTheItemsOfAList) {
  const auto items = [](std::string_view list) {
    std::vector<std::string> found;
    for_each_item(list, [&](std::string_view item) { found.emplace_back(item); });
    return found;
  };
  EXPECT_EQ(items("a, b ,\tc"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(items(",, a,,"), std::vector<std::string>{"a"});
  EXPECT_EQ(items(" , "), std::vector<std::string>{});
  EXPECT_EQ(items(""), std::vector<std::string>{});
}

std::string escaped(std::string_view text) {
  std::string out;
  append_json_escaped(out, text);
  return out;
}

TEST(JsonEscape, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(escaped("GET /a?b=c'<>&"), "GET /a?b=c'<>&");
  EXPECT_EQ(escaped("žluťoučký 日本 🙂"), "žluťoučký 日本 🙂");
  EXPECT_EQ(escaped(""), "");
}

TEST(JsonEscape, EscapesWhatWouldEndTheStringOrTheLine) {
  EXPECT_EQ(escaped("a\"b\\c"), R"(a\"b\\c)");
  EXPECT_EQ(escaped("\n\r\t\x1b\x7f"), R"(\u000a\u000d\u0009\u001b\u007f)");
  EXPECT_EQ(escaped(std::string_view("\0", 1)), R"(\u0000)");
}

TEST(JsonEscape, ReplacesWhatIsNotUtf8) {
  const std::string_view replacement = "\xef\xbf\xbd";
  struct Case {
    std::string_view bytes;
    std::size_t replaced;
  };
  for (const auto& [bytes, replaced] : std::vector<Case>{{"\x80", 1},              // continuation without a lead
                                                         {"\xc0\xaf", 2},          // overlong "/"
                                                         {"\xe0\x80\xaf", 3},      // overlong "/"
                                                         {"\xed\xa0\x80", 3},      // surrogate
                                                         {"\xf4\x90\x80\x80", 4},  // beyond U+10FFFF
                                                         {"\xe6\x97", 2},          // cut off
                                                         {"\xff", 1}}) {
    std::string expected;
    for (std::size_t i = 0; i < replaced; ++i) expected += replacement;
    EXPECT_EQ(escaped(bytes), expected) << testing::PrintToString(bytes);
  }
  EXPECT_EQ(escaped("a\xff\"b"), "a\xef\xbf\xbd\\\"b");
}

TEST(JsonEscape, EveryPairOfBytesMakesAJsonString) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string bytes{static_cast<char>(first), static_cast<char>(second)};
      ASSERT_TRUE(nlohmann::json::accept('"' + escaped(bytes) + '"')) << first << " " << second;
    }
  }
}

}  // namespace
}  // namespace adit::base
