#pragma once
// The thread that takes full buffers of log lines and writes them where they belong.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace adit::telemetry {

/// A worker hands over its lines when it has this many bytes.
inline constexpr std::size_t kFullBuffer = 32 * 1024;

/// Whole lines, each ended by a line feed.
struct AccessLogChunk {
  std::string bytes;
  std::uint64_t lines = 0;
};

/// Writes chunks in the order in which they came. When the output is stuck or fails, lines are dropped and counted:
/// a worker is never made to wait for a log.
class AccessLogWriter {
 public:
  struct Options {
    std::filesystem::path file = {};            ///< appended to; empty: standard output
    std::size_t queue_bytes = 8 * 1024 * 1024;  ///< what may wait, including what is being written
  };

  /// Opens the output and starts the thread; fails if the file cannot be opened.
  static base::Result<std::unique_ptr<AccessLogWriter>> start(Options options);

  /// Writes what waits, for at most a second if the output is stuck, and ends the thread.
  ~AccessLogWriter();
  AccessLogWriter(const AccessLogWriter&) = delete;
  AccessLogWriter& operator=(const AccessLogWriter&) = delete;

  /// Takes a chunk over and gives an empty one back, with memory of an earlier one. Any thread.
  AccessLogChunk exchange(AccessLogChunk full);

  /// Opens the file again under its name, after a rotation moved it away; chunks handed over before the call may
  /// still go to the old file. If that fails the old file stays in use, and the program's log says why. Any thread,
  /// but not a signal handler. Nothing happens for standard output.
  void reopen();

  /// Lines that were not written. Any thread.
  std::uint64_t dropped_lines() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  AccessLogWriter(Options options, int output);

  /// Under the lock: takes `full`, which is then empty, and finds memory for `empty`. Without room neither changes.
  void enqueue(AccessLogChunk& full, AccessLogChunk& empty);
  void run();
  void write(const AccessLogChunk& chunk);
  bool write_all(std::string_view bytes);
  bool wait_until_writable();
  void reopen_now();
  void drop(const AccessLogChunk& chunk);

  const Options options_;
  int output_;      // of the thread once it runs; standard output is borrowed
  int stop_event_;  // eventfd(2), readable once the destructor began
  bool regular_file_ = false;
  bool torn_ = false;  // the output ends within a line
  bool failing_ = false;
  std::optional<base::TimePoint> last_moment_;  // for a slow output, once the destructor began
  std::atomic<std::uint64_t> dropped_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<AccessLogChunk> queue_;
  std::vector<AccessLogChunk> spare_;
  std::size_t queued_bytes_ = 0;
  bool reopen_ = false;
  bool stopping_ = false;

  std::jthread thread_;
};

}  // namespace adit::telemetry
