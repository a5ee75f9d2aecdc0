#pragma once
// One JSON line per request: formatted by its worker, written by a thread of its own.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "telemetry/access_log_writer.h"

namespace adit::telemetry {

/// What is known of a request at its end. The texts are borrowed for the call; they may hold any bytes.
struct AccessRecord {
  std::chrono::system_clock::time_point time = {};  ///< when the request's head had been read
  std::string_view request_id = {};
  std::string_view visitor = {};  ///< address, without port
  std::string_view method = {};
  std::string_view host = {};
  std::string_view path = {};  ///< request target as received
  unsigned status = 0;         ///< 0: the visitor left before an answer
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::chrono::nanoseconds duration{0};
  std::optional<std::chrono::nanoseconds> upstream = {};  ///< until the first byte of the answer; absent: none came
  std::string_view tunnel = {};
  std::string_view connector = {};
  std::string_view peer = {};  ///< id of the gateway that it went by; written when not empty
  std::string_view service = {};
  unsigned attempts = 0;         ///< streams that were tried
  std::string_view reason = {};  ///< why it failed; empty: it did not
};

/// The lines of one worker. Formatting neither allocates after warm-up nor locks; a buffer of kFullBuffer bytes is
/// exchanged for an empty one under the writer's lock. Used by one thread; the writer must outlive it.
class AccessLogBuffer {
 public:
  explicit AccessLogBuffer(AccessLogWriter& writer);
  AccessLogBuffer(const AccessLogBuffer&) = delete;
  AccessLogBuffer& operator=(const AccessLogBuffer&) = delete;
  ~AccessLogBuffer() { flush(); }

  /// Appends {"time":…,"request_id":…,…} and a line feed. Texts beyond 4096 bytes are cut and end in "…".
  void write(const AccessRecord& record);

  /// Hands over what is there. A worker calls it about once a second, so that a quiet log is not a late one.
  void flush();

 private:
  std::span<const char> date(std::int64_t second);
  void append(const AccessRecord& record);

  AccessLogWriter& writer_;
  AccessLogChunk chunk_;
  std::int64_t second_ = -1;     // since the epoch, of date_
  std::array<char, 20> date_{};  // "2026-01-31T23:59:59."
};

}  // namespace adit::telemetry
