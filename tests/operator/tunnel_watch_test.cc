#include "operator/tunnel_watch.h"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "operator/tunnel_controller.h"
#include "tests/kube/simulated_api.h"
#include "tests/operator/objects.h"
#include "tests/operator/wait_until.h"

namespace adit::controller {
namespace {

kube::Json tunnel_of(const std::string& space) {
  auto object = tunnel_object();
  object["metadata"]["namespace"] = space;
  return object;
}

TEST(TunnelWatch, IsListedOnceEveryNamespaceHasBeenToldOf) {
  kube::SimulatedApi api;
  for (const char* space : {"a", "b", "c"}) api.put(tunnels(), tunnel_of(space));
  // What "a" has is in its store already, and has not been told yet, when "b" is through.
  std::mutex gate;
  std::unique_lock closed(gate);
  std::mutex mutex;
  std::set<std::string> told;
  std::size_t told_when_listed = 0;
  TunnelWatch watch(
      api, {"a", "b"},
      [&](const std::vector<kube::Change>& changes) {
        if (!changes.empty() && changes[0].key == "a/shop") const std::lock_guard wait(gate);
        const std::lock_guard lock(mutex);
        for (const auto& change : changes) told.insert(change.key);
      },
      [&] {
        const std::lock_guard lock(mutex);
        told_when_listed = told.size();
      });
  const auto has = [&](const std::string& key) {
    const std::lock_guard lock(mutex);
    return told.contains(key);
  };
  watch.start();
  ASSERT_TRUE(wait_until([&] { return has("b/shop") && watch.find("a/shop") != nullptr; }));
  EXPECT_FALSE(watch.is_listed());
  closed.unlock();
  ASSERT_TRUE(wait_until([&] { return watch.is_listed(); }));
  ASSERT_TRUE(wait_until([&] {
    const std::lock_guard lock(mutex);
    return told_when_listed == 2;
  }));
  EXPECT_EQ(watch.all().size(), 2U);
  EXPECT_EQ(watch.find("c/shop"), nullptr);
  api.erase(tunnels(), {"a", "shop"});
  EXPECT_TRUE(wait_until([&] { return watch.find("a/shop") == nullptr; }));
  watch.stop();
}

TEST(TunnelWatch, AnEmptyNamespaceCountsAsListed) {
  kube::SimulatedApi api;
  std::atomic<int> listed = 0;
  TunnelWatch watch(
      api, {"a", "b"}, [](const std::vector<kube::Change>&) {}, [&] { ++listed; });
  watch.start();
  ASSERT_TRUE(wait_until([&] { return listed == 1; }));
  api.put(tunnels(), tunnel_of("b"));
  ASSERT_TRUE(wait_until([&] { return watch.find("b/shop") != nullptr; }));
  watch.stop();
  EXPECT_EQ(listed, 1);
}

TEST(TunnelWatch, OneNamespaceThatMayNotBeReadIsToldAndTheOthersGoOn) {
  kube::SimulatedApi api;
  api.put(tunnels(), tunnel_of("b"));
  std::atomic<bool> first = true;
  api.before_calls([&](const std::string& call) -> std::optional<kube::ApiError> {
    if (call != "list tunnels.adit.dev" || !first.exchange(false)) return std::nullopt;
    kube::ApiError error;
    error.code = 403;
    error.call = call;
    return error;
  });
  TunnelWatch watch(
      api, {"b"}, [](const std::vector<kube::Change>&) {}, [] {});
  watch.start();
  ASSERT_TRUE(wait_until([&] { return !first; }));
  ASSERT_TRUE(wait_until([&] { return watch.find("b/shop") != nullptr && !watch.failure(); }));
  watch.stop();
}

}  // namespace
}  // namespace adit::controller
