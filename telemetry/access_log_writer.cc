#include "telemetry/access_log_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

namespace adit::telemetry {
namespace {

/// A chunk is handed over once it is full, so it needs room for one more line; longer lines make it grow.
constexpr std::size_t kChunkCapacity = kFullBuffer + 4096;
/// Memory that one line with long texts has made this large is not kept.
constexpr std::size_t kLargestSpare = 4 * kFullBuffer;
constexpr std::size_t kMostSpare = 64;
constexpr std::chrono::seconds kGrace{1};

int open_for_append(const std::filesystem::path& file) {
  return open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

bool is_regular_file(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

base::Result<std::unique_ptr<AccessLogWriter>> AccessLogWriter::start(Options options) {
  const int output = options.file.empty() ? STDOUT_FILENO : open_for_append(options.file);
  if (output < 0) {
    return base::Error{"access log " + options.file.string() + " cannot be opened: " + std::strerror(errno)};
  }
  return std::unique_ptr<AccessLogWriter>(new AccessLogWriter(std::move(options), output));
}

AccessLogWriter::AccessLogWriter(Options options, int output)
    : options_(std::move(options)),
      output_(output),
      stop_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      regular_file_(is_regular_file(output)) {
  spare_.reserve(kMostSpare);
  thread_ = std::jthread([this] { run(); });
}

AccessLogWriter::~AccessLogWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  // Wakes the thread when it waits for the output; it may then wait a little more, see wait_until_writable.
  eventfd_write(stop_event_, 1);
  thread_.join();
  close(stop_event_);
  if (!options_.file.empty()) close(output_);
}

AccessLogChunk AccessLogWriter::exchange(AccessLogChunk full) {
  AccessLogChunk empty;
  if (!full.bytes.empty()) {
    const std::lock_guard lock(mutex_);
    enqueue(full, empty);
  }
  wake_.notify_one();
  // What was not taken is dropped, and its memory serves on.
  if (full.lines != 0) drop(full);
  if (full.bytes.capacity() > empty.bytes.capacity()) empty.bytes.swap(full.bytes);
  empty.bytes.clear();
  empty.bytes.reserve(kChunkCapacity);
  return empty;
}

void AccessLogWriter::enqueue(AccessLogChunk& full, AccessLogChunk& empty) {
  const auto size = full.bytes.size();
  if (queued_bytes_ + size > options_.queue_bytes) return;
  queued_bytes_ += size;
  // What was flushed early is gathered, or a stuck output would leave a large buffer waiting for each short line.
  if (!queue_.empty() && queue_.back().bytes.size() + size <= queue_.back().bytes.capacity()) {
    queue_.back().bytes += full.bytes;
    queue_.back().lines += std::exchange(full.lines, 0);
    return;
  }
  queue_.push_back(std::exchange(full, {}));
  if (spare_.empty()) return;
  empty = std::move(spare_.back());
  spare_.pop_back();
}

void AccessLogWriter::reopen() {
  {
    const std::lock_guard lock(mutex_);
    reopen_ = true;
  }
  wake_.notify_one();
}

void AccessLogWriter::drop(const AccessLogChunk& chunk) { dropped_.fetch_add(chunk.lines, std::memory_order_relaxed); }

void AccessLogWriter::run() {
  // Signals are for the threads that wait for them, and a closed pipe is an error of write(2) and no signal here.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::vector<AccessLogChunk> batch;
  std::unique_lock lock(mutex_);
  while (!queue_.empty() || !stopping_) {
    wake_.wait(lock, [&] { return !queue_.empty() || stopping_ || reopen_; });
    batch.swap(queue_);
    const bool reopen = std::exchange(reopen_, false);
    lock.unlock();
    if (reopen) reopen_now();
    for (const auto& chunk : batch) write(chunk);
    lock.lock();
    for (auto& chunk : batch) {
      queued_bytes_ -= chunk.bytes.size();
      if (spare_.size() < kMostSpare && chunk.bytes.capacity() <= kLargestSpare) {
        chunk.bytes.clear();
        chunk.lines = 0;
        spare_.push_back(std::move(chunk));
      }
    }
    batch.clear();
  }
}

void AccessLogWriter::write(const AccessLogChunk& chunk) {
  // After an error within a line, the rest of that line is lost: the next one begins on a line of its own.
  const bool written = (!torn_ || write_all("\n")) && write_all(chunk.bytes);
  if (!written) {
    drop(chunk);
    if (!std::exchange(failing_, true)) {
      base::log::error("the access log is not written, lines are dropped", {{"reason", std::strerror(errno)}});
    }
  } else if (std::exchange(failing_, false)) {
    base::log::info("the access log is written again", {{"dropped_lines", dropped_lines()}});
  }
}

bool AccessLogWriter::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!regular_file_ && !wait_until_writable()) return false;
    // Of a pipe that is writable, PIPE_BUF bytes are taken without blocking. O_NONBLOCK would be of no use: it belongs
    // to the open file, which standard output shares with other programs.
    const auto size = regular_file_ ? bytes.size() : std::min<std::size_t>(bytes.size(), PIPE_BUF);
    const auto written = ::write(output_, bytes.data(), size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    torn_ = bytes[static_cast<std::size_t>(written) - 1] != '\n';
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool AccessLogWriter::wait_until_writable() {
  std::array<pollfd, 2> waited{pollfd{output_, POLLOUT, 0}, pollfd{stop_event_, POLLIN, 0}};
  while (poll(waited.data(), waited.size(), -1) < 0) {
    if (errno != EINTR) return false;
  }
  if (waited[0].revents != 0) return true;  // also for POLLERR: write(2) says what it is
  // The program ends, and the output is stuck or slow.
  if (!last_moment_) last_moment_ = base::Clock::now() + kGrace;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*last_moment_ - base::Clock::now());
  const int ready = poll(waited.data(), 1, std::max(static_cast<int>(left.count()), 0));
  if (ready == 0) errno = ETIMEDOUT;
  return ready > 0;
}

void AccessLogWriter::reopen_now() {
  if (options_.file.empty()) return;
  const int output = open_for_append(options_.file);
  if (output < 0) {
    base::log::error("the access log cannot be reopened and goes on in the old file",
                     {{"file", options_.file.string()}, {"reason", std::strerror(errno)}});
    return;
  }
  close(std::exchange(output_, output));
  regular_file_ = is_regular_file(output);
  torn_ = false;
}

}  // namespace adit::telemetry
