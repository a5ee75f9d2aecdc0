#pragma once
// Where a head or trailer section ends, found without reading any byte twice.

#include <cstddef>
#include <string_view>

namespace adit::http {

/// Looks for the empty line that ends a section of lines. What it refuses are the two things that parsers disagree on
/// most and that it meets on the way: a line feed without carriage return, and a folded line (RFC 9112 §2.2, §5.2).
/// The bytes of the section are handed in again, with more behind them, until it has ended.
class HeadScanner {
 public:
  /// `leading_lines`: how many empty lines before the section are skipped.
  explicit HeadScanner(unsigned leading_lines) : leading_lines_(leading_lines), leading_left_(leading_lines) {}

  enum class Found { nothing, end, fault };
  Found scan(std::string_view bytes);

  std::size_t begin() const { return begin_; }  ///< behind the leading empty lines
  std::size_t end() const { return line_; }     ///< behind the empty line, after Found::end
  bool in_first_line() const { return line_ == begin_; }
  bool untouched() const { return scanned_ == 0; }
  const char* fault() const { return fault_; }
  void reset() { *this = HeadScanner(leading_lines_); }

 private:
  unsigned leading_lines_;
  unsigned leading_left_;
  std::size_t begin_ = 0;
  std::size_t line_ = 0;     // where the current line begins
  std::size_t scanned_ = 0;  // no line feed in the current line before this
  const char* fault_ = "";
};

}  // namespace adit::http
