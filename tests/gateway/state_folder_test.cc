// The file that holds a gateway's copy of its configuration.

#include "gateway/state_folder.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace adit::gateway::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class State : public testing::Test {
 protected:
  State() : folder_(fs::path(testing::TempDir()) / ("state_" + std::to_string(getpid()))) { fs::remove_all(folder_); }
  ~State() override { fs::remove_all(folder_); }
  fs::path file() const { return folder_ / "configuration"; }
  static unsigned mode(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 0777U;
  }

  fs::path folder_;
};

TEST_F(State, IsForItsOwnerOnly) {
  const auto old = umask(0);
  auto state = StateFolder::open(folder_);
  ASSERT_TRUE(state) << state.error();
  EXPECT_EQ(mode(folder_), 0700U);
  ASSERT_TRUE(state->read());
  EXPECT_FALSE(*state->read()) << "nothing was written yet";
  ASSERT_TRUE(state->write("one"));
  ASSERT_TRUE(state->write("two\n"));
  umask(old);
  EXPECT_EQ(mode(file()), 0600U);
  const auto read = StateFolder::open(folder_)->read();
  ASSERT_TRUE(read && *read);
  EXPECT_EQ(**read, "two\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(State, FolderOfOthersIsRefused) {
  fs::create_directory(folder_);
  fs::permissions(folder_, fs::perms::owner_all | fs::perms::others_exec);
  EXPECT_THAT(StateFolder::open(folder_).error(), HasSubstr("others can enter it"));
  fs::remove(folder_);
  std::ofstream(folder_) << "a file";
  EXPECT_THAT(StateFolder::open(folder_).error(), HasSubstr("is not a folder"));
  EXPECT_THAT(StateFolder::open(folder_ / "below").error(), HasSubstr("cannot be made"));
}

TEST_F(State, FileOfOthersIsRefused) {
  const auto state = StateFolder::open(folder_);
  ASSERT_TRUE(state->write("secret"));
  fs::permissions(file(), fs::perms::group_read, fs::perm_options::add);
  EXPECT_THAT(state->read().error(), HasSubstr("others could have read or written it"));
  ASSERT_TRUE(state->write("again")) << "it is replaced";
  EXPECT_EQ(mode(file()), 0600U);
  fs::remove(file());
  fs::create_symlink("/dev/zero", file());
  EXPECT_THAT(state->read().error(), HasSubstr("cannot be opened"));
}

TEST_F(State, LeftoverOfAKilledProcessIsNoHindrance) {
  const auto state = StateFolder::open(folder_);
  std::ofstream(folder_ / "configuration.new") << "half";
  ASSERT_TRUE(state->write("whole"));
  EXPECT_EQ(**state->read(), "whole");
}

TEST_F(State, FolderThatIsGoneIsTold) {
  const auto state = StateFolder::open(folder_);
  fs::remove(folder_);
  EXPECT_THAT(state->write("x").error(), HasSubstr("cannot be made"));
}

}  // namespace
}  // namespace adit::gateway::test
