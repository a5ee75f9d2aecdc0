#include "kube/leader_election.h"

#include <gtest/gtest.h>

#include "kube/elector.h"
#include "tests/kube/objects.h"
#include "tests/kube/simulated_api.h"

namespace adit::kube {
namespace {

using std::chrono::milliseconds;

LeaderElectionOptions options(const std::string& identity) {
  LeaderElectionOptions options;
  options.space = "adit";
  options.name = "operator";
  options.identity = identity;
  options.lease = milliseconds(1'000);
  options.renew = milliseconds(300);
  options.retry = milliseconds(20);
  return options;
}

/// An election and what it told.
struct Replica {
  Replica(SimulatedApi& api, const std::string& identity)
      : election(
            api, options(identity), [this](std::uint64_t now) { signal.tell([&] { term = now; }); },
            [this] { signal.tell([this] { term = 0; }); }) {}

  bool wait_for_term(std::uint64_t wanted) {
    return signal.wait([&] { return term == wanted; });
  }

  Signal signal;
  std::uint64_t term = 0;
  LeaderElection election;
};

TEST(LeaderElection, LeadsAndGivesTheLeaseBack) {
  SimulatedApi api;
  Replica a(api, "a");
  EXPECT_FALSE(a.election.may_write());
  a.election.start();
  ASSERT_TRUE(a.wait_for_term(1));
  EXPECT_TRUE(a.election.may_write());
  EXPECT_EQ(a.election.holder(), "a");

  Replica b(api, "b");
  b.election.start();
  a.election.stop();
  EXPECT_FALSE(a.election.may_write());
  EXPECT_EQ(a.term, 0U);
  ASSERT_TRUE(b.wait_for_term(2));
  EXPECT_FALSE(a.election.may_write());
  EXPECT_EQ(b.election.holder(), "b");
}

TEST(LeaderElection, LeaveToWriteEndsWhileACallIsStuckAndComesBack) {
  SimulatedApi api;
  Signal gate;
  bool stuck = false;
  Replica a(api, "a");
  a.election.start();
  ASSERT_TRUE(a.wait_for_term(1));
  api.before_calls([&](const std::string& call) -> std::optional<ApiError> {
    gate.tell([&] { stuck = true; });
    gate.wait([&] { return !stuck; });
    return ApiError{ApiFailure::timed_out, 0, call, "", "", {}};
  });
  ASSERT_TRUE(gate.wait([&] { return stuck; }));
  // The thread is in the call; only time passes.
  while (a.election.may_write()) std::this_thread::yield();
  EXPECT_EQ(a.term, 1U) << "nobody could tell yet";
  api.before_calls({});
  gate.tell([&] { stuck = false; });
  ASSERT_TRUE(a.wait_for_term(2));
  EXPECT_TRUE(a.election.may_write());
}

TEST(LeaderElection, StopsWhileItWaitsAndStartsAgain) {
  SimulatedApi api;
  Replica a(api, "a");
  a.election.stop();
  a.election.start();
  a.election.start();
  ASSERT_TRUE(a.wait_for_term(1));
  a.election.stop();
  a.election.start();
  ASSERT_TRUE(a.wait_for_term(2));
}

}  // namespace
}  // namespace adit::kube
