#include "connector/credentials.h"

#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/net/certificates.h"

namespace adit::connector::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class CredentialFiles : public testing::Test {
 protected:
  ~CredentialFiles() override {
    std::remove(token_file.c_str());
    std::remove(ca_file.c_str());
  }
  static void write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  std::string token_file = testing::TempDir() + std::to_string(getpid()) + "adit-credentials-token";
  std::string ca_file = testing::TempDir() + std::to_string(getpid()) + "adit-credentials-ca.pem";
};

TEST_F(CredentialFiles, TokenIsReadAnewEachTimeWithoutItsLineEnd) {
  const Credentials credentials(token_file, "");
  for (const char* content : {"first", "second\n", "third\r\n", "fourth \n\n"}) {
    write(token_file, content);
    const auto token = credentials.token();
    ASSERT_TRUE(token) << token.error();
    const std::string text(content);
    EXPECT_EQ(*token, text.substr(0, text.find_first_of(" \r\n")));
  }
}

TEST_F(CredentialFiles, UnusableTokenFilesSayWhy) {
  const Credentials credentials(token_file, "");
  EXPECT_THAT(credentials.token().error(), HasSubstr(token_file + " can't be read: No such file"));
  for (const char* content : {"", "\n", " \r\n"}) {
    write(token_file, content);
    EXPECT_THAT(credentials.token().error(), HasSubstr("is empty"));
  }
  for (const char* content : {"secret word", "secret\nword", "secr\xc3\xa9t"}) {
    write(token_file, content);
    const auto token = credentials.token();
    ASSERT_FALSE(token);
    EXPECT_THAT(token.error(), HasSubstr("holds spaces"));
    EXPECT_THAT(token.error(), Not(HasSubstr("secr")));
  }
  EXPECT_THAT(Credentials(testing::TempDir(), "").token().error(), HasSubstr("can't be read"));
}

TEST_F(CredentialFiles, ProxyCredentialsAreOfTheFileOrElseOfTheUrl) {
  const ProxyAddress proxy{{}, "url:word"};
  EXPECT_EQ(*Credentials(token_file, "").proxy(proxy), "url:word");
  const Credentials credentials(token_file, "", ca_file);
  EXPECT_THAT(credentials.proxy(proxy).error(), HasSubstr("can't be read"));
  write(ca_file, "file:word\r\n");
  EXPECT_EQ(*credentials.proxy(proxy), "file:word");
  write(ca_file, "secret\n");
  EXPECT_THAT(credentials.proxy(proxy).error(), HasSubstr(ca_file + " holds no USER:PASSWORD"));
  EXPECT_THAT(credentials.proxy(proxy).error(), Not(HasSubstr("secret")));
}

TEST_F(CredentialFiles, TlsSettingsFollowTheCaFile) {
  Credentials credentials(token_file, ca_file);
  EXPECT_THAT(credentials.tls().error(), HasSubstr("can't be read"));
  write(ca_file, "");
  EXPECT_THAT(credentials.tls().error(), HasSubstr("is empty"));
  write(ca_file, "no PEM");
  EXPECT_THAT(credentials.tls().error(), HasSubstr("no PEM certificate"));
  write(ca_file, net::test::Authority().pem());
  const auto first = credentials.tls();
  ASSERT_TRUE(first) << first.error();
  EXPECT_EQ(*credentials.tls(), *first);
  write(ca_file, net::test::Authority().pem());
  EXPECT_NE(*credentials.tls(), *first);
}

TEST_F(CredentialFiles, WithoutACaFileTheSystemIsTrusted) { EXPECT_TRUE(Credentials(token_file, "").tls()); }

}  // namespace
}  // namespace adit::connector::test
