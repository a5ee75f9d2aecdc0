#include "routing/logins.h"

#include "tests/routing/objects.h"

namespace adit::routing {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kSalted = "abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ01234";  // 53 characters
const std::string kHash = "$2y$10$" + kSalted;

base::Result<std::vector<BasicAuth::Login>> read(const std::string& auth) {
  return read_logins(secret("a/staff", "Opaque", {{"auth", auth}}));
}

TEST(Logins, AreReadLineByLine) {
  const auto logins = read("# staff\nann:" + kHash + "\r\n\nbob smith:$2b$04$" + kSalted + "\nüte:$2a$14$" + kSalted);
  ASSERT_TRUE(logins) << logins.error();
  EXPECT_THAT(*logins, ElementsAre(BasicAuth::Login{"ann", kHash}, BasicAuth::Login{"bob smith", "$2b$04$" + kSalted},
                                   BasicAuth::Login{"üte", "$2a$14$" + kSalted}));
}

TEST(Logins, Refusals) {
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "u" + std::to_string(i) + ":" + kHash + "\n";
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "no login"},
      {"\n# nobody\n", "no login"},
      {"ann", "has line 1 of auth, which is not USER:HASH"},
      {"# a comment\n\nann:secret", "has line 3 of auth, which must have a bcrypt hash"},
      {":" + kHash, "a user of 1 to 255"},
      {std::string(256, 'a') + ":" + kHash, "a user of 1 to 255"},
      {"a\x01:" + kHash, "a user of 1 to 255"},
      {"ann:" + kHash + " ", "bcrypt"},
      {"ann:" + kHash + ":x", "bcrypt"},
      {"ann:" + kHash.substr(1), "bcrypt"},
      {"ann:$apr1$salt$0123456789012345678901", "bcrypt"},
      {"ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "bcrypt"},
      {"ann:$2x$10$" + kSalted, "bcrypt"},
      {"ann:$2y$03$" + kSalted, "cost 4 to 14"},
      {"ann:$2y$15$" + kSalted, "cost 4 to 14"},
      {"ann:$2y$1:$" + kSalted, "bcrypt"},
      {"ann:$2y$10$" + kSalted.substr(1) + "!", "bcrypt"},
      {"ann:" + kHash + "\nann:" + kHash, "has line 2 of auth, which names a user for the second time"},
      {many, "more than 1000"},
  };
  for (const auto& [auth, reason] : cases) {
    const auto logins = read(auth);
    ASSERT_FALSE(logins) << reason;
    EXPECT_THAT(logins.error(), AllOf(HasSubstr(std::string(reason)), Not(HasSubstr("secret")), Not(HasSubstr("$2"))));
  }
  EXPECT_THAT(read_logins(secret("a/s", "Opaque", {{"users", "x"}})).error(), HasSubstr("no key \"auth\""));
  EXPECT_THAT(read_logins(secret("a/s", "kubernetes.io/tls", {{"auth", "x"}})).error(), HasSubstr("not Opaque"));
}

}  // namespace
}  // namespace adit::routing
