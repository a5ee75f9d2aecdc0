#pragma once
// Which Event objects are to be written, and when: what is equal becomes one whose count rises.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "base/clock.h"
#include "base/random.h"
#include "kube/api.h"
#include "kube/events.h"

namespace adit::kube {

/// Event of the core group.
const Resource& event_resource();

/// Pure. Not safe to share: events.h has a lock around it.
class EventSeries {
 public:
  struct Limits {
    std::size_t series = 1'000;               ///< held at once
    std::chrono::seconds same{600};           ///< what comes again within this is counted, not told anew
    std::chrono::seconds between_writes{10};  ///< of one series
    unsigned tries = 3;                       ///< of one write, when the server cannot be reached or is busy
  };

  EventSeries(std::string component, Limits limits, base::Random& random)
      : component_(std::move(component)), limits_(limits), random_(random) {}

  /// As EventRecorder::record. `wall` is the time of day as metav1.Time. False: no room, it is dropped.
  bool record(base::TimePoint now, const std::string& wall, const Json& regarding, EventType type,
              const std::string& reason, const std::string& message);

  struct Write {
    bool creates = false;  ///< create; else apply
    Json event;
  };
  /// The next write that is due; absent: none. Must be followed by written() or dropped().
  std::optional<Write> next(base::TimePoint now);
  void written(base::TimePoint now, const ApiResult<Json>& answer);
  /// It was not tried, and will not be.
  void dropped();

  /// When next() has something by time alone; kNever: nothing waits.
  base::TimePoint next_due() const;
  std::size_t size() const { return series_.size(); }

 private:
  /// Object (uid, or name where there is none), type, reason, message.
  using Key = std::tuple<std::string, EventType, std::string, std::string>;
  struct Series {
    Json event;        ///< as it is to be written, but for count and lastTimestamp
    std::string last;  ///< metav1.Time
    std::uint64_t count = 0;
    std::uint64_t written = 0;  ///< the count in the API; 0: no Event yet
    unsigned failures = 0;
    bool is_writing = false;
    base::TimePoint due = base::kNever;
    base::TimePoint not_before{};  ///< of the next write
    base::TimePoint forgotten{};   ///< when it is no longer the same

    bool is_idle() const { return due == base::kNever && !is_writing; }
  };

  Series begin(const std::string& wall, const Json& regarding, const Key& key);
  void make_room(base::TimePoint now);

  const std::string component_;
  const Limits limits_;
  base::Random& random_;
  std::map<Key, Series> series_;
  std::map<Key, Series>::iterator writing_ = series_.end();
  std::uint64_t writing_count_ = 0;
};

/// A name for an Event about the object `name`: a valid and unique DNS subdomain that begins like it.
std::string event_name(const std::string& name, std::uint64_t unique);

}  // namespace adit::kube
