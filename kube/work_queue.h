#pragma once
// Which key is to be worked on next. Pure: it has no thread, no lock and no clock (controller.h has).

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/random.h"

namespace adit::kube {

/// Each key is queued at most once and handed out to one worker at a time: one that is added while a worker has it
/// comes again when that worker has finished. Memory is bounded by the number of different keys.
class WorkQueue {
 public:
  /// `random` outlives the queue; it jitters the backoff of each key.
  WorkQueue(base::Backoff::Limits backoff, base::Random& random) : limits_(backoff), random_(random) {}

  void add(const std::string& key);
  /// Added when the time has come. Of several times the earliest counts.
  void add_at(const std::string& key, base::TimePoint when);

  /// The next key to work on, first in first out; absent: none is due. Each is given back by one of the finish calls.
  std::optional<std::string> take(base::TimePoint now);

  /// The work is done: the key's backoff begins anew.
  void finish(const std::string& key);
  /// The work failed: the key comes again after its exponential backoff, or at once if it was added meanwhile.
  void finish_and_retry(const std::string& key, base::TimePoint now);
  /// The work is done and wants to be looked at again. The time is dropped when the key comes earlier for another
  /// reason: that work decides anew.
  void finish_until(const std::string& key, base::TimePoint when);

  /// When take() has something by time alone; kNever: nothing waits for a time.
  base::TimePoint next_due() const;
  bool has_ready() const { return !ready_.empty(); }
  /// Keys that are ready to be taken or wait for a time.
  std::size_t size() const { return ready_.size() + waiting_.size(); }
  /// Forgets all that nobody works on, and what was added of the rest meanwhile.
  void clear();

 private:
  struct Entry {
    bool wanted = false;                    ///< ready, or to become so when the worker has finished
    bool taken = false;                     ///< a worker has it
    base::TimePoint asked = base::kNever;   ///< by add_at
    base::TimePoint own = base::kNever;     ///< by the key's last work
    std::optional<base::Backoff> failures;  ///< while it fails
  };

  void make_ready(const std::string& key, Entry& entry);
  void make_due_ready(base::TimePoint now);
  /// Replaces one of the entry's times.
  void set_time(const std::string& key, base::TimePoint& time, base::TimePoint to);
  void release(const std::string& key, base::TimePoint own, bool failed);

  base::Backoff::Limits limits_;
  base::Random& random_;
  std::unordered_map<std::string, Entry> entries_;
  std::deque<std::string> ready_;
  std::multiset<std::pair<base::TimePoint, std::string>> waiting_;
};

}  // namespace adit::kube
