#include "gateway/manifest_folder.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <sstream>

#include <malloc.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

namespace adit::gateway {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                                  IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr int kSettleMs = 40;    // of quiet after an event, since changes come in groups
constexpr int kMostSettles = 8;  // but never wait longer than this many times
constexpr int kSlowScanMs = 2000;
constexpr std::uintmax_t kMostBytes = 4U << 20U;  // of one file
constexpr std::size_t kMostFiles = 20'000;

bool is_manifest(const fs::path& path) {
  const auto name = path.filename().string();
  const auto extension = path.extension();
  return !name.starts_with('.') && (extension == ".yaml" || extension == ".yml" || extension == ".json");
}

routing::FileText read_file(const fs::path& path) {
  routing::FileText file;
  file.name = path.string();
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error || size > kMostBytes) {
    file.error = error ? error.message() : "larger than 4 MiB";
    return file;
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) {
    file.error = "cannot be read";
  } else {
    file.text = std::move(text).str();
  }
  return file;
}

/// Written within the last second: its writer may not be done. A time in the future says nothing.
bool is_young(const fs::path& path) {
  std::error_code error;
  const auto changed = fs::last_write_time(path, error);
  const auto age = fs::file_time_type::clock::now() - changed;
  return !error && age >= age.zero() && age < std::chrono::seconds(1);
}

/// A number that differs when a file of the list was replaced or written; made of what stat(2) says, links followed.
std::uint64_t stamp_of(const std::vector<std::string>& paths) {
  std::uint64_t stamp = 14695981039346656037U;  // FNV-1a
  const auto add = [&stamp](const void* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      stamp = (stamp ^ static_cast<const unsigned char*>(bytes)[i]) * 1099511628211U;
    }
  };
  for (const auto& path : paths) {
    struct stat now {};
    if (stat(path.c_str(), &now) != 0) now = {};
    const std::array<std::int64_t, 7> facts{static_cast<std::int64_t>(now.st_dev),
                                            static_cast<std::int64_t>(now.st_ino),
                                            now.st_size,
                                            now.st_mtim.tv_sec,
                                            now.st_mtim.tv_nsec,
                                            now.st_ctim.tv_sec,
                                            now.st_ctim.tv_nsec};
    add(path.c_str(), path.size() + 1);
    add(facts.data(), sizeof facts);
  }
  return stamp;
}

}  // namespace

void log_problems(const std::vector<routing::Problem>& problems) {
  for (const auto& problem : problems) {
    base::log::warning("manifest problem", {{"file", problem.file},
                                            {"line", problem.line},
                                            {"object", problem.object},
                                            {"field", problem.field},
                                            {"reason", problem.reason}});
  }
}

ManifestFolder::ManifestFolder(fs::path folder, GatewayMetrics& metrics)
    : folder_(std::move(folder)), metrics_(metrics) {}

void ManifestFolder::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_, &one, sizeof one);
  thread_.join();
}

ManifestFolder::~ManifestFolder() {
  stop();
  if (inotify_ >= 0) close(inotify_);
  if (wake_ >= 0) close(wake_);
}

/// The manifests of the folder, by name. As text: a path keeps each of its components apart, which is half a kilobyte
/// for each of what may be ten thousand files, in memory that the thread's arena does not give back.
base::Result<std::vector<std::string>> ManifestFolder::list() const {
  std::error_code error;
  std::vector<std::string> paths;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code unknown;
    if (is_manifest(entry->path()) && !entry->is_directory(unknown)) paths.push_back(entry->path().native());
  }
  if (error) return base::Error{"folder " + folder_.string() + ": " + error.message()};
  if (paths.size() > kMostFiles) return base::Error{"folder " + folder_.string() + ": more than 20,000 manifests"};
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Reads all manifests. `patient`: nobody said that something has changed, or that its writer is done. So nothing is
/// read, and nothing returned, when all is as it was, and while a file is younger than a second.
base::Result<std::optional<routing::FolderChange>> ManifestFolder::scan(bool patient) {
  const std::optional<routing::FolderChange> nothing;
  const auto paths = list();
  if (!paths) return base::Error{paths.error()};
  // Before the files are read, so that what is written meanwhile is seen the next time.
  const auto stamp = patient ? stamp_of(*paths) : 0;
  if (patient && (stamp == stamp_ || std::any_of(paths->begin(), paths->end(), is_young))) return nothing;
  if (inotify_ >= 0) watch(*paths);
  bool all_read = true;
  state_.begin_scan();
  for (const auto& path : *paths) {
    const auto file = read_file(path);
    all_read = all_read && file.error.empty();
    state_.take(file);
  }
  stamp_ = all_read ? stamp : 0;  // what failed is tried again
  return std::optional(state_.end_scan());
}

/// Edits behind a symbolic link are told to who watches the folder that it leads to.
void ManifestFolder::watch(const std::vector<std::string>& paths) {
  std::set<fs::path> folders = {folder_};
  for (const auto& path : paths) {
    std::error_code error;
    if (const auto real = fs::canonical(path, error); !error) folders.insert(real.parent_path());
  }
  for (const auto& folder : folders) {
    // Watching a folder again is the same watch; one that is gone took its watch along.
    if (inotify_add_watch(inotify_, folder.c_str(), kEvents) < 0 && errno == ENOSPC) {
      base::log::warning("no more inotify watches: changes are seen by the slow scan", {{"folder", folder.string()}});
    }
  }
}

base::Result<ManifestFolder::Loaded> ManifestFolder::load() {
  auto change = scan(false);
  if (!change) return base::Error{change.error()};
  auto loaded = compile(**change);
  malloc_trim(0);  // half of what reading took is free again, in holes; nobody runs yet who would have to wait
  return loaded;
}

ManifestFolder::Loaded ManifestFolder::compile(const routing::FolderChange& change) {
  auto compiled = routing::compile(state_.objects(), holders_, key_pairs_);
  holders_ = std::move(compiled.holders);
  Loaded loaded{routing::build_table(routing::configurations(compiled)), change.refused};
  loaded.problems.insert(loaded.problems.end(), compiled.problems.begin(), compiled.problems.end());
  metrics_.config_generation.add();
  std::set<std::string> refused;
  for (const auto& problem : change.refused) refused.insert(problem.file);
  if (change.refused_changed) metrics_.config_refusals.add(refused.size());
  metrics_.config_refused.set(static_cast<std::int64_t>(refused.size()));
  return loaded;
}

base::Result<void> ManifestFolder::start(Publish publish) {
  publish_ = std::move(publish);
  inotify_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC);
  if (inotify_ < 0 || wake_ < 0)
    return base::Error{"inotify: " + std::error_code(errno, std::system_category()).message()};
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

void ManifestFolder::run(const std::stop_token& stop) {
  rescan(false);  // what changed between load() and the first watch
  std::array<pollfd, 2> waits{pollfd{inotify_, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
  while (!stop.stop_requested()) {
    const int ready = poll(waits.data(), waits.size(), kSlowScanMs);
    if (stop.stop_requested()) return;
    const bool told = ready > 0 && (waits[0].revents & POLLIN) != 0;
    if (told) settle();
    rescan(!told);
  }
}

/// Takes the events and waits until none come for a while.
void ManifestFolder::settle() {
  std::array<char, 8192> events;
  pollfd wait{inotify_, POLLIN, 0};
  for (int i = 0; i < kMostSettles; ++i) {
    while (read(inotify_, events.data(), events.size()) > 0) {
    }
    if (poll(&wait, 1, kSettleMs) <= 0) return;
  }
}

void ManifestFolder::rescan(bool patient) {
  const auto scanned = scan(patient);
  if (!scanned) {
    if (scan_error_ != scanned.error()) {
      scan_error_ = scanned.error();
      stamp_ = 0;  // once it can be read again, that is news
      base::log::error("manifests cannot be read; the last good state serves", {{"reason", scan_error_}});
    }
    return;
  }
  if (!*scanned) return;
  scan_error_.clear();
  const auto& change = **scanned;
  if (!change.changed && !change.refused_changed) return;
  const auto loaded = compile(change);
  log_problems(loaded.problems);
  if (!change.changed) return;
  base::log::info("routes in force", {{"tunnels", loaded.table->tunnels()}, {"routes", loaded.table->routes()}});
  publish_(loaded.table);
}

}  // namespace adit::gateway
