#include "telemetry/access_log.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <utility>

#include "base/text.h"

namespace adit::telemetry {
namespace {

using std::chrono::microseconds;

constexpr std::size_t kLongestText = 4096;

bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

/// The greatest length up to `limit` that does not cut a UTF-8 sequence (RFC 3629 §3) in two.
std::size_t cut(std::string_view text, std::size_t limit) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; };
  for (std::size_t back = 0; back < 4; ++back) {
    if (!continues(text[limit - back])) return limit - back;
  }
  return limit;
}

/// `key` is written with its comma, quotes and colon: one copy instead of five.
void append_text(std::string& out, std::string_view key, std::string_view text) {
  out.append(key);
  out.push_back('"');
  const bool too_long = text.size() > kLongestText;
  if (too_long) text = text.substr(0, cut(text, kLongestText));
  // Nearly all texts are plain ASCII, and are then copied whole.
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    out.append(text);
  } else {
    base::append_json_escaped(out, text);
  }
  out.append(too_long ? "…\"" : "\"");
}

void append_number(std::string& out, std::string_view key, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  out.append(key).append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

/// `value` below 10^width, with leading zeros.
void append_padded(std::string& out, std::uint64_t value, std::size_t width) {
  std::array<char, 20> digits;
  for (std::size_t i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits.data(), width);
}

/// Milliseconds with three decimals; a clock that went back gives 0.
void append_milliseconds(std::string& out, std::string_view key, std::chrono::nanoseconds duration) {
  const auto micros = std::max<std::int64_t>(std::chrono::duration_cast<microseconds>(duration).count(), 0);
  append_number(out, key, static_cast<std::uint64_t>(micros / 1000));
  out.push_back('.');
  append_padded(out, static_cast<std::uint64_t>(micros % 1000), 3);
}

}  // namespace

AccessLogBuffer::AccessLogBuffer(AccessLogWriter& writer) : writer_(writer), chunk_(writer.exchange({})) {}

void AccessLogBuffer::append_time(std::chrono::system_clock::time_point time) {
  const auto since_epoch = std::chrono::floor<microseconds>(time.time_since_epoch());
  const auto second = std::chrono::floor<std::chrono::seconds>(since_epoch);
  if (second.count() != second_) {
    second_ = second.count();
    const std::time_t whole = second_;
    std::tm utc{};
    gmtime_r(&whole, &utc);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.", &utc);
    std::copy_n(text.begin(), date_.size(), date_.begin());
  }
  chunk_.bytes.append(date_.data(), date_.size());
  append_padded(chunk_.bytes, static_cast<std::uint64_t>((since_epoch - second).count()), 6);
}

void AccessLogBuffer::write(const AccessRecord& record) {
  auto& out = chunk_.bytes;
  out.append(R"({"time":")");
  append_time(record.time);
  append_text(out, R"(Z","request_id":)", record.request_id);
  append_text(out, R"(,"visitor":)", record.visitor);
  append_text(out, R"(,"method":)", record.method);
  append_text(out, R"(,"host":)", record.host);
  append_text(out, R"(,"path":)", record.path);
  append_number(out, R"(,"status":)", record.status);
  append_number(out, R"(,"bytes_in":)", record.bytes_in);
  append_number(out, R"(,"bytes_out":)", record.bytes_out);
  append_milliseconds(out, R"(,"duration_ms":)", record.duration);
  if (record.upstream) append_milliseconds(out, R"(,"upstream_ms":)", *record.upstream);
  append_text(out, R"(,"tunnel":)", record.tunnel);
  append_text(out, R"(,"connector":)", record.connector);
  append_text(out, R"(,"service":)", record.service);
  append_number(out, R"(,"attempts":)", record.attempts);
  append_text(out, R"(,"reason":)", record.reason);
  out.append("}\n");
  ++chunk_.lines;
  if (out.size() >= kFullBuffer) flush();
}

void AccessLogBuffer::flush() {
  if (chunk_.lines != 0) chunk_ = writer_.exchange(std::move(chunk_));
}

}  // namespace adit::telemetry
