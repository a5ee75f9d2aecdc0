#pragma once
// The folder of manifests as a source of route tables: scans it, and again whenever something in it changes.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.h"
#include "gateway/metrics.h"
#include "routing/compile.h"
#include "routing/folder.h"

namespace adit::gateway {

/// Reads *.yaml, *.yml and *.json of one folder, symbolic links followed, names that begin with "." left out: so it
/// sees a mounted ConfigMap or Secret as Kubernetes swaps it. Files that are bad are refused whole and keep their last
/// good state.
class ManifestFolder {
 public:
  /// Called with each new table, by start()'s thread.
  using Publish = std::function<void(std::shared_ptr<const routing::Table> table)>;

  ManifestFolder(std::filesystem::path folder, GatewayMetrics& metrics);
  ~ManifestFolder();

  struct Loaded {
    std::shared_ptr<const routing::Table> table;
    std::vector<routing::Problem> problems;  ///< of refused files and of what does not resolve
  };
  /// The first scan. Fails only if the folder cannot be read.
  base::Result<Loaded> load();
  /// After load(): watches by inotify(7), with a slow scan besides for file systems that do not tell.
  base::Result<void> start(Publish publish);
  /// Ends the thread: nothing is published any more.
  void stop();

 private:
  base::Result<std::vector<std::string>> list() const;
  base::Result<std::optional<routing::FolderChange>> scan(bool patient);
  Loaded compile(const routing::FolderChange& change);
  void run(const std::stop_token& stop);
  void rescan(bool patient);
  void watch(const std::vector<std::string>& paths);
  void settle();

  std::filesystem::path folder_;
  GatewayMetrics& metrics_;
  routing::FolderState state_;
  routing::Holders holders_;
  routing::KeyPairs key_pairs_;
  Publish publish_;
  std::string scan_error_;
  std::uint64_t stamp_ = 0;  ///< of what the last patient scan has read; 0: another scan came after it
  int inotify_ = -1;
  int wake_ = -1;
  std::jthread thread_;
};

/// Writes each problem to the program's log.
void log_problems(const std::vector<routing::Problem>& problems);

}  // namespace adit::gateway
