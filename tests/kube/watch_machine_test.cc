#include "kube/watch_machine.h"

#include <gtest/gtest.h>

#include "tests/kube/objects.h"

namespace adit::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string line(const char* type, const std::string& name, const std::string& version) {
  return Json{{"type", type}, {"object", tunnel(name, version)}}.dump() + "\n";
}

std::string bookmark(const std::string& version) {
  return R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":")" + version + "\"}}}\n";
}

std::string error_line(int code) {
  return R"({"type":"ERROR","object":{"kind":"Status","reason":"R","message":"m","code":)" + std::to_string(code) +
         "}}\n";
}

ApiError refusal(int code, std::optional<seconds> retry_after = {}) {
  return {ApiFailure::refused, code, "call", "Reason", "", retry_after};
}

ApiError broken() { return {ApiFailure::unreachable, 0, "call", "", "reset", {}}; }

class WatchMachineTest : public testing::Test {
 protected:
  WatchMachineTest() { options_.subject = "tunnels.adit.dev"; }

  /// The next action that is no wait, as text: "list", "list TOKEN" or "watch VERSION". Waits are waited for.
  std::string next() {
    waited_ = milliseconds(0);
    for (;;) {
      const auto action = machine_.next(now_);
      if (const auto* list = std::get_if<ListPage>(&action)) {
        return list->options.more.empty() ? "list" : "list " + list->options.more;
      }
      if (const auto* watch = std::get_if<StartWatch>(&action)) return "watch " + watch->options.resource_version;
      const auto until = std::get<WaitUntil>(action).time;
      waited_ += std::chrono::duration_cast<milliseconds>(until - now_);
      now_ = until;
    }
  }

  /// Lists `names` as version `version` and starts the watch.
  void follow(const std::string& version = "10", std::vector<Json> items = {}) {
    ASSERT_EQ(next(), "list");
    machine_.listed(now_, {std::move(items), version, ""});
    ASSERT_EQ(next(), "watch " + version);
    updates();
  }

  void end_clean() { machine_.watch_ended(now_, {}); }
  bool receive(const std::string& bytes) { return machine_.received(now_, bytes); }

  /// "+KEY@VERSION -KEY =[KEY KEY]"
  std::string updates() {
    std::string text;
    for (const auto& update : machine_.take_updates()) {
      if (const auto* set = std::get_if<ObjectSet>(&update)) {
        text += " +" + name_of(*set->object).key() + "@" + resource_version_of(*set->object);
      } else if (const auto* erased = std::get_if<ObjectErased>(&update)) {
        text += " -" + erased->key;
      } else {
        text += " =[";
        for (const auto& object : std::get<AllReplaced>(update).objects) text += " " + name_of(*object).key();
        text += " ]";
      }
    }
    return text;
  }

  WatchMachineOptions options_;
  base::Random random_{1};
  WatchMachine machine_{options_, random_};
  base::TimePoint now_{seconds(1000)};
  milliseconds waited_{0};
};

TEST_F(WatchMachineTest, ListsThenWatchesFromThatVersion) {
  ASSERT_EQ(next(), "list");
  machine_.listed(now_, {{tunnel("x", "3"), tunnel("y", "4")}, "10", ""});
  EXPECT_EQ(updates(), " =[ a/x a/y ]");
  EXPECT_EQ(next(), "watch 10");
  EXPECT_EQ(waited_.count(), 0);
}

TEST_F(WatchMachineTest, TakesAListInWholeWhenItsLastPageHasCome) {
  ASSERT_EQ(next(), "list");
  machine_.listed(now_, {{tunnel("x", "3")}, "10", "p2"});
  EXPECT_EQ(updates(), "");
  EXPECT_EQ(next(), "list p2");
  machine_.listed(now_, {{tunnel("y", "3")}, "10", "p3"});
  EXPECT_EQ(next(), "list p3");
  machine_.listed(now_, {{}, "10", ""});
  EXPECT_EQ(updates(), " =[ a/x a/y ]");
  EXPECT_EQ(next(), "watch 10");
}

TEST_F(WatchMachineTest, TellsEventsAndGoesOnFromTheLast) {
  follow();
  EXPECT_TRUE(receive(line("ADDED", "x", "11") + line("MODIFIED", "x", "12") + "\n" + line("DELETED", "x", "13")));
  EXPECT_EQ(updates(), " +a/x@11 +a/x@12 -a/x");
  now_ += seconds(45);
  end_clean();
  EXPECT_EQ(next(), "watch 13");
  EXPECT_EQ(waited_.count(), 0);
}

TEST_F(WatchMachineTest, BookmarksMoveTheVersion) {
  follow();
  EXPECT_TRUE(receive(bookmark("20")));
  EXPECT_EQ(updates(), "");
  now_ += seconds(45);
  end_clean();
  EXPECT_EQ(next(), "watch 20");
}

TEST_F(WatchMachineTest, AnEndInTimeWithoutAnyEventIsNoFault) {
  follow();
  for (int i = 0; i < 20; ++i) {
    now_ += seconds(45);
    end_clean();
    ASSERT_EQ(next(), "watch 10");
    ASSERT_EQ(waited_.count(), 0);
  }
}

TEST_F(WatchMachineTest, ALineCutOffByTheEndComesAgain) {
  follow();
  const auto event = line("ADDED", "x", "11");
  for (std::size_t i = 0; i < event.size(); ++i) {
    EXPECT_TRUE(receive(event.substr(0, i)));
    machine_.watch_ended(now_, broken());
    EXPECT_EQ(updates(), "");
    ASSERT_EQ(next(), "watch 10");
  }
  EXPECT_TRUE(receive(event));
  EXPECT_EQ(updates(), " +a/x@11");
}

// What must bring a new list, from a watch that stands at version 11.
TEST_F(WatchMachineTest, ListsAnewWhenTheVersionMayBeWorthNothing) {
  const struct {
    const char* what;
    std::function<void()> fault;
    bool fails;
  } cases[] = {
      {"410 as the answer", [&] { machine_.watch_ended(now_, refusal(410)); }, false},
      {"410 in the stream", [&] { EXPECT_FALSE(receive(error_line(410))); }, false},
      {"a line that is no JSON", [&] { EXPECT_FALSE(receive("{\"type\"\n")); }, true},
      {"an unknown event", [&] { EXPECT_FALSE(receive("{\"type\":\"NEW\",\"object\":{}}\n")); }, true},
      {"a line too long", [&] { EXPECT_FALSE(receive(std::string(options_.most_line_bytes + 1, ' '))); }, true},
      {"silence",
       [&] {
         now_ += seconds(55);
         EXPECT_FALSE(machine_.idle(now_));
       },
       true},
      {"closed early twice without progress",
       [&] {
         for (int i = 0; i < 2; ++i) {
           end_clean();
           ASSERT_EQ(next(), "watch 11");
         }
         end_clean();
       },
       false},
      {"refused three times",
       [&] {
         for (int i = 0; i < 2; ++i) {
           machine_.watch_ended(now_, refusal(504));
           ASSERT_EQ(next(), "watch 11");
         }
         EXPECT_FALSE(receive(error_line(500)));
       },
       true},
  };
  follow();
  for (const auto& c : cases) {
    EXPECT_TRUE(receive(bookmark("11"))) << c.what;
    c.fault();
    machine_.watch_ended(now_, ApiError{ApiFailure::cancelled, 0, "", "", "", {}});  // a shell always says so
    EXPECT_EQ(machine_.failure().has_value(), c.fails) << c.what;
    EXPECT_EQ(updates(), "") << c.what;
    follow();
  }
}

TEST_F(WatchMachineTest, WatchesOnAfterWhatLeavesTheVersionGood) {
  const struct {
    const char* what;
    std::function<void()> fault;
  } cases[] = {
      {"a broken connection", [&] { machine_.watch_ended(now_, broken()); }},
      {"a refusal", [&] { machine_.watch_ended(now_, refusal(503)); }},
      {"an error in the stream", [&] { EXPECT_FALSE(receive(error_line(500))); }},
      {"closed early after progress",
       [&] {
         EXPECT_TRUE(receive(bookmark("12")));
         end_clean();
       }},
      {"closed early once", [&] { end_clean(); }},
  };
  follow();
  std::string version = "10";
  for (const auto& c : cases) {
    EXPECT_TRUE(receive(bookmark("12")));
    c.fault();
    EXPECT_EQ(next(), "watch 12") << c.what;
    EXPECT_TRUE(receive(bookmark("13"))) << c.what;
    machine_.watch_ended(now_, broken());
    EXPECT_EQ(next(), "watch 13") << c.what;
  }
}

TEST_F(WatchMachineTest, ALongOutageCostsNoList) {
  follow();
  for (int i = 0; i < 100; ++i) {
    machine_.watch_ended(now_, broken());
    ASSERT_EQ(next(), "watch 10");
    ASSERT_LE(waited_, milliseconds(15'000));
  }
}

TEST_F(WatchMachineTest, PausesGrowUntilThereIsProgress) {
  follow();
  milliseconds longest{0};
  for (int i = 0; i < 30; ++i) {
    machine_.watch_ended(now_, broken());
    next();
    longest = std::max(longest, waited_);
  }
  EXPECT_GT(longest, seconds(10));
  EXPECT_TRUE(receive(bookmark("11")));
  machine_.watch_ended(now_, broken());
  next();
  EXPECT_LE(waited_, milliseconds(500));
}

TEST_F(WatchMachineTest, ALoopOfListsAnd410sSlowsDown) {
  const auto begin = now_;
  for (int i = 0; i < 20; ++i) {
    follow();
    EXPECT_FALSE(receive(error_line(410)));
  }
  EXPECT_GT(now_ - begin, seconds(60));
}

TEST_F(WatchMachineTest, HonoursTheServersWishToWaitWithinReason) {
  ASSERT_EQ(next(), "list");
  machine_.list_failed(now_, refusal(429, seconds(7)));
  next();
  EXPECT_GE(waited_, seconds(7));
  machine_.list_failed(now_, refusal(429, seconds(1'000'000)));
  next();
  EXPECT_GE(waited_, seconds(120));
  EXPECT_LE(waited_, seconds(136));
}

TEST_F(WatchMachineTest, APageThatDidNotComeIsAskedForAgain) {
  ASSERT_EQ(next(), "list");
  machine_.listed(now_, {{tunnel("x", "3")}, "10", "p2"});
  ASSERT_EQ(next(), "list p2");
  machine_.list_failed(now_, broken());
  ASSERT_EQ(next(), "list p2");
  machine_.listed(now_, {{tunnel("y", "3")}, "10", ""});
  EXPECT_EQ(updates(), " =[ a/x a/y ]");
  EXPECT_FALSE(machine_.failure());
}

TEST_F(WatchMachineTest, ARefusedPageBeginsTheListAnew) {
  for (const int code : {410, 400, 500}) {
    ASSERT_EQ(next(), "list");
    machine_.listed(now_, {{tunnel("x", "3")}, "10", "p2"});
    ASSERT_EQ(next(), "list p2");
    machine_.list_failed(now_, refusal(code));
    EXPECT_EQ(updates(), "");
  }
  ASSERT_EQ(next(), "list");
  machine_.listed(now_, {{tunnel("z", "3")}, "20", ""});
  EXPECT_EQ(updates(), " =[ a/z ]");
  EXPECT_EQ(next(), "watch 20");
}

TEST_F(WatchMachineTest, AListThatCannotBeUsedIsAFailure) {
  const Page pages[] = {{{}, "", ""}, {{Json()}, "1", ""}, {{tunnel("x", "1"), Json::object()}, "1", ""}};
  for (const auto& page : pages) {
    ASSERT_EQ(next(), "list");
    machine_.listed(now_, page);
    EXPECT_EQ(machine_.failure()->failure, ApiFailure::malformed);
    EXPECT_EQ(updates(), "");
  }
  EXPECT_EQ(machine_.failures(), 3U);
}

TEST_F(WatchMachineTest, SilenceCountsFromTheTimeAskedForOrTheLastByte) {
  follow();
  now_ += seconds(54);
  EXPECT_TRUE(machine_.idle(now_));
  EXPECT_TRUE(receive(bookmark("11")));
  now_ += seconds(9);
  EXPECT_TRUE(machine_.idle(now_));
  now_ += seconds(1);
  EXPECT_FALSE(machine_.idle(now_));
  EXPECT_FALSE(receive(bookmark("12")));
}

TEST_F(WatchMachineTest, AFailureOfAListEndsWithAList) {
  ASSERT_EQ(next(), "list");
  machine_.list_failed(now_, refusal(403));
  EXPECT_TRUE(machine_.failure()->forbidden());
  follow();
  EXPECT_FALSE(machine_.failure());
}

TEST_F(WatchMachineTest, AFailureOfAWatchEndsWhenOneStands) {
  follow();
  const auto fail = [&] {
    machine_.watch_ended(now_, broken());
    EXPECT_EQ(next().substr(0, 5), "watch");
    EXPECT_TRUE(machine_.failure());
  };
  fail();
  EXPECT_TRUE(receive(line("ADDED", "x", "11")));
  EXPECT_FALSE(machine_.failure());

  fail();
  now_ += seconds(5);
  EXPECT_TRUE(machine_.idle(now_));
  EXPECT_TRUE(machine_.failure()) << "nothing says that the server has accepted it";
  EXPECT_TRUE(receive(""));
  EXPECT_TRUE(machine_.failure()) << "it may be about to send an error";
  now_ += seconds(1);
  EXPECT_TRUE(machine_.idle(now_));
  EXPECT_FALSE(machine_.failure());
}

TEST_F(WatchMachineTest, AListDoesNotHideThatWatchesFail) {
  follow();
  for (int i = 0; i < 3; ++i) {
    machine_.watch_ended(now_, refusal(403));
    if (i < 2) next();
  }
  follow("20");
  EXPECT_TRUE(machine_.failure()->forbidden());
}

TEST_F(WatchMachineTest, ObjectsAreKeptWithoutManagedFields) {
  auto object = tunnel("x", "11");
  object["metadata"]["managedFields"] = Json::array({{{"manager", "m"}}});
  ASSERT_EQ(next(), "list");
  machine_.listed(now_, {{object}, "10", ""});
  next();
  EXPECT_TRUE(receive(Json{{"type", "ADDED"}, {"object", object}}.dump() + "\n"));
  const auto updates = machine_.take_updates();
  EXPECT_FALSE(std::get<AllReplaced>(updates[0]).objects[0]->at("metadata").contains("managedFields"));
  EXPECT_FALSE(std::get<ObjectSet>(updates[1]).object->at("metadata").contains("managedFields"));
}

}  // namespace
}  // namespace adit::kube
