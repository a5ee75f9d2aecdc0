#include "operator/compiler.h"

#include <atomic>
#include <condition_variable>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/digest.h"
#include "tests/operator/objects.h"
#include "tests/operator/wait_until.h"

namespace adit::controller {
namespace {

using namespace std::chrono_literals;
using kube::Json;
using kube::ObjectPtr;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The Tunnel "SPACE/shop", which is the older the lower `age` is, with all that its status records.
Json tunnel(const std::string& space, const std::string& host, int age = 1) {
  auto object = tunnel_object(host);
  object["metadata"]["namespace"] = space;
  object["metadata"]["uid"] = routing::hex(routing::sha256({space})).substr(0, 8) + "-0000-4000-8000-000000000000";
  object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:0" + std::to_string(age) + "Z";
  return object;
}

Json holding(Json object, const std::string& host) {
  object["status"]["hosts"] = Json::array({host});
  return object;
}

SecretState token() {
  const auto encoded = routing::encode_base64("0123456789abcdef");
  return {
      SecretState::Kind::present,
      std::make_shared<const Json>(secret_object("shop-connector", "adit.dev/connector-token", {{"token", encoded}})),
      {}};
}

kube::Change change(const Json& object) {
  return {kube::name_of(object).key(), nullptr, std::make_shared<const Json>(object)};
}

/// A compiler, what it tells, and Tunnels as a watch would have them.
class CompilerTest : public testing::Test {
 protected:
  void make(std::chrono::milliseconds secrets_come_within = 1h) {
    compiler_ = std::make_unique<Compiler>(
        Compiler::Callbacks{[this] { return recorded(); },
                            [this](std::set<std::string> keys) {
                              const std::lock_guard lock(mutex_);
                              named_ = std::move(keys);
                            },
                            [this](const CompilationPtr& compilation) { compiled(compilation); }},
        routing::HostPolicy{}, secrets_come_within);
    compiler_->start();
  }
  void TearDown() override { compiler_.reset(); }

  void put(const Json& object) {
    {
      const std::lock_guard lock(mutex_);
      tunnels_[kube::name_of(object).key()] = std::make_shared<const Json>(object);
    }
    compiler_->tunnels_changed({change(object)});
  }
  void give_token(const std::string& space) { compiler_->secret_changed(space + "/shop-connector", token()); }
  /// Waits for as many compilations as this altogether; the last one.
  CompilationPtr compilation(std::size_t number) {
    EXPECT_TRUE(wait_until([&] {
      const std::lock_guard lock(mutex_);
      return compilations_.size() >= number;
    }));
    const std::lock_guard lock(mutex_);
    return compilations_.empty() ? nullptr : compilations_.back();
  }
  /// Waits until the last compilation's configurations are those of these Tunnels.
  testing::AssertionResult comes_to(std::vector<std::string> wanted) {
    const auto names = [this] {
      const std::lock_guard lock(mutex_);
      std::vector<std::string> list;
      if (compilations_.empty()) return list;
      for (const auto& configuration : compilations_.back()->configurations)
        list.push_back(configuration->tunnel->name);
      return list;
    };
    if (wait_until([&] { return names() == wanted; })) return testing::AssertionSuccess();
    return testing::AssertionFailure() << testing::PrintToString(names());
  }
  std::size_t compilations() {
    const std::lock_guard lock(mutex_);
    return compilations_.size();
  }
  std::set<std::string> named() {
    const std::lock_guard lock(mutex_);
    return named_;
  }
  /// The compiler has taken in all that it was given: what it names shows it.
  bool has_taken_in(const std::string& space) {
    return wait_until([&] { return named().contains(space + "/shop-connector"); });
  }

  std::function<void()> on_compiled_;  ///< on the compiler's thread
  std::function<void()> on_recorded_;  ///< likewise
  std::unique_ptr<Compiler> compiler_;

 private:
  std::vector<ObjectPtr> recorded() {
    if (on_recorded_) on_recorded_();
    const std::lock_guard lock(mutex_);
    std::vector<ObjectPtr> list;
    for (const auto& [key, object] : tunnels_) list.push_back(object);
    return list;
  }
  void compiled(const CompilationPtr& compilation) {
    if (on_compiled_) on_compiled_();
    const std::lock_guard lock(mutex_);
    compilations_.push_back(compilation);
  }

  std::mutex mutex_;
  std::set<std::string> named_;
  std::map<std::string, ObjectPtr> tunnels_;
  std::vector<CompilationPtr> compilations_;
};

TEST_F(CompilerTest, WaitsForTheListTheLeadAndTheSecrets) {
  make();
  put(tunnel("a", "a.example.com"));
  ASSERT_TRUE(has_taken_in("a"));
  EXPECT_EQ(compilations(), 0U);
  compiler_->tunnels_listed();
  put(tunnel("b", "b.example.com"));
  ASSERT_TRUE(has_taken_in("b"));
  EXPECT_EQ(compilations(), 0U);
  compiler_->lead();
  give_token("a");
  put(tunnel("c", "c.example.com"));
  ASSERT_TRUE(has_taken_in("c"));
  EXPECT_EQ(compilations(), 0U);  // the token of b is unknown
  EXPECT_EQ(compiler_->facts("a/shop"), nullptr);
  give_token("c");
  give_token("b");
  EXPECT_THAT(compilation(1)->configurations, SizeIs(3));
  EXPECT_EQ(compiler_->compilations(), 1U);
  EXPECT_EQ(compiler_->tunnels(), 3U);
  ASSERT_NE(compiler_->facts("a/shop"), nullptr);
  EXPECT_FALSE(compiler_->facts("a/shop")->waiting);
}

TEST_F(CompilerTest, LeadsBeforeTheListAndStillKnowsWhoHeldWhat) {
  make();
  compiler_->lead();
  put(tunnel("older", "shop.example.com", 1));
  put(holding(tunnel("younger", "shop.example.com", 2), "shop.example.com"));
  give_token("older");
  give_token("younger");
  ASSERT_TRUE(has_taken_in("younger"));
  compiler_->tunnels_listed();
  const auto first = compilation(1);
  ASSERT_TRUE(first);
  EXPECT_THAT(first->facts.at("younger/shop")->outcome.hosts, ElementsAre("shop.example.com"));
  EXPECT_THAT(first->facts.at("older/shop")->outcome.hosts, IsEmpty());
}

TEST_F(CompilerTest, WaitsForSecretsOnlyForAWhile) {
  make(20ms);
  put(tunnel("a", "a.example.com"));
  compiler_->lead();
  compiler_->tunnels_listed();
  const auto first = compilation(1);
  ASSERT_TRUE(first);
  ASSERT_THAT(first->facts, SizeIs(1));
  const auto& facts = *first->facts.at("a/shop");
  EXPECT_TRUE(facts.waiting);
  EXPECT_THAT(first->keep, ElementsAre(facts.id));
  EXPECT_THAT(first->configurations, IsEmpty());
}

TEST_F(CompilerTest, LaterCompilationsWaitForNothing) {
  make();
  compiler_->lead();
  compiler_->tunnels_listed();
  compilation(1);
  put(tunnel("a", "a.example.com"));
  ASSERT_TRUE(wait_until([&] { return compiler_->facts("a/shop") != nullptr; }));
  EXPECT_TRUE(compiler_->facts("a/shop")->waiting);
  give_token("a");
  EXPECT_TRUE(comes_to({"a/shop"}));
}

TEST_F(CompilerTest, ABurstIsOneCompilation) {
  make();
  std::mutex gate;
  compiler_->lead();
  std::unique_lock closed(gate);
  on_compiled_ = [&] { const std::lock_guard wait(gate); };
  compiler_->tunnels_listed();
  ASSERT_TRUE(wait_until([&] { return compiler_->compilations() == 1; }));  // and it is held up there
  for (const char* space : {"a", "b", "c", "d"}) {
    put(tunnel(space, std::string(space) + ".example.com"));
    give_token(space);
  }
  closed.unlock();
  EXPECT_TRUE(comes_to({"a/shop", "b/shop", "c/shop", "d/shop"}));
  EXPECT_EQ(compilations(), 2U);
}

TEST_F(CompilerTest, NothingNewIsNoCompilation) {
  make();
  compiler_->lead();
  compiler_->tunnels_listed();
  put(tunnel("a", "a.example.com"));
  give_token("a");
  ASSERT_TRUE(comes_to({"a/shop"}));
  const auto before = compilations();
  put(holding(tunnel("a", "a.example.com"), "a.example.com"));  // status only
  compiler_->tunnels_changed({{"a/never-seen", nullptr, nullptr}});
  put(tunnel("b", "b.example.com"));
  ASSERT_TRUE(wait_until([&] { return compilations() > before; }));
  EXPECT_THAT(compilation(before + 1)->changed, ElementsAre("b/shop"));
}

TEST_F(CompilerTest, ResignForgets) {
  make();
  compiler_->lead();
  compiler_->tunnels_listed();
  put(tunnel("a", "a.example.com"));
  give_token("a");
  ASSERT_TRUE(comes_to({"a/shop"}));
  compiler_->resign();
  const auto before = compilations();
  EXPECT_EQ(compiler_->facts("a/shop"), nullptr);
  EXPECT_EQ(compiler_->tunnels(), 0U);
  put(tunnel("b", "b.example.com"));
  give_token("b");
  ASSERT_TRUE(has_taken_in("b"));
  EXPECT_EQ(compilations(), before);
  compiler_->lead();  // it knows everything already
  EXPECT_TRUE(comes_to({"a/shop", "b/shop"}));
  EXPECT_THAT(compilation(before + 1)->changed, ElementsAre("a/shop", "b/shop"));
}

TEST_F(CompilerTest, ANewTermTakesWhatIsRecordedNotWhatItRemembers) {
  make();
  compiler_->lead();
  compiler_->tunnels_listed();
  put(tunnel("older", "shop.example.com", 1));
  give_token("older");
  ASSERT_TRUE(comes_to({"older/shop"}));
  compiler_->resign();
  // Meanwhile another leader gave the host away.
  const auto before = compilations();
  put(holding(tunnel("younger", "shop.example.com", 2), "shop.example.com"));
  give_token("younger");
  ASSERT_TRUE(has_taken_in("younger"));
  compiler_->lead();
  const auto first = compilation(before + 1);
  EXPECT_THAT(first->facts.at("younger/shop")->outcome.hosts, ElementsAre("shop.example.com"));
  EXPECT_THAT(first->facts.at("older/shop")->outcome.hosts, IsEmpty());
}

TEST_F(CompilerTest, NothingOfATermComesAfterItsEnd) {
  make();
  std::atomic<bool> leads = true;
  std::atomic<int> late = 0;
  on_compiled_ = [&] { late += leads ? 0 : 1; };
  compiler_->lead();
  compiler_->tunnels_listed();
  for (int i = 0; i < 200; ++i) {
    auto object = tunnel("a", "a" + std::to_string(i) + ".example.com");
    object["metadata"]["generation"] = i + 1;
    put(object);
    give_token("a");
    if (i % 3 == 0) std::this_thread::yield();
    compiler_->resign();
    leads = false;
    std::this_thread::yield();
    leads = true;
    compiler_->lead();
  }
  EXPECT_TRUE(comes_to({"a/shop"}));
  compiler_.reset();
  EXPECT_EQ(late, 0);
}

TEST_F(CompilerTest, ACompilationThatATermOvertookIsNotTold) {
  make();
  compiler_->tunnels_listed();
  put(tunnel("a", "a.example.com"));
  give_token("a");
  ASSERT_TRUE(has_taken_in("a"));
  // The term ends and the next one begins while the compiler is at work for the first.
  std::atomic<int> terms = 0;
  on_recorded_ = [&] {
    if (++terms > 1) return;
    compiler_->resign();
    compiler_->lead();
  };
  compiler_->lead();
  ASSERT_TRUE(comes_to({"a/shop"}));
  compiler_.reset();
  EXPECT_EQ(terms, 2);
  EXPECT_EQ(compilations(), 1U);
}

TEST_F(CompilerTest, NamesSecretsAlsoWhileItOnlyFollows) {
  make();
  put(tunnel("a", "a.example.com"));
  ASSERT_TRUE(wait_until([&] { return named() == std::set<std::string>{"a/shop-connector"}; }));
  compiler_->tunnels_changed({{"a/shop", nullptr, nullptr}});
  EXPECT_TRUE(wait_until([&] { return named().empty(); }));
}

}  // namespace
}  // namespace adit::controller
