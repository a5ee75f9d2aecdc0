// Both ends in memory: whatever is cut whenever, the replica gets to where the log is.

#include <deque>
#include <optional>

#include <gtest/gtest.h>

#include "base/random.h"
#include "control/gateway_feed.h"
#include "control/replica.h"
#include "tests/control/tunnels.h"

namespace adit::control::test {
namespace {

using Set = std::vector<TunnelConfigurationPtr>;

/// An operator and a gateway, and what is on the wire between them.
class Pair {
 public:
  Pair() : log_(std::make_unique<ConfigurationLog>(1)) {}

  ConfigurationLog& log() { return *log_; }
  GatewayFeed& feed() { return *feed_; }
  const Replica& replica() const { return replica_; }

  void connect() {
    cut();
    feed_.emplace(*log_);
    replica_.begin_session();
    to_operator_.push_back(write(GatewayMessage(HelloMessage{"g", "0.1.0", replica_.version()})));
  }
  /// What is on its way is lost.
  void cut() {
    feed_.reset();
    to_gateway_.clear();
    to_operator_.clear();
  }
  void new_leader(const Set& set) {
    cut();
    log_ = std::make_unique<ConfigurationLog>(log_->term() + 1);
    log_->update(set, {});
  }
  /// One message of either end goes one step; false when there is nothing left to do.
  bool step() {
    if (!feed_) return false;
    if (!to_operator_.empty()) {
      const auto taken = feed_->take(to_operator_.front());
      EXPECT_TRUE(taken) << taken.error().message << ": " << to_operator_.front();
      to_operator_.pop_front();
      return true;
    }
    if (!to_gateway_.empty()) {
      const auto taken = replica_.take(to_gateway_.front());
      EXPECT_TRUE(taken) << taken.error() << ": " << to_gateway_.front();
      to_gateway_.pop_front();
      return true;
    }
    if (replica_.has_news()) {
      for (auto& answer : replica_.apply().answers) to_operator_.push_back(std::move(answer));
      return true;
    }
    auto next = feed_->next_message();
    if (!next) return false;
    to_gateway_.push_back(std::move(*next));
    ++sent_;
    return true;
  }
  void settle() {
    while (step()) {
    }
  }
  std::size_t sent() const { return sent_; }

 private:
  std::unique_ptr<ConfigurationLog> log_;
  std::optional<GatewayFeed> feed_;
  Replica replica_;
  std::deque<std::string> to_gateway_;
  std::deque<std::string> to_operator_;
  std::size_t sent_ = 0;
};

/// Sets that do not contradict themselves, at random.
class Sets {
 public:
  explicit Sets(std::uint64_t seed) : random_(seed) {
    for (auto& key : keys_) key = certificate("DNS:*.example.com");
  }

  Set next() {
    // Each host goes to one tunnel; hosts move about a lot, which is what the two ends must not stumble over.
    for (auto& owner : owner_) {
      if (random_.up_to(3) == 0) owner = random_.up_to(kNames);  // kNames: nobody
    }
    Set set;
    for (std::size_t name = 0; name < kNames; ++name) {
      std::vector<std::string> rules;
      std::vector<routing::HostCertificate> keys;
      for (std::size_t host = 0; host < kHosts; ++host) {
        if (owner_[host] != name) continue;
        rules.push_back("h" + std::to_string(host) + ".example.com");
        const auto key = random_.up_to(kKeys);
        if (key < kKeys) keys.push_back({rules.back(), keys_[key]});
      }
      const auto service = random_.up_to(4) == 0 ? "other" : "default";
      if (!rules.empty()) set.push_back(tunnel("t" + std::to_string(name), rules, service, keys));
    }
    return set;
  }
  base::Random& random() { return random_; }

 private:
  static constexpr std::size_t kNames = 6;
  static constexpr std::size_t kHosts = 10;
  static constexpr std::size_t kKeys = 3;
  base::Random random_;
  std::array<std::size_t, kHosts> owner_{};
  std::array<std::shared_ptr<const routing::Certificate>, kKeys> keys_;
};

void expect_equal(Pair& pair, const Set& set, const std::string& where) {
  EXPECT_EQ(lines(pair.replica().set()), lines(set)) << where;
  EXPECT_EQ(pair.replica().refused(), 0U) << where;
  EXPECT_EQ(pair.replica().version(), pair.log().head()) << where;
  EXPECT_TRUE(pair.feed().is_current()) << where;
  EXPECT_EQ(pair.log().tombstones(), 0U) << where;
}

TEST(Pair, CutAfterEveryMessage) {
  Sets sets(1);
  const auto first = sets.next();
  const auto second = sets.next();
  const auto third = sets.next();
  for (std::size_t cut = 0; cut < 200; ++cut) {
    Pair pair;
    pair.log().update(first, {});
    pair.connect();
    std::size_t steps = 0;
    bool left = true;
    while (left && steps < cut) {
      left = pair.step();
      ++steps;
      if (steps == 20) pair.log().update(second, {});
    }
    pair.log().update(third, {});
    pair.connect();
    pair.settle();
    expect_equal(pair, third, "cut after " + std::to_string(cut));
  }
}

TEST(Pair, RandomUpdatesAndCuts) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Sets sets(seed);
    Pair pair;
    auto set = sets.next();
    pair.log().update(set, {});
    pair.connect();
    for (int i = 0; i < 300 && !testing::Test::HasFailure(); ++i) {
      const auto what = sets.random().up_to(99);
      if (what < 20) {
        set = sets.next();
        pair.log().update(set, {});
      } else if (what < 23) {
        pair.connect();
      } else if (what < 24) {
        pair.new_leader(set);
        pair.connect();
      } else {
        pair.step();
      }
      EXPECT_EQ(pair.replica().refused(), 0U) << "half of a change was taken for the whole";
    }
    pair.settle();
    expect_equal(pair, set, "seed " + std::to_string(seed));
    EXPECT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
}

TEST(Pair, RestartedGatewayGoesOnFromItsCopy) {
  Sets sets(7);
  Pair pair;
  const auto set = sets.next();
  pair.log().update(set, {});
  pair.connect();
  pair.settle();
  Replica restarted;
  ASSERT_TRUE(restarted.read_copy(pair.replica().write_copy()));
  EXPECT_EQ(lines(restarted.set()), lines(set));
  EXPECT_EQ(restarted.version(), pair.log().head());
}

TEST(Pair, OperatorThatCannotTellKeepsWhatTheGatewayHas) {
  Pair pair;
  const auto a = tunnel("a", {"a.example.com"});
  const auto b = tunnel("b", {"b.example.com"});
  pair.log().update(Set{a, b}, {});
  pair.connect();
  pair.settle();
  pair.new_leader({});
  pair.log().update(Set{a}, std::vector<std::string>{id_of("b")});
  pair.connect();
  pair.settle();
  EXPECT_EQ(lines(pair.replica().set()), lines({a, b}));
  EXPECT_TRUE(pair.feed().has(id_of("a")));
  EXPECT_FALSE(pair.feed().has(id_of("b")));
}

}  // namespace
}  // namespace adit::control::test
