#pragma once
// Who leads, decided on a coordination.k8s.io/v1 Lease.
//
// Safety rests on two durations and the steady clock of each process, never on the times written in the Lease:
// - The holder writes only until `renew` after it SENT the last renewal that succeeded.
// - Another takes over only when it has SEEN no change of the Lease for the holder's `lease`, which is longer; it
// cannot
//   have seen that renewal before it was sent. Every write names the version it replaces, so of two that try, one wins.
// The difference of the two durations is what clocks may drift apart and requests under way may take.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "kube/api.h"
#include "kube/leader_election.h"

namespace adit::kube {

/// The Lease as a resource.
const Resource& lease_resource();

/// Sans-io. The shell asks next(), does it, tells the outcome with answered(), and publishes what leading() and
/// holder() say after each of the two. One thread.
class Elector {
 public:
  struct Action {
    enum class Kind { wait, get, create, apply };
    Kind kind = Kind::wait;
    base::TimePoint until;  ///< wait
    Json lease;             ///< create, apply
  };

  /// While this process leads.
  struct Leading {
    std::uint64_t term = 0;
    base::TimePoint deadline;  ///< it ends by itself then
    friend bool operator==(const Leading&, const Leading&) = default;
  };

  /// `random` outlives the elector; it keeps followers out of step.
  Elector(LeaderElectionOptions options, base::Random& random) : options_(std::move(options)), random_(random) {}

  /// `wall` is the time of day as metav1.MicroTime, for people who read the Lease.
  Action next(base::TimePoint now, const std::string& wall);
  /// Of the last get, create or apply.
  void answered(base::TimePoint now, const ApiResult<Json>& answer);

  /// The Lease to apply to give it back at once, if it is held; leads no more from now on.
  std::optional<Json> release(base::TimePoint now, const std::string& wall);

  const std::optional<Leading>& leading() const { return leading_; }
  /// As last seen; empty: none.
  const std::string& holder() const { return seen_.holder; }
  /// Why the last try failed; absent when it did not. That another was faster is no failure.
  const std::optional<ApiError>& failure() const { return failure_; }

 private:
  /// What matters of a Lease.
  struct Seen {
    std::string version;  ///< resourceVersion
    std::string holder;
    std::uint64_t term = 0;
    std::chrono::milliseconds duration{0};
    std::string acquired;
  };

  static Action wait(base::TimePoint until) { return {Action::Kind::wait, until, {}}; }
  Action write(Action::Kind kind, bool acquires, base::TimePoint now, const std::string& wall);
  Json lease_of(const std::string& holder, std::uint64_t term, const std::string& acquired,
                const std::string& wall) const;

  bool may_take(base::TimePoint now) const;
  void read(base::TimePoint now, const Json& lease);
  void wrote(base::TimePoint now, const Json& lease);
  void found_none(base::TimePoint now);
  void outdone(base::TimePoint now);
  void failed(base::TimePoint now, const ApiError& error);
  /// False: this is no Lease that could be written to.
  bool observe(base::TimePoint now, const Json& lease);
  base::TimePoint after_retry(base::TimePoint now);
  void end_when_due(base::TimePoint now);

  const LeaderElectionOptions options_;
  base::Random& random_;
  base::TimePoint next_try_{};

  // The call under way.
  Action::Kind asked_ = Action::Kind::wait;
  base::TimePoint sent_;
  std::uint64_t sent_term_ = 0;
  bool writing_ = false;   ///< the last answer was to a create or an apply
  bool acquires_ = false;  ///< it would make this process the leader; else it renews

  // The Lease as last seen.
  bool must_read_ = true;  ///< it may have changed since
  bool absent_ = false;    ///< there is none; the rest tells of the one before
  Seen seen_;
  base::TimePoint seen_at_;      ///< when it was first seen like that
  std::uint64_t last_term_ = 0;  ///< the highest ever seen: terms rise even if somebody deletes the Lease

  std::optional<Leading> leading_;
  std::optional<ApiError> failure_;
  bool failure_of_write_ = false;
  unsigned conflicts_ = 0;  ///< in a row
};

}  // namespace adit::kube
