#include "http/head_scanner.h"

namespace adit::http {

HeadScanner::Found HeadScanner::scan(std::string_view bytes) {
  for (;;) {
    const auto feed = bytes.find('\n', scanned_);
    if (feed == std::string_view::npos) {
      scanned_ = bytes.size();
      return Found::nothing;
    }
    if (feed == line_ || bytes[feed - 1] != '\r') {
      fault_ = "line feed without carriage return";
      return Found::fault;
    }
    const bool empty = feed == line_ + 1;
    if (!empty && line_ != begin_ && (bytes[line_] == ' ' || bytes[line_] == '\t')) {
      fault_ = "folded line";
      return Found::fault;
    }
    const bool leading = empty && line_ == begin_ && leading_left_ != 0;
    scanned_ = line_ = feed + 1;
    if (leading) {
      --leading_left_;
      begin_ = line_;
    } else if (empty) {
      return Found::end;
    }
  }
}

}  // namespace adit::http
