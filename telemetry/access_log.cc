#include "telemetry/access_log.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <span>
#include <utility>

#include "base/text.h"

namespace adit::telemetry {
namespace {

using std::chrono::microseconds;

constexpr std::size_t kLongestText = 4096;

constexpr bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

/// What stands in a JSON string as it is.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0; c < plain.size(); ++c) plain[c] = is_plain(static_cast<unsigned char>(c));
  return plain;
}();

/// The greatest length up to `limit` that does not cut a UTF-8 sequence (RFC 3629 §3) in two.
std::size_t cut(std::string_view text, std::size_t limit) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; };
  for (std::size_t back = 0; back < 4; ++back) {
    if (!continues(text[limit - back])) return limit - back;
  }
  return limit;
}

/// Puts a line together in a small room of its own, since most lines fit, and appends it to `out` in few large pieces:
/// a std::string that grows by a few bytes at a time was a fifth of what the gateway computes for a request.
class Line {
 public:
  explicit Line(std::string& out) : out_(out) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() { spill(); }

  template <std::size_t size>
  void put(const char (&literal)[size]) {
    std::copy_n(literal, size - 1, take(size - 1));
  }
  void put(std::span<const char> text) { std::copy(text.begin(), text.end(), take(text.size())); }

  void quoted(std::string_view text) {
    put("\"");
    const bool too_long = text.size() > kLongestText;
    if (too_long) text = text.substr(0, cut(text, kLongestText));
    // Nearly all texts are short and plain ASCII.
    if (text.size() > kShort || !copied(text)) {
      spill();
      base::append_json_escaped(out_, text);
    }
    if (too_long) put("…");
    put("\"");
  }

  void number(std::uint64_t value) {
    char* const at = take(kMostDigits);
    used_ -= static_cast<std::size_t>(at + kMostDigits - std::to_chars(at, at + kMostDigits, value).ptr);
  }

  /// `value` below 10^width, with leading zeros.
  void padded(std::uint64_t value, std::size_t width) {
    char* const at = take(width);
    for (std::size_t i = width; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
  }

  /// Milliseconds with three decimals; a clock that went back gives 0.
  void milliseconds(std::chrono::nanoseconds duration) {
    const auto micros = std::max<std::int64_t>(std::chrono::duration_cast<microseconds>(duration).count(), 0);
    number(static_cast<std::uint64_t>(micros / 1000));
    put(".");
    padded(static_cast<std::uint64_t>(micros % 1000), 3);
  }

 private:
  static constexpr std::size_t kShort = 256;
  static constexpr std::size_t kMostDigits = 20;

  /// `size` bytes, at most kShort, to be written.
  char* take(std::size_t size) {
    if (room_.size() - used_ < size) spill();
    return room_.data() + std::exchange(used_, used_ + size);
  }

  /// False when something in `text` must be escaped; then it was not copied.
  bool copied(std::string_view text) {
    char* const at = take(text.size());
    bool plain = true;
    for (std::size_t i = 0; i < text.size(); ++i) {
      at[i] = text[i];
      plain &= kPlain[static_cast<unsigned char>(text[i])];
    }
    if (!plain) used_ -= text.size();
    return plain;
  }

  void spill() { out_.append(room_.data(), std::exchange(used_, 0)); }

  std::string& out_;
  std::size_t used_ = 0;
  std::array<char, 1024> room_;
};

}  // namespace

AccessLogBuffer::AccessLogBuffer(AccessLogWriter& writer) : writer_(writer), chunk_(writer.exchange({})) {}

/// The date and time to the second, which most lines share with the line before; ends in a full stop.
std::span<const char> AccessLogBuffer::date(std::int64_t second) {
  if (second != second_) {
    second_ = second;
    const std::time_t whole = second_;
    std::tm utc{};
    gmtime_r(&whole, &utc);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.", &utc);
    std::copy_n(text.begin(), date_.size(), date_.begin());
  }
  return date_;
}

void AccessLogBuffer::write(const AccessRecord& record) {
  append(record);
  ++chunk_.lines;
  if (chunk_.bytes.size() >= kFullBuffer) flush();
}

void AccessLogBuffer::append(const AccessRecord& record) {
  const auto since_epoch = std::chrono::floor<microseconds>(record.time.time_since_epoch());
  const auto second = std::chrono::floor<std::chrono::seconds>(since_epoch);
  Line line(chunk_.bytes);
  line.put(R"({"time":")");
  line.put(date(second.count()));
  line.padded(static_cast<std::uint64_t>((since_epoch - second).count()), 6);
  line.put(R"(Z","request_id":)");
  line.quoted(record.request_id);
  line.put(R"(,"visitor":)");
  line.quoted(record.visitor);
  line.put(R"(,"method":)");
  line.quoted(record.method);
  line.put(R"(,"host":)");
  line.quoted(record.host);
  line.put(R"(,"path":)");
  line.quoted(record.path);
  line.put(R"(,"status":)");
  line.number(record.status);
  line.put(R"(,"bytes_in":)");
  line.number(record.bytes_in);
  line.put(R"(,"bytes_out":)");
  line.number(record.bytes_out);
  line.put(R"(,"duration_ms":)");
  line.milliseconds(record.duration);
  if (record.upstream) {
    line.put(R"(,"upstream_ms":)");
    line.milliseconds(*record.upstream);
  }
  line.put(R"(,"tunnel":)");
  line.quoted(record.tunnel);
  line.put(R"(,"connector":)");
  line.quoted(record.connector);
  if (!record.peer.empty()) {
    line.put(R"(,"peer":)");
    line.quoted(record.peer);
  }
  line.put(R"(,"service":)");
  line.quoted(record.service);
  line.put(R"(,"attempts":)");
  line.number(record.attempts);
  line.put(R"(,"reason":)");
  line.quoted(record.reason);
  line.put("}\n");
}

void AccessLogBuffer::flush() {
  if (chunk_.lines != 0) chunk_ = writer_.exchange(std::move(chunk_));
}

}  // namespace adit::telemetry
