// The reflector against the real API server, through a proxy that cuts, stalls and corrupts what it watches, and says
// 410.

#include "kube/reflector.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <random>

#include <gmock/gmock.h>

#include "tests/kube_api/cluster.h"
#include "tests/kube_api/faulty_proxy.h"

namespace adit::kube::test {
namespace {

constexpr unsigned kRounds = 10;
constexpr unsigned kMostRounds = 40;  // if chance has spared a fault until then: a busy machine gets fewer connections
constexpr int kWrites = 40;
constexpr unsigned kWritesForEachCut = 6;
constexpr int kNames = 8;
/// How far the writer gets ahead of the reflector. It decides what the faults meet, never whether the test passes.
constexpr auto kPace = std::chrono::milliseconds(20);
constexpr auto kPatience = std::chrono::seconds(60);
const std::string kGone = "gone";

/// The versions of every object, in order; kGone where it was deleted.
using History = std::map<std::string, std::vector<std::string>>;

/// What a reflector told, as its user sees it.
class Follower {
 public:
  struct Step {
    std::string key, version;
    std::uint64_t lists;  ///< that the reflector had begun by then
  };

  void take(const std::vector<Change>& changes, std::uint64_t lists) {
    const std::lock_guard lock(mutex_);
    for (const auto& change : changes) take(change, lists);
    changed_.notify_all();
  }

  /// Waits until what was told makes up `expected`: the names and versions of all objects.
  bool reaches(const std::map<std::string, std::string>& expected) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return versions_ == expected; });
  }
  /// Returns when something more was told, or soon.
  void wait_a_little() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPace, [&, before = steps_.size()] { return steps_.size() != before; });
  }
  std::map<std::string, std::string> versions() {
    const std::lock_guard lock(mutex_);
    return versions_;
  }
  std::vector<Step> steps() {
    const std::lock_guard lock(mutex_);
    return steps_;
  }
  std::vector<std::string> complaints() {
    const std::lock_guard lock(mutex_);
    return complaints_;
  }

 private:
  void take(const Change& change, std::uint64_t lists) {
    const auto known = versions_.find(change.key);
    const auto before = change.before ? resource_version_of(*change.before) : kGone;
    const auto after = change.after ? resource_version_of(*change.after) : kGone;
    if (before == after) complaints_.push_back(change.key + " told twice: " + after);
    if (before != (known == versions_.end() ? kGone : known->second)) {
      complaints_.push_back(change.key + " was not " + before + " before it became " + after);
    }
    if (change.after) {
      versions_[change.key] = after;
    } else {
      versions_.erase(change.key);
    }
    steps_.push_back({change.key, after, lists});
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> versions_;
  std::vector<Step> steps_;
  std::vector<std::string> complaints_;
};

/// Each step must come later in its object's history than the step before; nothing may be left out, unless a list came
/// between them, which shows only the outcome.
std::vector<std::string> wrong_steps(const std::vector<Follower::Step>& steps, const History& history) {
  struct Place {
    std::size_t next = 0;
    std::uint64_t lists = 0;
    bool any_end = false;  ///< a list told that it is gone: which of its ends that was, it does not say
  };
  std::map<std::string, Place> places;
  std::vector<std::string> wrong;
  for (const auto& step : steps) {
    auto& place = places[step.key];
    const auto& versions = history.at(step.key);
    const auto first = versions.begin() + static_cast<long>(place.next);
    const auto at = std::find(first, versions.end(), step.version);
    if (at == versions.end()) {
      wrong.push_back(step.key + ": " + step.version + " repeated, out of order or invented");
      continue;
    }
    const bool listed = step.lists != place.lists;
    const bool explained = at == first || listed || (place.any_end && *std::prev(at) == kGone);
    if (!explained) {
      wrong.push_back(step.key + ": before " + step.version +
                      " lost: " + testing::PrintToString(std::vector<std::string>(first, at)));
    }
    place = {static_cast<std::size_t>(at - versions.begin()) + 1, step.lists, listed && step.version == kGone};
  }
  return wrong;
}

class ReflectorTest : public RealServer {
 protected:
  /// One random change, noted in the history.
  void write(std::mt19937& random) {
    const auto name = "item-" + std::to_string(random() % kNames);
    auto& versions = history_[space_ + "/" + name];
    const bool exists = !versions.empty() && versions.back() != kGone;
    if (exists && random() % 4 == 0) {
      const auto removed = api_->remove(kConfigMaps, {space_, name}, "");
      ASSERT_TRUE(removed) << removed.error().text();
      versions.push_back(kGone);
      return;
    }
    const auto stored = api_->apply(
        kConfigMaps, config_map(name, {{"n", std::string(random() % 2000, 'x')}, {"r", std::to_string(random())}}));
    ASSERT_TRUE(stored) << stored.error().text();
    versions.push_back(resource_version_of(*stored));
  }

  std::map<std::string, std::string> on_server() {
    std::map<std::string, std::string> versions;
    const auto page = api_->list(selection(), {});
    if (!page) throw std::runtime_error(page.error().text());
    for (const auto& item : page->items) versions[name_of(item).key()] = resource_version_of(item);
    return versions;
  }

  Selection selection() const { return {kConfigMaps, space_, "", "test=yes"}; }

  void follow_through(FaultyProxy::Tls tls, std::initializer_list<Fault> expected);

  History history_;
};

void ReflectorTest::follow_through(FaultyProxy::Tls tls, std::initializer_list<Fault> expected) {
  FaultyProxy proxy(config_, tls);
  RestOptions rest;
  rest.limits.timeout = std::chrono::milliseconds(1000);
  const auto faulty = client(proxy.config(), rest);

  ReflectorOptions options{.selection = selection(), .name = "test"};
  options.page_size = 3;
  options.watch_timeout = std::chrono::seconds(2);
  options.backoff = {std::chrono::milliseconds(5), std::chrono::milliseconds(100)};
  Follower follower;
  Reflector* self = nullptr;
  Reflector reflector(*faulty, options,
                      [&](const std::vector<Change>& changes) { follower.take(changes, self->counts().lists); });
  self = &reflector;
  reflector.start();

  const auto spared = [&] {
    return std::any_of(expected.begin(), expected.end(), [&](Fault fault) { return proxy.happened(fault) == 0; });
  };
  for (unsigned round = 0; round < kRounds || (spared() && round < kMostRounds); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    std::mt19937 random(round);
    proxy.begin(round);
    for (int i = 0; i < kWrites && !HasFatalFailure(); ++i) {
      if (random() % kWritesForEachCut == 0) proxy.cut_all();
      write(random);
      follower.wait_a_little();
    }
    proxy.heal();
    const auto truth = on_server();
    ASSERT_TRUE(follower.reaches(truth)) << testing::PrintToString(follower.versions()) << "\nshould be\n"
                                         << testing::PrintToString(truth);
    std::map<std::string, std::string> stored;
    for (const auto& object : reflector.store().all()) stored[name_of(*object).key()] = resource_version_of(*object);
    EXPECT_EQ(stored, truth);
  }
  reflector.stop();
  EXPECT_THAT(follower.complaints(), testing::IsEmpty());
  EXPECT_THAT(wrong_steps(follower.steps(), history_), testing::IsEmpty());
  // The test is worth nothing if nothing went wrong.
  EXPECT_FALSE(spared());
  const auto counts = reflector.counts();
  RecordProperty("lists", static_cast<int>(counts.lists));
  RecordProperty("watches", static_cast<int>(counts.watches));
  RecordProperty("events", static_cast<int>(counts.events));
}

TEST_F(ReflectorTest, FollowsThroughAFaultyNetwork) {
  follow_through(FaultyProxy::Tls::passed_through, {Fault::cut, Fault::stall, Fault::corrupt, Fault::small_pieces});
}

TEST_F(ReflectorTest, FollowsThroughAFaultyServer) {
  follow_through(FaultyProxy::Tls::ended, {Fault::cut, Fault::corrupt, Fault::small_pieces, Fault::gone,
                                           Fault::gone_in_stream, Fault::closed_at_once});
}

}  // namespace
}  // namespace adit::kube::test
