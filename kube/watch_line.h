#pragma once
// The answer to a watch: one JSON object a line, {"type": "ADDED", "object": {…}}.

#include <cstddef>
#include <string>
#include <string_view>

#include "kube/api.h"
#include "kube/object.h"

namespace adit::kube {

/// One line, understood.
struct WatchLine {
  enum class Type {
    set,       ///< ADDED, MODIFIED
    erase,     ///< DELETED: the object as it last was, with the version of its end
    bookmark,  ///< nothing but a resourceVersion
    error,     ///< a metav1.Status
  };
  Type type = Type::error;
  Json object;
};

/// malformed: the line is no such JSON, or the object lacks the resourceVersion or the name that it must have.
ApiResult<WatchLine> read_watch_line(std::string_view line);

/// The error that a metav1.Status of any shape tells; `call` is what failed.
ApiError error_of_status(const Json& status, std::string call);

/// Cuts bytes as they come into lines. Holds at most `most` bytes of an unfinished line.
class LineCutter {
 public:
  explicit LineCutter(std::size_t most) : most_(most) {}

  /// Calls `each(line)` for each whole line, without its end, until it returns false. False: it did, or a line is too
  /// long; then only clear() may follow. A line is valid during its call.
  template <class Each>
  bool feed(std::string_view bytes, Each each) {
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      if (held_.size() + end > most_) return false;
      std::string_view line = bytes.substr(0, end);
      if (!held_.empty()) line = held_.append(line);
      if (!each(line)) return false;
      held_.clear();
      bytes.remove_prefix(end + 1);
    }
    if (held_.size() + bytes.size() > most_) return false;
    held_.append(bytes);
    return true;
  }

  void clear() { held_.clear(); }

 private:
  std::size_t most_;
  std::string held_;  ///< the beginning of a line whose end has not come
};

}  // namespace adit::kube
