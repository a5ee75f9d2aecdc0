#include "operator/tunnel_controller.h"

#include <atomic>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kube/conditions.h"
#include "operator/guarded_api.h"
#include "operator/tunnel_watch.h"
#include "routing/digest.h"
#include "tests/kube/simulated_api.h"
#include "tests/operator/objects.h"
#include "tests/operator/wait_until.h"

namespace adit::controller {
namespace {

using namespace std::chrono_literals;
using kube::ApiError;
using kube::Json;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

const kube::Resource kEvents{"", "v1", "events", "Event"};
const kube::Name kShop{"team-a", "shop"};
const kube::Name kShopSecret{"team-a", "shop-connector"};

ApiError refused(const std::string& call, int code) {
  ApiError error;
  error.code = code;
  error.call = call;
  return error;
}

/// All of the operator that stands between the API server and the gateways' sessions.
class TunnelControllerTest : public testing::Test {
 protected:
  ~TunnelControllerTest() override { stop(); }

  /// A term; gateways have been waited for.
  void start() {
    controller_.start();
    compiler_.start();
    secrets_.start();
    watch_.start();
    leads_ = true;
    compiler_.lead();
    views_.set_settled(true);
  }
  void stop() {
    watch_.stop();
    secrets_.stop();
    compiler_.stop();
    controller_.stop();
  }

  Json shop() const { return api_.peek(tunnels(), kShop).value_or(Json()); }
  Json shop_secret() const { return api_.peek(secrets(), kShopSecret).value_or(Json()); }
  std::string token() const { return kube::text_at(shop_secret(), {"data", "token"}); }
  /// The reason of a condition of the stored object.
  std::string reason(const std::string& type, const kube::Name& name = kShop) const {
    const auto object = api_.peek(tunnels(), name).value_or(Json());
    const auto* conditions = kube::find(object, {"status", "conditions"});
    const auto* found = conditions == nullptr ? nullptr : kube::find_condition(*conditions, type);
    return found == nullptr ? "" : kube::text_at(*found, {"reason"});
  }
  bool has_reason(const std::string& type, const std::string& wanted) {
    return wait_until([&] { return reason(type) == wanted; });
  }
  void annotate(const std::string& name, const std::string& value) {
    auto object = shop();
    object["metadata"]["annotations"][name] = value;
    api_.put(tunnels(), object);
  }
  /// Brings the Tunnel to the workers this often; what was asked for before is through then.
  bool reconciled(int times = 5) {
    for (int i = 0; i < times; ++i) {
      const auto before = controller_.counts();
      controller_.enqueue(kShop.key());
      if (!wait_until([&] {
            const auto now = controller_.counts();
            return now.done + now.retries > before.done + before.retries;
          })) {
        return false;
      }
    }
    return true;
  }
  std::vector<std::string> event_reasons() const {
    std::vector<std::string> reasons;
    for (const auto& event : api_.all(kEvents)) reasons.push_back(kube::text_at(event, {"reason"}));
    return reasons;
  }
  std::size_t writes() const {
    std::size_t count = 0;
    for (const auto& call : api_.calls()) {
      const bool reads = call.starts_with("get ") || call.starts_with("list ") || call.starts_with("watch ");
      count += reads || call.ends_with(" events") ? 0 : 1;
    }
    return count;
  }
  void view(std::vector<LiveConnector> connectors, std::size_t gateways = 1) {
    EdgeView edge;
    edge.gateways = edge.current = gateways;
    edge.connectors = std::move(connectors);
    views_.set(kube::uid_of(shop()), edge);
    controller_.enqueue(kShop.key());
  }
  void on_secret(const std::string& key, const SecretState& state) {
    compiler_.secret_changed(key, state);
    controller_.enqueue(key.substr(0, key.size() - std::string_view("-connector").size()));
  }

  kube::SimulatedApi api_;
  std::atomic<bool> leads_ = false;
  std::mutex mutex_;
  kube::ObjectPtr frozen_;  ///< what the watch has told of every Tunnel, as far as the controller knows
  std::string trusted_ = "PEM";
  GuardedApi guarded_{api_, [this] { return leads_.load(); }};
  EdgeViews views_;
  kube::EventRecorder events_{guarded_, "adit-operator", [this] { return leads_.load(); }};
  TunnelWatch watch_{api_,
                     {""},
                     [this](const std::vector<kube::Change>& changes) {
                       compiler_.tunnels_changed(changes);
                       for (const auto& change : changes) controller_.enqueue(change.key);
                     },
                     [this] { compiler_.tunnels_listed(); }};
  SecretCache secrets_{api_, {""}, [this](const auto& key, const auto& state) { on_secret(key, state); }};
  Compiler compiler_{
      {[this] { return watch_.all(); }, [this](std::set<std::string> keys) { secrets_.set_named(std::move(keys)); },
       [this](const CompilationPtr& compilation) {
         for (const auto& key : compilation->changed) controller_.enqueue(key);
       }},
      routing::HostPolicy{}};
  TunnelController controller_{{guarded_,
                                [this](const std::string& key) {
                                  const std::lock_guard lock(mutex_);
                                  return frozen_ ? frozen_ : watch_.find(key);
                                },
                                compiler_, views_, secrets_, events_,
                                [this] {
                                  const std::lock_guard lock(mutex_);
                                  return trusted_;
                                }},
                               {"edge.example.com:7443", {"edge.example.com"}, {600s}, 1'000}};
};

TEST_F(TunnelControllerTest, MakesTheSecretAndTellsTheTruthOnce) {
  start();
  api_.put(tunnels(), tunnel_object());
  ASSERT_TRUE(has_reason("Ready", "NoGateway"));
  EXPECT_EQ(routing::decode_base64(token())->size(), 43U);
  EXPECT_EQ(kube::uid_of(shop_secret()["metadata"]["ownerReferences"].is_array() ? shop() : Json()),
            kube::text_at(shop_secret()["metadata"]["ownerReferences"][0], {"uid"}));
  EXPECT_EQ(kube::text_at(shop(), {"status", "id"}), kube::uid_of(shop()));
  view({{"i1", {"default"}}});
  ASSERT_TRUE(has_reason("Ready", "Ready"));
  EXPECT_EQ(shop()["status"]["connectors"], 1);
  ASSERT_TRUE(reconciled());
  EXPECT_EQ(api_.count("create secrets"), 1U);
  EXPECT_EQ(api_.count("apply_status tunnels.adit.dev"), 2U);  // never "SecretNotFound"
  EXPECT_EQ(writes(), 3U);
  EXPECT_TRUE(wait_until([&] { return event_reasons().size() == 2; }));
  EXPECT_THAT(event_reasons(), testing::UnorderedElementsAre("NoGateway", "Ready"));
}

TEST_F(TunnelControllerTest, WritesOnceAlsoWhenTheWatchIsBehind) {
  start();
  api_.put(tunnels(), tunnel_object());
  ASSERT_TRUE(has_reason("Ready", "NoGateway"));
  ASSERT_TRUE(wait_until([&] { return kube::find(*watch_.find(kShop.key()), {"status"}) != nullptr; }));
  {
    const std::lock_guard lock(mutex_);
    frozen_ = watch_.find(kShop.key());
  }
  const auto before = writes();
  view({{"i1", {"default"}}});
  ASSERT_TRUE(has_reason("Ready", "Ready"));
  ASSERT_TRUE(reconciled());
  EXPECT_EQ(writes(), before + 1);
  view({});
  ASSERT_TRUE(has_reason("Ready", "NoConnector"));
  ASSERT_TRUE(reconciled());
  EXPECT_EQ(writes(), before + 2);
  // What others write is seen as soon as the watch tells of it.
  auto object = shop();
  object.erase("status");
  api_.put(tunnels(), object);
  ASSERT_TRUE(wait_until([&] { return kube::find(*watch_.find(kShop.key()), {"status"}) == nullptr; }));
  {
    const std::lock_guard lock(mutex_);
    frozen_ = nullptr;
  }
  controller_.enqueue(kShop.key());
  EXPECT_TRUE(has_reason("Ready", "NoConnector"));
}

TEST_F(TunnelControllerTest, RotatesOnceForEachValueOfTheAnnotation) {
  start();
  api_.put(tunnels(), tunnel_object());
  ASSERT_TRUE(has_reason("Ready", "NoGateway"));
  const auto first = token();
  annotate("adit.dev/rotate-token", "1");
  ASSERT_TRUE(wait_until([&] { return token() != first; }));
  const auto second = token();
  EXPECT_EQ(kube::text_at(shop_secret(), {"data", "previous-token"}), first);
  ASSERT_TRUE(reconciled());
  EXPECT_EQ(token(), second);
  EXPECT_EQ(api_.count("apply secrets"), 1U);
  EXPECT_TRUE(wait_until([&] { return !compiler_.facts(kShop.key())->waiting; }));
  ASSERT_TRUE(wait_until([&] { return event_reasons().size() == 2; }));
  EXPECT_THAT(event_reasons(), Contains("TokenRotated"));
}

TEST_F(TunnelControllerTest, ASecretThatChangedSinceItWasReadIsReadAgain) {
  start();
  api_.put(tunnels(), tunnel_object());
  ASSERT_TRUE(has_reason("Ready", "NoGateway"));
  const auto first = token();
  std::atomic<bool> is_first = true;
  api_.before_calls([&](const std::string& call) {
    if (call == "apply secrets" && is_first.exchange(false)) {
      auto secret = shop_secret();
      secret["data"]["token"] = routing::encode_base64("written-by-the-former-leader");
      api_.put(secrets(), secret);
    }
    return std::optional<ApiError>();
  });
  annotate("adit.dev/rotate-token", "1");
  ASSERT_TRUE(wait_until([&] { return api_.count("apply secrets") == 2; }));
  ASSERT_TRUE(wait_until([&] { return !kube::text_at(shop_secret(), {"data", "previous-token"}).empty(); }));
  EXPECT_EQ(kube::text_at(shop_secret(), {"data", "previous-token"}),
            routing::encode_base64("written-by-the-former-leader"));
  stop();
  EXPECT_THAT(event_reasons(), Not(Contains("ConnectorSecretFailed")));
}

TEST_F(TunnelControllerTest, ASecretOfSomebodyElseIsNeverWritten) {
  start();
  // It comes just before the operator would make its own.
  std::atomic<bool> is_first = true;
  api_.before_calls([&](const std::string& call) {
    if (call == "create secrets" && is_first.exchange(false)) {
      api_.put(secrets(), secret_object("shop-connector", "adit.dev/connector-token",
                                        {{"token", routing::encode_base64("0123456789abcdef")}}));
    }
    return std::optional<ApiError>();
  });
  api_.put(tunnels(), tunnel_object());
  ASSERT_TRUE(has_reason("Ready", "NoGateway"));
  ASSERT_TRUE(reconciled());
  stop();
  EXPECT_EQ(token(), routing::encode_base64("0123456789abcdef"));
  EXPECT_GE(api_.count("create secrets"), 1U) << "more than once if it is tried again before the cache knows";
  EXPECT_EQ(api_.count("apply secrets"), 0U);
  EXPECT_THAT(event_reasons(), Not(Contains("ConnectorSecretFailed")));
}

TEST_F(TunnelControllerTest, WithoutRightsForSecretsItSaysSoAndTriesAgain) {
  api_.before_calls([](const std::string& call) {
    return call == "create secrets" ? std::optional(refused(call, 403)) : std::nullopt;
  });
  start();
  api_.put(tunnels(), tunnel_object());
  ASSERT_TRUE(has_reason("ResolvedRefs", "SecretNotFound"));  // the rest goes on
  ASSERT_TRUE(wait_until([&] { return api_.count("create secrets") >= 3; }));
  EXPECT_TRUE(wait_until([&] {
    const auto reasons = event_reasons();
    return std::find(reasons.begin(), reasons.end(), "ConnectorSecretFailed") != reasons.end();
  }));
  api_.before_calls({});
  EXPECT_TRUE(has_reason("ResolvedRefs", "ResolvedRefs"));
}

TEST_F(TunnelControllerTest, WithoutRightsForStatusItSaysSoAndTriesAgain) {
  const std::string call = "apply_status tunnels.adit.dev";
  api_.before_calls(
      [call](const std::string& made) { return made == call ? std::optional(refused(made, 403)) : std::nullopt; });
  start();
  api_.put(tunnels(), tunnel_object());
  ASSERT_TRUE(wait_until([&] { return api_.count(call) >= 3; }));
  EXPECT_TRUE(wait_until([&] { return !event_reasons().empty(); }));
  EXPECT_THAT(event_reasons(), ElementsAre("StatusFailed"));
  api_.before_calls({});
  EXPECT_TRUE(has_reason("Ready", "NoGateway"));
}

TEST_F(TunnelControllerTest, AStatusForWhatIsGoneIsNotTriedAgain) {
  std::atomic<bool> is_first = true;
  api_.before_calls([&](const std::string& call) {
    if (call == "apply_status tunnels.adit.dev" && is_first.exchange(false)) api_.erase(tunnels(), kShop);
    return std::optional<ApiError>();
  });
  start();
  api_.put(tunnels(), tunnel_object());
  ASSERT_TRUE(wait_until([&] { return !is_first; }));
  ASSERT_TRUE(wait_until([&] { return watch_.find(kShop.key()) == nullptr; }));
  ASSERT_TRUE(reconciled());
  stop();
  EXPECT_EQ(api_.count("apply_status tunnels.adit.dev"), 1U);
  EXPECT_EQ(controller_.counts().retries, 0U);
  EXPECT_TRUE(api_.all(tunnels()).empty());
}

TEST_F(TunnelControllerTest, WhoDoesNotLeadWritesNothing) {
  start();
  leads_ = false;  // the Lease is lost; nobody has been told yet
  api_.put(tunnels(), tunnel_object());
  ASSERT_TRUE(wait_until([&] { return controller_.counts().retries > 0; }));
  compiler_.resign();
  ASSERT_TRUE(reconciled());
  EXPECT_EQ(writes(), 0U);
  EXPECT_TRUE(api_.all(kEvents).empty());
  leads_ = true;
  compiler_.lead();
  EXPECT_TRUE(has_reason("Ready", "NoGateway"));
}

TEST_F(TunnelControllerTest, SaysNothingBeforeGatewaysHaveBeenWaitedFor) {
  start();
  views_.set_settled(false);
  api_.put(tunnels(), tunnel_object());
  ASSERT_TRUE(wait_until([&] { return api_.count("create secrets") == 1; }));
  ASSERT_TRUE(reconciled());
  EXPECT_EQ(api_.count("apply_status tunnels.adit.dev"), 0U);
  views_.set_settled(true);
  controller_.enqueue(kShop.key());
  EXPECT_TRUE(has_reason("Ready", "NoGateway"));
}

TEST_F(TunnelControllerTest, MakesNoSecretBeforeItKnowsWhatIsToBeTrusted) {
  trusted_ = "";
  start();
  api_.put(tunnels(), tunnel_object());
  ASSERT_TRUE(has_reason("ResolvedRefs", "SecretNotFound"));
  EXPECT_EQ(api_.count("create secrets"), 0U);
  {
    const std::lock_guard lock(mutex_);
    trusted_ = "PEM";
  }
  controller_.enqueue(kShop.key());
  ASSERT_TRUE(has_reason("ResolvedRefs", "ResolvedRefs"));
  EXPECT_EQ(kube::text_at(shop_secret(), {"data", "ca.crt"}), routing::encode_base64("PEM"));
}

TEST_F(TunnelControllerTest, WhatGatewaysSayOfAnIdIsOnlyItsOwnersAffair) {
  start();
  const std::string id = "4d21094e-b74c-4916-86c1-d9fa36ea677b";
  auto object = tunnel_object();
  object["spec"]["id"] = id;
  api_.put(tunnels(), object);
  ASSERT_TRUE(has_reason("Ready", "NoGateway"));
  EdgeView edge;
  edge.gateways = edge.current = 1;
  edge.connectors = {{"i1", {"default"}}};
  views_.set(id, edge);
  auto thief = tunnel_object("other.example.com");
  thief["spec"]["id"] = id;
  thief["metadata"]["name"] = "thief";
  api_.put(tunnels(), thief);
  const kube::Name name{"team-a", "thief"};
  ASSERT_TRUE(wait_until([&] { return reason("Accepted", name) == "DuplicateId"; }));
  EXPECT_EQ(api_.peek(tunnels(), name)->at("status").at("connectors"), 0);
}

TEST_F(TunnelControllerTest, HostileMetadataIsNoObstacle) {
  start();
  auto object = tunnel_object();
  object["metadata"]["annotations"] = {{"adit.dev/rotate-token", 5}};
  object["metadata"]["labels"] = "none";
  object["status"] = {{"conditions", {{"type", "Ready"}}}, {"hosts", 7}, {"id", Json::array()}};
  object["spec"]["connectorTokens"] = Json::object();
  api_.put(tunnels(), object);
  EXPECT_TRUE(wait_until([&] { return !reason("Accepted").empty(); }));
  object["status"] = "none";
  object["metadata"]["name"] = "second";
  api_.put(tunnels(), object);
  EXPECT_TRUE(wait_until([&] { return !reason("Accepted", {"team-a", "second"}).empty(); }));
}

}  // namespace
}  // namespace adit::controller
