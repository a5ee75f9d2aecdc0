// What leader election and the event recorder write, against the real API server's validation and server-side apply.

#include <thread>

#include "kube/elector.h"
#include "kube/event_series.h"
#include "kube/leader_election.h"
#include "tests/kube/objects.h"
#include "tests/kube_api/cluster.h"

namespace adit::kube::test {
namespace {

using std::chrono::milliseconds;

class Writers : public RealServer {
 protected:
  LeaderElectionOptions options(const std::string& identity) const {
    LeaderElectionOptions options;
    options.space = space_;
    options.name = "operator";
    options.identity = identity;
    options.retry = milliseconds(50);
    return options;
  }
};

/// An election and the term that it told.
struct Replica {
  Replica(Api& api, LeaderElectionOptions options)
      : election(
            api, std::move(options), [this](std::uint64_t now) { signal.tell([&] { term = now; }); },
            [this] { signal.tell([this] { term = 0; }); }) {}

  bool wait_for_term(std::uint64_t wanted) {
    return signal.wait([&] { return term == wanted; });
  }

  Signal signal;
  std::uint64_t term = 0;
  LeaderElection election;
};

TEST_F(Writers, ALeaseIsHeldRenewedAndGivenBack) {
  const auto lease = [this] { return *api_->get(lease_resource(), {space_, "operator"}); };
  Replica a(*api_, options("a"));
  a.election.start();
  ASSERT_TRUE(a.wait_for_term(1));
  const auto first = lease();
  EXPECT_EQ(text_at(first, {"spec", "holderIdentity"}), "a");

  Replica b(*api_, options("b"));
  b.election.start();
  // The follower's calls are answered, and the leader renews in between.
  for (int i = 0; i < 600 && resource_version_of(lease()) == resource_version_of(first); ++i) std::this_thread::yield();
  EXPECT_NE(resource_version_of(lease()), resource_version_of(first));
  EXPECT_EQ(text_at(lease(), {"spec", "acquireTime"}), text_at(first, {"spec", "acquireTime"}));
  EXPECT_TRUE(a.election.may_write());

  a.election.stop();
  ASSERT_TRUE(b.wait_for_term(2));
  EXPECT_EQ(text_at(lease(), {"spec", "holderIdentity"}), "b");
}

TEST_F(Writers, EventsAreTakenAndCounted) {
  const auto about = created("shop");
  base::Random random(1);
  EventSeries series("adit-operator", {.between_writes = std::chrono::seconds(0)}, random);
  const auto write = [&] {
    const auto now = base::Clock::now();
    series.record(now, "2026-11-21T05:07:09Z", about, EventType::warning, "HostTaken", "held by b/x");
    const auto due = series.next(now);
    const auto answer =
        due->creates ? api_->create(event_resource(), due->event) : api_->apply(event_resource(), due->event);
    EXPECT_TRUE(answer) << answer.error().text();
    series.written(now, answer);
    return answer ? *answer : Json();
  };
  const auto first = write();
  EXPECT_EQ(first["count"], 1);
  const auto second = write();
  EXPECT_EQ(second["count"], 2);
  EXPECT_EQ(uid_of(second), uid_of(first));
  EXPECT_EQ(text_at(second, {"involvedObject", "uid"}), uid_of(about));
}

}  // namespace
}  // namespace adit::kube::test
