// The link listener's key pair in files that are replaced, broken and mended.

#include "gateway/link_certificate_files.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/net/certificates.h"

namespace adit::gateway::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class LinkCertificate : public testing::Test {
 protected:
  LinkCertificate() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / ("link_certificate_" + std::to_string(getpid()) + "_" + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    files_.emplace(folder_ / "tls.crt", folder_ / "tls.key", published_);
  }
  ~LinkCertificate() override { fs::remove_all(folder_); }

  void write(const char* file, const std::string& text) const { std::ofstream(folder_ / file) << text; }
  void write(const net::test::Issued& pair) const {
    write("tls.crt", pair.chain_pem);
    write("tls.key", pair.key_pem);
  }
  std::string served() const { return published_.get() ? published_.get()->key_pem : ""; }

  net::test::Authority authority_;
  net::test::Issued first_ = authority_.issue("DNS:edge.test");
  net::test::Issued second_ = authority_.issue("DNS:edge.test");
  fs::path folder_;
  base::Published<routing::Certificate> published_{nullptr};
  std::optional<LinkCertificateFiles> files_;
};

TEST_F(LinkCertificate, ServesWhatTheFilesHold) {
  write(first_);
  ASSERT_TRUE(files_->load());
  EXPECT_EQ(served(), first_.key_pem);
  const auto version = published_.version();
  files_->look();
  EXPECT_EQ(published_.version(), version) << "nothing has changed";
  write(second_);
  files_->look();
  EXPECT_EQ(served(), second_.key_pem);
}

TEST_F(LinkCertificate, FollowsLinksThatAreSwapped) {
  fs::create_directories(folder_ / "one");
  fs::create_directories(folder_ / "two");
  write("one/tls.crt", first_.chain_pem);
  write("one/tls.key", first_.key_pem);
  write("two/tls.crt", second_.chain_pem);
  write("two/tls.key", second_.key_pem);
  fs::create_symlink("one", folder_ / "..data");
  fs::create_symlink("..data/tls.crt", folder_ / "tls.crt");
  fs::create_symlink("..data/tls.key", folder_ / "tls.key");
  ASSERT_TRUE(files_->load());
  fs::create_symlink("two", folder_ / "next");
  fs::rename(folder_ / "next", folder_ / "..data");
  files_->look();
  EXPECT_EQ(served(), second_.key_pem);
}

TEST_F(LinkCertificate, FirstReadingMustSucceed) {
  auto loaded = files_->load();
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error(), HasSubstr("--link-cert " + (folder_ / "tls.crt").string() + ": cannot be read"));
  write("tls.crt", first_.chain_pem);
  loaded = files_->load();
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error(), HasSubstr("--link-key " + (folder_ / "tls.key").string() + ": cannot be read"));
  write("tls.key", second_.key_pem);
  loaded = files_->load();
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error(), HasSubstr("tls.key"));
  EXPECT_EQ(served(), "");
}

TEST_F(LinkCertificate, BadPairLeavesTheLastGoodOne) {
  write(first_);
  ASSERT_TRUE(files_->load());
  for (const auto& [chain, key] :
       {std::pair(second_.chain_pem, first_.key_pem), std::pair(std::string("x"), second_.key_pem),
        std::pair(second_.chain_pem, std::string()), std::pair(std::string((1U << 20U) + 1, 'x'), second_.key_pem)}) {
    write({chain, key});
    for (int i = 0; i < 3; ++i) files_->look();
    EXPECT_EQ(served(), first_.key_pem);
  }
  fs::remove(folder_ / "tls.key");
  files_->look();
  EXPECT_EQ(served(), first_.key_pem);
  write(second_);
  files_->look();
  EXPECT_EQ(served(), second_.key_pem);
}

}  // namespace
}  // namespace adit::gateway::test
