#pragma once
// When to list, when to watch and when to wait, so that a store follows the API server through every fault.
//
// The rules, and whom they protect from what:
// - A list is taken in whole: the objects of before stay until its last page has come.
// - A watch that ends in order, or breaks, goes on from the last version seen: no event is lost or repeated.
// - The list is made anew when that version may be worth nothing: the server says 410 (in the answer, in the stream or
//   between pages), sends what cannot be read, was silent past the time asked for, closes early and in order twice
//   running without any progress (some proxies and servers do so where 410 is due), or refuses three times running.
// - Whatever is out of order costs a full-jitter wait that grows until there is progress again: an event, a bookmark,
// or a
//   watch that lasted.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/random.h"
#include "kube/api.h"
#include "kube/store.h"
#include "kube/watch_line.h"

namespace adit::kube {

struct WatchMachineOptions {
  std::string subject;  ///< for errors: "tunnels.adit.dev"
  unsigned page_size = 500;
  std::chrono::seconds watch_timeout{45};   ///< asked of the server
  std::chrono::seconds silence_margin{10};  ///< on top of it, for the server's own pace
  base::Backoff::Limits backoff{std::chrono::milliseconds(500), std::chrono::milliseconds(15'000)};
  /// An object in etcd has at most 1.5 MiB; escapes of JSON can make that several times as many bytes.
  std::size_t most_line_bytes = std::size_t{8} << 20U;
};

// What is to be done next.
struct ListPage {
  ListOptions options;
};
struct StartWatch {
  WatchOptions options;
};
struct WaitUntil {
  base::TimePoint time;
};
using WatchAction = std::variant<ListPage, StartWatch, WaitUntil>;

// What has become of the objects, in this order.
struct ObjectSet {
  ObjectPtr object;
};
struct ObjectErased {
  std::string key;
};
struct AllReplaced {
  std::vector<ObjectPtr> objects;
};
using WatchUpdate = std::variant<ObjectSet, ObjectErased, AllReplaced>;

/// Sans-io. The shell asks next(), does it, and tells the outcome: listed() or list_failed() for a ListPage, received()
/// and idle() during and watch_ended() after a StartWatch; then it takes the updates. One thread.
class WatchMachine {
 public:
  /// `random` outlives the machine.
  WatchMachine(WatchMachineOptions options, base::Random& random);

  WatchAction next(base::TimePoint now);

  void listed(base::TimePoint now, Page page);
  void list_failed(base::TimePoint now, ApiError error);

  /// Bytes of the watch's answer; none at all say that the server has accepted it. False: end the watch.
  bool received(base::TimePoint now, std::string_view bytes);
  /// To be called about once a second during a watch. False: end it.
  bool idle(base::TimePoint now);
  /// Success: the server has ended it in order. Must follow each StartWatch, also when this side has ended it.
  void watch_ended(base::TimePoint now, const ApiResult<void>& result);

  /// What has changed since the last call. Objects come without metadata.managedFields, which can be half of an object.
  std::vector<WatchUpdate> take_updates() { return std::exchange(updates_, {}); }
  /// Why the last list or watch failed; absent while all is well. What a relist mends by itself (410) is no failure.
  const std::optional<ApiError>& failure() const { return failure_; }
  std::uint64_t failures() const { return failures_; }

 private:
  enum class Goal { list, watch };

  bool take_line(base::TimePoint now, std::string_view line);
  void progress(std::string version);
  /// The next fault is the first one again.
  void settle();
  void check_standing(base::TimePoint now);
  /// Not ended much sooner than it was asked for.
  bool lasted(base::TimePoint now) const;
  void clean_end(base::TimePoint now);
  void failed_end(base::TimePoint now, ApiError error);
  /// Ends the watch at hand as out of order.
  void end_watch(base::TimePoint now, Goal next, std::optional<ApiError> failure);
  void wait(base::TimePoint now, std::optional<std::chrono::seconds> at_least = {});
  void begin_list();
  void fail(Goal of, ApiError error);

  const WatchMachineOptions options_;
  base::Backoff backoff_;
  Goal goal_ = Goal::list;
  base::TimePoint not_before_{};

  // Of the list under way.
  std::string more_;
  std::vector<ObjectPtr> pages_;

  // Of the watch, or the next one.
  std::string version_;
  LineCutter lines_;
  bool watching_ = false;
  bool progressed_ = false;
  base::TimePoint started_;
  base::TimePoint last_byte_;
  std::optional<base::TimePoint> accepted_;

  // In a row, without progress or a watch that lasted between them.
  unsigned empty_closes_ = 0;
  unsigned refusals_ = 0;

  std::vector<WatchUpdate> updates_;
  std::optional<ApiError> failure_;
  Goal failure_of_ = Goal::list;
  std::uint64_t failures_ = 0;
};

}  // namespace adit::kube
