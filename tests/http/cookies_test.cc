// Cookies as a proxy looks at them: found, and taken out of what goes on.

#include "http/cookies.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/forwarding.h"

namespace adit::http::test {
namespace {

using Texts = std::vector<std::string>;

struct Case {
  Texts fields;  ///< values of Cookie
  Texts values;  ///< of the cookie "a"
  Texts rest;    ///< the fields that go on
};
const Case kCases[] = {
    {{}, {}, {}},
    {{""}, {}, {""}},
    {{"b=1"}, {}, {"b=1"}},
    {{"b=1;  c=2;"}, {}, {"b=1;  c=2;"}},  // what holds none of ours is not touched
    {{"a=1"}, {"1"}, {}},
    {{"a=1; b=2"}, {"1"}, {"b=2"}},
    {{"b=2; a=1"}, {"1"}, {"b=2"}},
    {{"b=2;a=1;c=3"}, {"1"}, {"b=2;c=3"}},
    {{"b=2; a=1", "a=3", "c=4"}, {"1", "3"}, {"b=2", "c=4"}},
    {{"a=1; a=2; a=3"}, {"1", "2", "3"}, {}},
    {{"a=\"1\""}, {"1"}, {}},
    {{"a=\"1; b=2\""}, {"\"1"}, {"b=2\""}},  // a quotation mark hides no semicolon
    {{"a=\""}, {"\""}, {}},
    {{"a=1=2"}, {"1=2"}, {}},
    {{" a = 1 ;\tb=2"}, {"1"}, {"b=2"}},
    {{"a"}, {""}, {}},
    {{"a="}, {""}, {}},
    {{"aa=1; A=2; =a; b=a=1"}, {}, {"aa=1; A=2; =a; b=a=1"}},
    {{";;a=1;;"}, {"1"}, {}},
    {{"a=1;;b=2;;"}, {"1"}, {"b=2"}},
};

TEST(Cookies, FoundAndTakenOut) {
  for (const Case& test : kCases) {
    const auto line = &test - kCases;
    RequestHead head;
    head.method = "GET";
    head.target = "/";
    for (const auto& value : test.fields) head.fields.add("cOOkie", value);
    head.fields.add("X-Cookie", "a=1");
    Texts values;
    for_each_cookie(head.fields, "a", [&](std::string_view value) {
      values.emplace_back(value);
      return true;
    });
    EXPECT_EQ(values, test.values) << line;
    RequestEdits edits;
    edits.hidden_cookie = "a";
    base::Buffer out;
    write_request_head(out, head, {"192.0.2.1", "http", "80", "id", false}, edits);
    const std::string text(out.readable().data(), out.readable().size());
    std::string expected = "GET / HTTP/1.1\r\nHost: \r\n";
    for (const auto& value : test.rest) expected.append("cOOkie: ").append(value).append("\r\n");
    EXPECT_TRUE(text.starts_with(expected + "X-Cookie: a=1\r\n")) << line << "\n" << text;
  }
}

TEST(Cookies, WhatIsLeftIsNeverLonger) {
  std::string many = "a=1";
  for (int i = 0; i < 4000; ++i) many += ";b";
  RequestHead head;
  head.fields.add("Cookie", many);
  RequestEdits edits;
  edits.hidden_cookie = "a";
  base::Buffer out;
  write_request_head(out, head, {"192.0.2.1", "http", "80", "id", false}, edits);  // asserts that there is room
  EXPECT_NE(std::string_view(out.readable().data(), out.readable().size()).find("Cookie: b;b;b"),
            std::string_view::npos);
}

TEST(Cookies, LookingEndsWhenItIsFound) {
  FieldList fields;
  fields.add("Cookie", "a=1; a=2");
  fields.add("Cookie", "a=3");
  int seen = 0;
  for_each_cookie(fields, "a", [&](std::string_view value) {
    ++seen;
    return value != "2";
  });
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace adit::http::test
