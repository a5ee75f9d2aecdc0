#include "gateway/passwords.h"

#include <future>

#include <gtest/gtest.h>

namespace adit::gateway {
namespace {

/// "secret", cost 4.
const std::string kBcrypt = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

TEST(Passwords, ParseBasic) {
  const struct {
    const char* value;
    const char* user;  ///< nullptr: refused
    const char* password;
  } cases[] = {
      {"Basic dXNlcjpwYXNz", "user", "pass"},
      {"basic  dXNlcjpwYXNz", "user", "pass"},
      {"Basic dXNlcjpwOnc=", "user", "p:w"},
      {"Basic Og==", "", ""},
      {"Basic dXNlcg==", nullptr, nullptr},
      {"Basic", nullptr, nullptr},
      {"Basic ", nullptr, nullptr},
      {"Basic !!!!", nullptr, nullptr},
      {"Bearer dXNlcjpwYXNz", nullptr, nullptr},
      {"", nullptr, nullptr},
      {"Basic dXNlcjoA", nullptr, nullptr},
  };
  for (const auto& row : cases) {
    const auto found = parse_basic(row.value);
    ASSERT_EQ(found.has_value(), row.user != nullptr) << row.value;
    if (!found) continue;
    EXPECT_EQ(found->user, row.user);
    EXPECT_EQ(found->password, row.password);
  }
}

bool check(PasswordChecker& checker, const std::string& password, const std::string& bcrypt) {
  std::promise<bool> answer;
  EXPECT_TRUE(checker.check(password, bcrypt, [&](bool right) { answer.set_value(right); }));
  return answer.get_future().get();
}

TEST(Passwords, AreHeldAgainstTheirHash) {
  PasswordChecker checker;
  EXPECT_TRUE(check(checker, "secret", kBcrypt));
  EXPECT_FALSE(check(checker, "Secret", kBcrypt));
  EXPECT_FALSE(check(checker, "", kBcrypt));
  EXPECT_FALSE(check(checker, "secret", "")) << "there is no such user";
  EXPECT_FALSE(check(checker, "secret", "$2b$04$tooshort")) << "no hash";
  EXPECT_FALSE(check(checker, "secret", "secret"));
}

TEST(Passwords, OnlySoManyWait) {
  PasswordChecker checker;
  std::promise<void> gate;
  auto opened = gate.get_future().share();
  std::promise<void> busy;
  ASSERT_TRUE(checker.check("x", "", [&](bool) {
    busy.set_value();
    opened.wait();
  }));
  busy.get_future().wait();
  for (std::size_t i = 0; i < PasswordChecker::kMostWaiting; ++i) {
    EXPECT_TRUE(checker.check("x", kBcrypt, [](bool) {}));
  }
  EXPECT_FALSE(checker.check("x", kBcrypt, [](bool) {}));
  gate.set_value();
  checker.stop();
}

TEST(Passwords, KeysTellUserPasswordAndHashApart) {
  PasswordChecker checker;
  const auto key = checker.key_of({"a", "b"}, "c");
  EXPECT_EQ(checker.key_of({"a", "b"}, "c"), key);
  EXPECT_NE(checker.key_of({"ab", ""}, "c"), key);
  EXPECT_NE(checker.key_of({"a", "bc"}, ""), key);
  EXPECT_NE(PasswordChecker().key_of({"a", "b"}, "c"), key) << "each process has its own";
}

TEST(PasswordCacheTest, RememberedForAWhile) {
  const base::TimePoint start{std::chrono::seconds(1000)};
  PasswordCache cache;
  const PasswordKey right{1};
  const PasswordKey wrong{2};
  EXPECT_EQ(cache.find(right, start), std::nullopt);
  cache.store(right, true, start);
  cache.store(wrong, false, start);
  EXPECT_EQ(cache.find(right, start), true);
  EXPECT_EQ(cache.find(wrong, start), false);
  EXPECT_EQ(cache.find(wrong, start + PasswordCache::kWrong), std::nullopt);
  EXPECT_EQ(cache.find(right, start + PasswordCache::kWrong), true);
  EXPECT_EQ(cache.find(right, start + PasswordCache::kRight), std::nullopt);
}

}  // namespace
}  // namespace adit::gateway
