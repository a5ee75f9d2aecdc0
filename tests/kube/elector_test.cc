#include "kube/elector.h"

#include <deque>
#include <memory>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "kube/timestamp.h"
#include "tests/kube/simulated_api.h"

namespace adit::kube {
namespace {

using Kind = Elector::Action::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Name kLease{"adit", "operator"};

LeaderElectionOptions options(const std::string& identity) {
  LeaderElectionOptions options;
  options.space = kLease.space;
  options.name = kLease.name;
  options.identity = identity;
  return options;
}

ApiError unreachable() { return {ApiFailure::unreachable, 0, "call", "", "reset", {}}; }

/// An elector whose calls are answered at once.
class Replica {
 public:
  Replica(SimulatedApi& api, const std::string& identity) : elector_(options(identity), random_), api_(api) {}

  /// Runs until `to`; each call takes `latency`, and is answered by `answer` if that is given.
  void run(base::TimePoint& now, base::TimePoint to, milliseconds latency = milliseconds(0)) {
    while (now < to) {
      const auto action = elector_.next(now, wall(now));
      if (action.kind == Kind::wait) {
        now = std::min(to, action.until);
        continue;
      }
      auto answer = broken ? ApiResult<Json>(unreachable()) : call(action);
      now += latency;
      elector_.answered(now, answer);
    }
    elector_.next(now, wall(now));
  }

  ApiResult<Json> call(const Elector::Action& action) {
    if (action.kind == Kind::create) return api_.create(lease_resource(), action.lease);
    if (action.kind == Kind::apply) return api_.apply(lease_resource(), action.lease);
    return api_.get(lease_resource(), kLease);
  }

  static std::string wall(base::TimePoint now) {
    return micro_timestamp(std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch())));
  }

  bool leads() const { return elector_.leading().has_value(); }
  std::uint64_t term() const { return leads() ? elector_.leading()->term : 0; }
  Elector& elector() { return elector_; }

  bool broken = false;

 private:
  base::Random random_{1};
  Elector elector_;
  SimulatedApi& api_;
};

class ElectorTest : public testing::Test {
 protected:
  Json lease() { return api_.peek(lease_resource(), kLease).value_or(Json()); }

  SimulatedApi api_;
  base::TimePoint now_{seconds(1000)};
  Replica a_{api_, "a"};
  Replica b_{api_, "b"};
};

TEST_F(ElectorTest, CreatesTheLeaseAndLeads) {
  a_.run(now_, now_ + seconds(1));
  EXPECT_EQ(a_.term(), 1U);
  EXPECT_EQ(a_.elector().holder(), "a");
  EXPECT_EQ(lease()["spec"]["holderIdentity"], "a");
  EXPECT_EQ(lease()["spec"]["leaseDurationSeconds"], 15);
  EXPECT_EQ(lease()["spec"]["leaseTransitions"], 1);
  EXPECT_EQ(lease()["spec"]["renewTime"], "1970-01-01T00:16:40.000000Z");
}

TEST_F(ElectorTest, RenewsWithOneCallAndKeepsItsTerm) {
  a_.run(now_, now_ + seconds(1));
  const auto before = api_.calls().size();
  a_.run(now_, now_ + seconds(120));
  EXPECT_EQ(a_.term(), 1U);
  EXPECT_EQ(api_.calls().size() - before, 60U);
  EXPECT_EQ(api_.count("get leases.coordination.k8s.io"), 1U);
  EXPECT_EQ(lease()["spec"]["acquireTime"], "1970-01-01T00:16:40.000000Z");
  EXPECT_EQ(a_.elector().leading()->deadline - now_, seconds(9));
}

TEST_F(ElectorTest, AFollowerWaitsForALivingHolder) {
  a_.run(now_, now_ + seconds(1));
  for (int i = 0; i < 60; ++i) {
    auto since = now_;
    a_.run(since, now_ + seconds(1));
    b_.run(now_, now_ + seconds(1));
  }
  EXPECT_TRUE(a_.leads());
  EXPECT_FALSE(b_.leads());
  EXPECT_EQ(b_.elector().holder(), "a");
  EXPECT_EQ(api_.count("create leases.coordination.k8s.io"), 1U);
}

TEST_F(ElectorTest, TakesOverWhenItHasSeenNoChangeForTheLease) {
  a_.run(now_, now_ + seconds(1));
  const auto seen = now_;
  b_.run(now_, seen + seconds(15) - milliseconds(1));
  EXPECT_FALSE(b_.leads());
  b_.run(now_, seen + seconds(18));
  EXPECT_EQ(b_.term(), 2U);
}

TEST_F(ElectorTest, TheTimesInTheLeaseDecideNothing) {
  a_.run(now_, now_ + seconds(1));
  auto stale = lease();
  stale["spec"]["renewTime"] = "1999-01-01T00:00:00.000000Z";
  api_.put(lease_resource(), stale);
  b_.run(now_, now_ + seconds(14));
  EXPECT_FALSE(b_.leads());
}

TEST_F(ElectorTest, OneSlowRenewalLosesNothing) {
  a_.run(now_, now_ + seconds(1));
  for (int i = 0; i < 5; ++i) {
    a_.run(now_, now_ + seconds(2), seconds(7));
    ASSERT_EQ(a_.term(), 1U);
    a_.run(now_, now_ + seconds(10));
  }
}

TEST_F(ElectorTest, RenewsAtOnceAfterASlowRenewal) {
  a_.run(now_, now_ + seconds(1));
  now_ += seconds(1);
  ASSERT_EQ(a_.elector().next(now_, "w1").kind, Kind::apply);
  auto renewed = lease();
  renewed["spec"]["renewTime"] = "w1";
  const auto answer = api_.put(lease_resource(), renewed);
  now_ += seconds(6);
  a_.elector().answered(now_, answer);
  EXPECT_EQ(a_.elector().next(now_, "w2").kind, Kind::apply);
}

TEST_F(ElectorTest, GivesUpAtTheDeadlineAndLeadsAgainWithAHigherTerm) {
  a_.run(now_, now_ + seconds(1));
  const auto deadline = a_.elector().leading()->deadline;
  a_.broken = true;
  a_.run(now_, deadline - milliseconds(1));
  EXPECT_TRUE(a_.leads());
  a_.run(now_, deadline);
  EXPECT_FALSE(a_.leads());
  a_.run(now_, now_ + seconds(600));
  EXPECT_TRUE(a_.elector().failure());
  a_.broken = false;
  a_.run(now_, now_ + seconds(5));
  EXPECT_EQ(a_.term(), 2U);
  EXPECT_FALSE(a_.elector().failure());
}

TEST_F(ElectorTest, WaitsNoLongerThanTheDeadline) {
  auto often = options("a");
  often.retry = seconds(9);
  base::Random random(1);
  Elector elector(often, random);
  elector.next(now_, "");
  elector.answered(now_, ApiError{ApiFailure::refused, 404, "", "", "", {}});
  const auto created = api_.create(lease_resource(), elector.next(now_, "w").lease);
  elector.answered(now_, created);
  now_ += seconds(9);
  ASSERT_EQ(elector.next(now_, "w").kind, Kind::apply);
  elector.answered(now_, unreachable());
  EXPECT_EQ(elector.next(now_, "w").until, elector.leading()->deadline);
}

TEST_F(ElectorTest, ARenewalThatCameTooLateIsNoTermAnyMore) {
  a_.run(now_, now_ + seconds(1));
  const auto deadline = a_.elector().leading()->deadline;
  now_ = deadline - seconds(1);
  const auto renewal = a_.elector().next(now_, "w");
  ASSERT_EQ(renewal.kind, Kind::apply);
  const auto answer = a_.call(renewal);
  now_ = deadline + seconds(1);
  a_.elector().answered(now_, answer);
  EXPECT_FALSE(a_.leads()) << "may_write() has been false in between";
  a_.run(now_, now_ + seconds(1));
  EXPECT_EQ(a_.term(), 2U);
}

TEST_F(ElectorTest, ALostAnswerDoesNotEndTheTerm) {
  a_.run(now_, now_ + seconds(1));
  now_ += seconds(2);
  const auto renewal = a_.elector().next(now_, "w");
  ASSERT_EQ(renewal.kind, Kind::apply);
  ASSERT_TRUE(a_.call(renewal));
  a_.elector().answered(now_, unreachable());
  a_.run(now_, now_ + seconds(30));
  EXPECT_EQ(a_.term(), 1U);
}

TEST_F(ElectorTest, ALeaseWonByALostAnswerIsTakenAnew) {
  a_.elector().next(now_, "w");
  a_.elector().answered(now_, ApiError{ApiFailure::refused, 404, "", "NotFound", "", {}});
  const auto creation = a_.elector().next(now_, "w");
  ASSERT_EQ(creation.kind, Kind::create);
  ASSERT_TRUE(a_.call(creation));
  a_.elector().answered(now_, unreachable());
  EXPECT_FALSE(a_.leads());
  a_.run(now_, now_ + seconds(5));
  EXPECT_EQ(a_.term(), 2U);
}

TEST_F(ElectorTest, AnotherHolderEndsTheTermAtOnce) {
  a_.run(now_, now_ + seconds(1));
  auto taken = lease();
  taken["spec"]["holderIdentity"] = "c";
  taken["spec"]["leaseTransitions"] = 7;
  api_.put(lease_resource(), taken);
  a_.run(now_, now_ + seconds(2));
  EXPECT_FALSE(a_.leads());
  EXPECT_EQ(a_.elector().holder(), "c");
  a_.run(now_, now_ + seconds(20));
  EXPECT_EQ(a_.term(), 8U);
}

TEST_F(ElectorTest, AReleasedLeaseIsTakenAtOnce) {
  a_.run(now_, now_ + seconds(1));
  b_.run(now_, now_ + seconds(1));
  const auto released = a_.elector().release(now_, "w");
  ASSERT_TRUE(released);
  EXPECT_FALSE(a_.leads());
  ASSERT_TRUE(api_.apply(lease_resource(), *released));
  b_.run(now_, now_ + seconds(3));
  EXPECT_EQ(b_.term(), 2U);
  EXPECT_FALSE(a_.elector().release(now_, "w")) << "only a holder gives back";
}

TEST_F(ElectorTest, ADeletedLeaseEndsTheTermAndTheNextIsHigher) {
  a_.run(now_, now_ + seconds(1));
  b_.run(now_, now_ + seconds(1));
  api_.erase(lease_resource(), kLease);
  auto now = now_;
  b_.run(now, now_ + seconds(5));
  EXPECT_FALSE(b_.leads()) << "the holder that it saw may still write";
  a_.run(now_, now_ + seconds(5));
  EXPECT_EQ(a_.term(), 2U);
}

TEST_F(ElectorTest, WhatCannotBeALeaseIsAFailure) {
  const char* const answers[] = {"null", "[]", "{}", R"({"metadata": {"resourceVersion": 7}})"};
  for (const auto* answer : answers) {
    ASSERT_EQ(a_.elector().next(now_, "w").kind, Kind::get);
    a_.elector().answered(now_, Json::parse(answer));
    EXPECT_TRUE(a_.elector().failure()) << answer;
    EXPECT_FALSE(a_.leads());
    now_ = a_.elector().next(now_, "w").until;
  }
}

TEST_F(ElectorTest, TakesALeaseOfAnyOtherShape) {
  const char* const specs[] = {"null",
                               "7",
                               "{}",
                               R"({"holderIdentity": 7, "leaseTransitions": "x"})",
                               R"({"holderIdentity": "", "leaseTransitions": -3, "leaseDurationSeconds": -1})",
                               R"({"leaseTransitions": 99999999999})"};
  for (const auto* spec : specs) {
    Replica replica(api_, "r");
    api_.put(lease_resource(),
             {{"metadata", {{"namespace", "adit"}, {"name", "operator"}}}, {"spec", Json::parse(spec)}});
    replica.run(now_, now_ + seconds(1));
    EXPECT_EQ(replica.term(), 1U) << spec;
  }
}

TEST_F(ElectorTest, AnUnchangedVersionRenewsNothing) {
  a_.run(now_, now_ + seconds(1));
  now_ += seconds(2);
  ASSERT_EQ(a_.elector().next(now_, "w").kind, Kind::apply);
  a_.elector().answered(now_, lease());
  EXPECT_FALSE(a_.leads()) << "others see no change and take over";
}

TEST_F(ElectorTest, AMissingNamespaceIsAFailureAndNoBusyLoop) {
  api_.before_calls([](const std::string& call) -> std::optional<ApiError> {
    if (call.starts_with("create")) return ApiError{ApiFailure::refused, 404, call, "NotFound", "no namespace", {}};
    return std::nullopt;
  });
  a_.run(now_, now_ + seconds(20));
  EXPECT_TRUE(a_.elector().failure()->not_found());
  EXPECT_LE(api_.calls().size(), 22U);
}

TEST_F(ElectorTest, ForeignWritesAtEachTryAreNoBusyLoop) {
  a_.run(now_, now_ + seconds(1));
  api_.before_calls([&](const std::string& call) -> std::optional<ApiError> {
    if (!call.starts_with("apply")) return std::nullopt;
    return ApiError{ApiFailure::refused, 409, call, "Conflict", "", {}};
  });
  const auto before = api_.calls().size();
  a_.run(now_, now_ + seconds(20));
  EXPECT_LE(api_.calls().size() - before, 30U);
}

// Several replicas with clocks that run apart by 5 % and start anywhere, calls that take up to twelve seconds, fail, or
// take effect without an answer: never do two lead at once, terms rise, and when all is well again one leads.
class ElectorModel {
 public:
  explicit ElectorModel(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < 3; ++i) begin(i);
  }

  void run(seconds length, bool faults) {
    for (const auto end = world_ + length; world_ < end; world_ += milliseconds(50)) {
      for (auto& process : processes_) {
        step(process, faults);
        check(process);
        ASSERT_FALSE(testing::Test::HasFailure());
      }
      if (faults && random_.up_to(2'000) == 0) begin(static_cast<int>(random_.up_to(2)));
    }
  }

  int leaders() {
    int leaders = 0;
    for (auto& process : processes_) leaders += writes(process) ? 1 : 0;
    return leaders;
  }
  std::uint64_t terms() const { return terms_.size(); }

 private:
  struct Process {
    std::unique_ptr<base::Random> random;
    std::unique_ptr<Elector> elector;
    std::string identity;
    double pace = 1;
    milliseconds offset{0};
    milliseconds busy_until{0};                ///< world time
    std::optional<Elector::Action> under_way;  ///< takes effect at `effect_at`
    milliseconds effect_at{0};
    std::optional<ApiResult<Json>> answer;
    std::uint64_t told_term = 0;
  };

  /// A process (again): with an identity of its own, as after a restart.
  void begin(int index) {
    Process process;
    process.random = std::make_unique<base::Random>(random_());
    process.identity = std::to_string(index) + "-" + std::to_string(++identities_);
    process.elector = std::make_unique<Elector>(options(process.identity), *process.random);
    process.pace = 0.95 + static_cast<double>(random_.up_to(100)) / 1'000;
    process.offset = milliseconds(random_.up_to(100'000'000));
    if (static_cast<std::size_t>(index) < processes_.size()) {
      processes_[static_cast<std::size_t>(index)] = std::move(process);
    } else {
      processes_.push_back(std::move(process));
    }
  }

  base::TimePoint local(const Process& process) const {
    const auto passed = static_cast<double>(world_.count()) * process.pace;
    return base::TimePoint(process.offset + milliseconds(static_cast<std::int64_t>(passed)));
  }

  bool writes(const Process& process) const {
    const auto& leading = process.elector->leading();
    return leading && local(process) < leading->deadline;
  }

  void step(Process& process, bool faults) {
    if (process.under_way && !process.answer && world_ >= process.effect_at) {
      const bool fails = faults && random_.up_to(3) == 0;
      const bool loses = faults && random_.up_to(3) == 0;
      process.answer = fails ? ApiResult<Json>(unreachable()) : perform(*process.under_way);
      if (loses) process.answer = ApiResult<Json>(unreachable());
    }
    if (world_ < process.busy_until) return;
    const auto now = local(process);
    if (process.answer) {
      process.elector->answered(now, *process.answer);
      process.answer.reset();
      process.under_way.reset();
      return;
    }
    auto action = process.elector->next(now, Replica::wall(now));
    if (action.kind == Kind::wait) return;
    process.under_way = std::move(action);
    const auto most = !faults ? 100U : (random_.up_to(4) == 0 ? 12'000U : 500U);
    process.effect_at = world_ + milliseconds(random_.up_to(most));
    process.busy_until = process.effect_at + milliseconds(random_.up_to(most));
  }

  ApiResult<Json> perform(const Elector::Action& action) {
    if (action.kind == Kind::create) return api_.create(lease_resource(), action.lease);
    if (action.kind == Kind::apply) return api_.apply(lease_resource(), action.lease);
    return api_.get(lease_resource(), kLease);
  }

  void check(Process& process) {
    if (!writes(process)) {
      process.told_term = 0;
      return;
    }
    ASSERT_EQ(leaders(), 1);
    const auto term = process.elector->leading()->term;
    if (term == process.told_term) return;
    ASSERT_EQ(process.told_term, 0U) << "a term ends before the next begins";
    ASSERT_TRUE(terms_.empty() || term > *terms_.rbegin()) << term << " after " << *terms_.rbegin();
    terms_.insert(term);
    process.told_term = term;
  }

  base::Random random_;
  SimulatedApi api_;
  milliseconds world_{0};
  std::vector<Process> processes_;
  std::set<std::uint64_t> terms_;
  int identities_ = 0;
};

TEST(ElectorModel, NeverHasTwoLeadersAndAlwaysOneAgain) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ElectorModel model(seed);
    for (int round = 0; round < 4; ++round) {
      model.run(seconds(300), true);
      ASSERT_FALSE(testing::Test::HasFailure());
      model.run(seconds(40), false);
      ASSERT_EQ(model.leaders(), 1) << "round " << round;
    }
    ASSERT_GT(model.terms(), 3U);
  }
}

}  // namespace
}  // namespace adit::kube
