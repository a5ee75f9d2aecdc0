// The folder of manifests: what is published when its files come, change, break and go.

#include "gateway/manifest_folder.h"

#include <condition_variable>
#include <fstream>
#include <mutex>

#include <gtest/gtest.h>
#include <unistd.h>

namespace adit::gateway::test {
namespace {

namespace fs = std::filesystem;

std::string tunnel(const std::string& name, const std::string& host) {
  return "apiVersion: adit.dev/v1alpha1\nkind: Tunnel\nmetadata: {name: " + name +
         "}\nspec:\n  routes:\n  - host: " + host + "\n";
}

class Manifests : public testing::Test {
 protected:
  Manifests() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = fs::path(testing::TempDir()) / ("manifests_" + std::to_string(getpid()) + "_" + test->name());
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Manifests() override {
    folder_.reset();
    fs::remove_all(path_);
  }

  void write(const std::string& file, const std::string& text) const { std::ofstream(path_ / file) << text; }
  /// Loads and watches; the first table counts as published.
  void start() {
    folder_ = std::make_unique<ManifestFolder>(path_, metrics_);
    auto loaded = folder_->load();
    ASSERT_TRUE(loaded) << loaded.error();
    table_ = loaded->table;
    problems_ = loaded->problems;
    const auto started = folder_->start([this](std::shared_ptr<const routing::Table> table) {
      const std::lock_guard lock(mutex_);
      table_ = std::move(table);
      changed_.notify_all();
    });
    ASSERT_TRUE(started) << started.error();
  }
  bool routes(const char* host) const { return table_->find(host, "/") != nullptr; }
  /// True once a published table has a route for `host`; with `has` false, has none.
  bool becomes(const char* host, bool has = true) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return routes(host) == has; });
  }
  bool still(const char* host) {
    const std::lock_guard lock(mutex_);
    return routes(host);
  }

  fs::path path_;
  GatewayMetrics metrics_;
  std::unique_ptr<ManifestFolder> folder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const routing::Table> table_;
  std::vector<routing::Problem> problems_;
};

TEST_F(Manifests, FilesComeChangeAndGo) {
  write("a.yaml", tunnel("a", "a.example.com"));
  start();
  EXPECT_TRUE(routes("a.example.com"));
  write("b.yml", tunnel("b", "b.example.com"));
  ASSERT_TRUE(becomes("b.example.com"));
  EXPECT_TRUE(still("a.example.com"));
  write("a.yaml", tunnel("a", "a2.example.com"));
  ASSERT_TRUE(becomes("a2.example.com"));
  EXPECT_FALSE(still("a.example.com"));
  fs::remove(path_ / "b.yml");
  ASSERT_TRUE(becomes("b.example.com", false));
  EXPECT_TRUE(still("a2.example.com"));
}

TEST_F(Manifests, OthersAreNoManifests) {
  write("notes.txt", "not: [yaml");
  write(".hidden.yaml", "not: [yaml");
  fs::create_directory(path_ / "folder.yaml");
  start();
  EXPECT_TRUE(problems_.empty());
  EXPECT_EQ(table_->routes(), 0U);
  // A name that becomes one of a manifest.
  write("new.tmp", tunnel("new", "new.example.com"));
  fs::rename(path_ / "new.tmp", path_ / "new.yaml");
  ASSERT_TRUE(becomes("new.example.com"));
  fs::rename(path_ / "new.yaml", path_ / "new.off");
  ASSERT_TRUE(becomes("new.example.com", false));
}

TEST_F(Manifests, BadFileKeepsItsLastGoodState) {
  write("a.yaml", tunnel("a", "a.example.com"));
  start();
  write("a.yaml", "kind: Tunnel\nspec: [");
  write("b.yaml", tunnel("b", "b.example.com"));
  ASSERT_TRUE(becomes("b.example.com"));
  EXPECT_TRUE(still("a.example.com"));
  folder_->stop();
  EXPECT_EQ(metrics_.config_refused.value(), 1);
  EXPECT_GE(metrics_.config_refusals.value(), 1U);
}

TEST_F(Manifests, BadFileAtTheStartIsNamed) {
  write("a.yaml", "kind: Tunnel\nspec: [");
  write("b.yaml", tunnel("b", "b.example.com"));
  fs::create_symlink("nowhere", path_ / "c.yaml");
  start();
  ASSERT_GE(problems_.size(), 2U);  // refused files come first
  EXPECT_NE(problems_[0].file.find("a.yaml"), std::string::npos);
  EXPECT_NE(problems_[1].file.find("c.yaml"), std::string::npos) << "it cannot be read";
  EXPECT_TRUE(routes("b.example.com"));
  write("a.yaml", tunnel("a", "a.example.com"));
  ASSERT_TRUE(becomes("a.example.com"));
}

TEST_F(Manifests, UnreadableFileKeepsItsLastGoodState) {
  fs::create_directory(path_ / "real");
  write("real/a.yaml", tunnel("a", "a.example.com"));
  fs::create_symlink("real/a.yaml", path_ / "a.yaml");
  start();
  EXPECT_TRUE(routes("a.example.com"));
  fs::remove(path_ / "real/a.yaml");
  write("b.yaml", tunnel("b", "b.example.com"));
  ASSERT_TRUE(becomes("b.example.com"));
  EXPECT_TRUE(still("a.example.com"));
}

// As Kubernetes mounts a ConfigMap: a.yaml -> ..data/a.yaml, ..data -> ..1, which is swapped by one rename.
TEST_F(Manifests, SwappedAsKubernetesDoes) {
  fs::create_directory(path_ / "..1");
  write("..1/a.yaml", tunnel("a", "a.example.com"));
  fs::create_symlink("..1", path_ / "..data");
  fs::create_symlink("..data/a.yaml", path_ / "a.yaml");
  start();
  EXPECT_TRUE(routes("a.example.com"));
  fs::create_directory(path_ / "..2");
  write("..2/a.yaml", tunnel("a", "a2.example.com"));
  fs::create_symlink("..2", path_ / "..data_tmp");
  fs::rename(path_ / "..data_tmp", path_ / "..data");
  fs::remove_all(path_ / "..1");
  ASSERT_TRUE(becomes("a2.example.com"));
  EXPECT_FALSE(still("a.example.com"));
}

TEST_F(Manifests, EditBehindASymbolicLink) {
  fs::create_directory(path_ / "real");
  write("real/a.yaml", tunnel("a", "a.example.com"));
  fs::create_symlink("real/a.yaml", path_ / "a.yaml");
  start();
  write("real/a.yaml", tunnel("a", "a2.example.com"));
  ASSERT_TRUE(becomes("a2.example.com"));
}

TEST_F(Manifests, EditsThatNobodyTells) {
  // By another name of the file in another folder, of which the watch hears nothing; the second after a slow scan that
  // has seen the first.
  const fs::path elsewhere = path_.string() + "_elsewhere";
  std::ofstream(elsewhere) << tunnel("a", "a.example.com");
  fs::create_hard_link(elsewhere, path_ / "a.yaml");
  start();
  std::ofstream(elsewhere) << tunnel("a", "b.example.com");
  EXPECT_TRUE(becomes("b.example.com"));
  std::ofstream(elsewhere) << tunnel("a", "c.example.com");
  EXPECT_TRUE(becomes("c.example.com"));
  fs::remove(elsewhere);
}

TEST_F(Manifests, FolderGoesAndComesBack) {
  write("a.yaml", tunnel("a", "a.example.com"));
  start();
  fs::remove_all(path_);
  fs::create_directories(path_);
  EXPECT_TRUE(still("a.example.com")) << "or not yet";
  write("b.yaml", tunnel("b", "b.example.com"));
  ASSERT_TRUE(becomes("b.example.com"));
}

TEST_F(Manifests, NothingIsPublishedAfterStop) {
  start();
  folder_->stop();
  folder_->stop();  // no effect
  write("a.yaml", tunnel("a", "a.example.com"));
  EXPECT_FALSE(still("a.example.com"));
}

TEST_F(Manifests, FolderThatIsNotThere) {
  fs::remove_all(path_);
  ManifestFolder folder(path_, metrics_);
  const auto loaded = folder.load();
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().find(path_.string()), std::string::npos) << loaded.error();
}

}  // namespace
}  // namespace adit::gateway::test
