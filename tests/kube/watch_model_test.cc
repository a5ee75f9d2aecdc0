// The watch machine and the store against a simulated API server, under every fault a connection and a server can have.

#include <algorithm>
#include <map>
#include <set>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "kube/store.h"
#include "kube/watch_machine.h"
#include "tests/kube/objects.h"
#include "tests/kube/simulated_api.h"

namespace adit::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Resource& secrets() {
  static const Resource kSecrets{"", "v1", "secrets", "Secret", true};
  return kSecrets;
}

/// A shell in one thread whose time and faults come from a seed.
class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed), machine_(options(), random_) {
    selection_.resource = tunnels();
    if (chance(3)) selection_.space = "a";
    if (chance(4)) selection_.metadata_only = true;
  }

  /// One action of the machine, with or without faults.
  void step(bool faults) {
    const auto action = machine_.next(now_);
    if (const auto* list = std::get_if<ListPage>(&action)) do_list(list->options, faults);
    if (const auto* watch = std::get_if<StartWatch>(&action)) do_watch(watch->options, faults);
    if (const auto* wait = std::get_if<WaitUntil>(&action)) {
      ASSERT_GT(wait->time, now_);
      ASSERT_LE(wait->time - now_, seconds(140));
      now_ = wait->time;
    }
    take_updates();
  }

  /// Other clients at work.
  void change_world() {
    for (auto n = random_.up_to(4); n > 0; --n) {
      const Name name{chance(2) ? "a" : "b", std::string(1, static_cast<char>('a' + random_.up_to(9)))};
      const auto& resource = chance(5) ? secrets() : tunnels();
      if (chance(3)) {
        server_.erase(resource, name);
      } else {
        auto object = tunnel(name.name);
        object["metadata"]["namespace"] = name.space;
        object["spec"] = {{"value", random_.up_to(1'000)}, {"text", std::string(random_.up_to(300), 'x') + "\n\"\\"}};
        server_.put(resource, std::move(object));
      }
    }
    remember_versions();
    if (chance(40)) server_.compact();
  }

  bool is_even() const {
    std::map<std::string, std::string> theirs;
    for (const auto& object : server_.all(tunnels())) {
      if (selection_.space.empty() || name_of(object).space == selection_.space) {
        theirs[name_of(object).key()] = resource_version_of(object);
      }
    }
    std::map<std::string, std::string> ours;
    for (const auto& object : store_.all()) ours[name_of(*object).key()] = resource_version_of(*object);
    return ours == theirs;
  }

  const WatchMachine& machine() const { return machine_; }
  const Store& store() const { return store_; }
  std::uint64_t lists() const { return lists_; }
  std::uint64_t events() const { return events_; }

 private:
  static WatchMachineOptions options() {
    WatchMachineOptions options;
    options.subject = "tunnels.adit.dev";
    options.page_size = 3;
    options.most_line_bytes = 4'096;
    return options;
  }

  bool chance(std::uint64_t one_in) { return random_.up_to(one_in - 1) == 0; }

  ApiError fault() {
    switch (random_.up_to(4)) {
      case 0:
        return {ApiFailure::unreachable, 0, "call", "", "reset", {}};
      case 1:
        return {ApiFailure::timed_out, 0, "call", "", "", {}};
      case 2:
        return {ApiFailure::refused, 429, "call", "TooManyRequests", "", seconds(random_.up_to(20))};
      case 3:
        return {ApiFailure::refused, 410, "call", "Expired", "", {}};
      default:
        return {ApiFailure::refused, 503, "call", "", "", {}};
    }
  }

  void do_list(const ListOptions& options, bool faults) {
    now_ += milliseconds(random_.up_to(2'000));
    if (faults && chance(3)) return machine_.list_failed(now_, fault());
    auto page = server_.list(selection_, options);
    // The world does not stand still between pages.
    if (faults && chance(2)) change_world();
    if (faults && chance(10)) server_.compact();
    if (page) {
      listed_ = std::stoull(page->resource_version);
      machine_.listed(now_, *std::move(page));
    } else {
      machine_.list_failed(now_, page.error());
    }
  }

  void do_watch(const WatchOptions& options, bool faults) {
    if (faults && chance(4)) return machine_.watch_ended(now_, fault());
    auto cursor = server_.open_watch(selection_, options.resource_version);
    if (!cursor) return machine_.watch_ended(now_, cursor.error());
    machine_.received(now_, {});
    const auto end = now_ + options.timeout;
    while (now_ < end) {
      if (faults && chance(6)) return do_fault(*cursor);
      auto bytes = server_.read(*cursor, 1 + random_.up_to(3));
      if (chance(4)) bytes += server_.bookmark(*cursor);
      if (!send(bytes)) return machine_.watch_ended(now_, ApiError{ApiFailure::cancelled, 0, "", "", "", {}});
      if (bytes.empty() && !machine_.idle(now_)) return machine_.watch_ended(now_, {});
      now_ += milliseconds(random_.up_to(5'000));
      if (faults) change_world();
    }
    if (chance(2)) send(server_.bookmark(*cursor));
    machine_.watch_ended(now_, {});
  }

  /// What ends a watch out of order.
  void do_fault(SimulatedApi::Cursor& cursor) {
    auto bytes = server_.read(cursor);
    switch (random_.up_to(5)) {
      case 0:  // cut at any byte
        send(bytes.substr(0, random_.up_to(bytes.size())));
        return machine_.watch_ended(now_, fault());
      case 1:  // closed in order at any byte
        send(bytes.substr(0, random_.up_to(bytes.size())));
        return machine_.watch_ended(now_, {});
      case 2:  // corrupt: no JSON text may hold this byte
        if (bytes.empty()) bytes = "{}\n";
        bytes[random_.up_to(bytes.size() - 1)] = '\x01';
        send(bytes);
        break;
      case 3:
        send(bytes + R"({"type":"ERROR","object":{"code":410}})" + "\n");
        break;
      case 4:
        send(bytes + R"({"type":"ERROR","object":{"code":500,"message":"etcdserver: leader changed"}})" + "\n");
        break;
      default:
        stall();
    }
    machine_.watch_ended(now_, ApiError{ApiFailure::cancelled, 0, "", "", "", {}});
  }

  void stall() {
    const auto begin = now_;
    while (machine_.idle(now_)) {
      now_ += seconds(1);
      ASSERT_LE(now_ - begin, seconds(60)) << "a watch that died silently is made anew within a minute";
    }
  }

  /// In parts of any size. False: the machine wants no more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto part = bytes.substr(0, 1 + random_.up_to(400));
      if (!machine_.received(now_, part)) return false;
      bytes.remove_prefix(part.size());
      if (chance(3)) take_updates();
    }
    return true;
  }

  void take_updates() {
    for (auto& update : machine_.take_updates()) {
      if (auto* all = std::get_if<AllReplaced>(&update)) {
        ++lists_;
        for (const auto& change : store_.replace(std::move(all->objects))) check_listed(change);
        // What came and went unseen before the list will not be told.
        for (const auto& [key, versions] : versions_) {
          if (const auto next = versions.upper_bound(listed_); next != versions.begin())
            told_[key] = std::prev(next)->first;
        }
        continue;
      }
      auto* set = std::get_if<ObjectSet>(&update);
      const auto version = set != nullptr ? version_of(*set->object) : 0;
      const auto change =
          set != nullptr ? store_.set(std::move(set->object)) : store_.erase(std::get<ObjectErased>(update).key);
      ASSERT_TRUE(change) << "an event came twice";
      check_event(*change, version);
    }
  }

  /// Not older than what was told before, and nothing that never was.
  void check_listed(const Change& change) {
    auto& versions = versions_[change.key];
    const auto told = told_[change.key];
    EXPECT_TRUE(!change.before || told == version_of(*change.before)) << change.key;
    if (change.after) {
      EXPECT_GT(version_of(*change.after), told) << change.key;
      EXPECT_TRUE(versions.contains(version_of(*change.after))) << change.key;
    } else {
      const auto gone = std::find_if(versions.upper_bound(told), versions.upper_bound(listed_),
                                     [](const auto& version) { return !version.second; });
      EXPECT_NE(gone, versions.upper_bound(listed_)) << change.key << " was never deleted";
    }
  }

  /// Exactly the next version of the object: none left out, none repeated. `version` 0: its end.
  void check_event(const Change& change, std::uint64_t version) {
    auto& versions = versions_[change.key];
    const auto next = versions.upper_bound(told_[change.key]);
    ASSERT_NE(next, versions.end()) << change.key << " came twice";
    EXPECT_EQ(next->second, change.after != nullptr) << change.key;
    EXPECT_TRUE(!change.after || next->first == version) << change.key << " " << version;
    told_[change.key] = next->first;
    ++events_;
  }

  static std::uint64_t version_of(const Json& object) { return std::stoull(resource_version_of(object)); }

  void remember_versions() {
    for (const auto& entry : server_.history(remembered_)) {
      remembered_ = entry.version;
      if (entry.subject == subject_of(tunnels())) versions_[entry.name.key()][entry.version] = entry.after.has_value();
    }
  }

  base::Random random_;
  SimulatedApi server_;
  Selection selection_;
  WatchMachine machine_;
  Store store_;
  base::TimePoint now_{seconds(1000)};
  std::uint64_t lists_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t listed_ = 0;  ///< the version of the last list
  std::uint64_t remembered_ = 0;
  std::map<std::string, std::map<std::uint64_t, bool>> versions_;  ///< of each key: which there were; false: deleted
  std::map<std::string, std::uint64_t> told_;                      ///< the last version of each key
};

class WatchModel : public testing::TestWithParam<int> {};

TEST_P(WatchModel, AfterAnyFaultsTheStoreIsWhatTheServerHas) {
  for (int run = 0; run < 10; ++run) {
    const auto seed = static_cast<std::uint64_t>(GetParam() * 10 + run);
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model model(seed);
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 60; ++i) {
        model.change_world();
        model.step(true);
      }
      // All faults have ended; a list may have been due. Then nothing is left to mend.
      for (int i = 0; i < 30; ++i) model.step(false);
      ASSERT_TRUE(model.is_even()) << "round " << round;
      ASSERT_FALSE(model.machine().failure()) << model.machine().failure()->text();
      ASSERT_TRUE(model.store().is_synced());
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    ASSERT_GT(model.machine().failures(), 0U);
    ASSERT_GT(model.lists(), 1U);
    ASSERT_GT(model.events(), 100U);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, WatchModel, testing::Range(0, 5));

}  // namespace
}  // namespace adit::kube
