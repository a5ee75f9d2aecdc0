#include "operator/certificate_keeper.h"

#include <atomic>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/guarded_api.h"
#include "operator/secret_cache.h"
#include "routing/digest.h"
#include "tests/kube/simulated_api.h"
#include "tests/operator/wait_until.h"

namespace adit::controller {
namespace {

using namespace std::chrono_literals;
using kube::ApiError;
using kube::Json;
using kube::SimulatedApi;
using testing::SizeIs;

const kube::Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
const EdgeNames kNames{{"operator.adit.svc"}, {"edge.example.com"}};

std::string stored(const SimulatedApi& api, const std::string& name, std::string_view key) {
  const auto secret = api.peek(secrets(), {"adit", name});
  return secret ? routing::decode_base64(kube::text_at(*secret, {"data", key})).value_or("?") : "";
}

std::string published(const SimulatedApi& api) {
  const auto map = api.peek(kConfigMaps, {"adit", "adit-ca"});
  return map ? kube::text_at(*map, {"data", "ca.crt"}) : "";
}

std::size_t writes(const SimulatedApi& api) {
  std::size_t count = 0;
  for (const char* call : {"create secrets", "apply secrets", "create configmaps", "apply configmaps"}) {
    count += api.count(call);
  }
  return count;
}

ApiError forbidden(const std::string& call) {
  ApiError error;
  error.code = 403;
  error.call = call;
  return error;
}

/// One operator's keeper, and what it tells.
class Keeping {
 public:
  Keeping(SimulatedApi& api, bool leads, EdgeNames names = kNames, CertificateKeeperSettings settings = {10ms, 10ms})
      : leads(leads),
        api_(api),
        guarded_(api, [this] { return this->leads.load(); }),
        keeper_(
            guarded_, "adit", std::move(names), [this] { return may_write(); },
            [this](const EdgeCertificates& certificates) { return told(certificates); }, settings) {}
  void start() { keeper_.start(); }
  void stop() { keeper_.stop(); }
  void look() { keeper_.look(); }
  std::string trusted() const { return keeper_.trusted(); }

  std::size_t times() {
    const std::lock_guard lock(mutex_);
    return sets_.size();
  }
  bool is_told(std::size_t times = 1) {
    return wait_until([&] { return this->times() >= times; });
  }
  EdgeCertificates last() {
    const std::lock_guard lock(mutex_);
    return sets_.back();
  }

  std::atomic<bool> leads;
  std::function<bool()> may_write_;  ///< instead of `leads`
  std::size_t useless_ = 0;          ///< so many times the set cannot be put to use

 private:
  bool may_write() const { return may_write_ ? may_write_() : leads.load(); }
  bool told(const EdgeCertificates& certificates) {
    // Never anything that another process would not find, too.
    EXPECT_EQ(certificates.serving.certificate, stored(api_, "adit-operator-tls", "tls.crt"));
    EXPECT_EQ(certificates.serving.key, stored(api_, "adit-operator-tls", "tls.key"));
    EXPECT_EQ(certificates.authority.trusted, stored(api_, "adit-authority", "ca.crt"));
    const std::lock_guard lock(mutex_);
    sets_.push_back(certificates);
    return sets_.size() > useless_;
  }

  SimulatedApi& api_;
  GuardedApi guarded_;
  std::mutex mutex_;
  std::vector<EdgeCertificates> sets_;
  CertificateKeeper keeper_;
};

TEST(CertificateKeeper, MakesTheFirstSet) {
  SimulatedApi api;
  Keeping leader(api, true);
  EXPECT_EQ(leader.trusted(), "");
  leader.start();
  ASSERT_TRUE(leader.is_told());
  ASSERT_TRUE(wait_until([&] { return !published(api).empty(); }));
  const auto set = leader.last();
  EXPECT_EQ(published(api), set.authority.trusted);
  EXPECT_EQ(leader.trusted(), set.authority.trusted);
  EXPECT_EQ(stored(api, "adit-authority", "tls.key"), set.authority.signer.key);
  EXPECT_TRUE(is_issued_by(set.serving, set.authority.signer.certificate));
  EXPECT_TRUE(is_for(set.serving.certificate, kNames.serving));
  ASSERT_TRUE(set.link);
  EXPECT_TRUE(is_for(set.link->certificate, kNames.link));
  EXPECT_EQ(stored(api, "adit-gateway-link-tls", "tls.crt"), set.link->certificate);
  EXPECT_TRUE(is_issued_by(set.peer, set.authority.signer.certificate));
  EXPECT_TRUE(is_for(set.peer.certificate, {std::string(kPeerName)}));
  EXPECT_EQ(stored(api, "adit-gateway-peer-tls", "tls.key"), set.peer.key);
  // In the ConfigMap nothing is secret.
  EXPECT_THAT(api.peek(kConfigMaps, {"adit", "adit-ca"})->at("data"), SizeIs(1));
  EXPECT_EQ(published(api).find("PRIVATE"), std::string::npos);
}

/// As a chart does, so that its uninstallation takes them away again.
TEST(CertificateKeeper, FillsWhatIsThereWithoutContent) {
  SimulatedApi api;
  for (const char* name : {"adit-authority", "adit-operator-tls", "adit-gateway-link-tls", "adit-gateway-peer-tls"}) {
    api.put(secrets(),
            Json{{"metadata",
                  {{"namespace", "adit"}, {"name", name}, {"labels", {{"app.kubernetes.io/managed-by", "Helm"}}}}},
                 {"type", "Opaque"}});
  }
  api.put(kConfigMaps, Json{{"metadata", {{"namespace", "adit"}, {"name", "adit-ca"}}}});
  Keeping leader(api, true);
  leader.start();
  ASSERT_TRUE(leader.is_told());
  ASSERT_TRUE(wait_until([&] { return !published(api).empty(); }));
  const auto set = leader.last();
  EXPECT_EQ(stored(api, "adit-authority", "tls.key"), set.authority.signer.key);
  EXPECT_EQ(stored(api, "adit-gateway-peer-tls", "tls.key"), set.peer.key);
  const auto secret = *api.peek(secrets(), {"adit", "adit-operator-tls"});
  EXPECT_EQ(secret["type"], "Opaque");
  EXPECT_EQ(secret["metadata"]["labels"]["app.kubernetes.io/managed-by"], "Helm");
}

TEST(CertificateKeeper, WritesNothingWhenNothingChanged) {
  SimulatedApi api;
  Keeping leader(api, true);
  leader.start();
  ASSERT_TRUE(wait_until([&] { return !published(api).empty(); }));
  const auto before = writes(api);
  const auto gets = api.count("get secrets");
  ASSERT_TRUE(wait_until([&] { return api.count("get secrets") >= gets + 30; }));
  leader.stop();
  EXPECT_EQ(writes(api), before);
  EXPECT_EQ(before, 5U);
  EXPECT_EQ(leader.times(), 1U);
}

TEST(CertificateKeeper, WhoOnlyFollowsReadsWhatTheLeaderWrote) {
  SimulatedApi api;
  Keeping follower(api, false);
  follower.start();
  ASSERT_TRUE(wait_until([&] { return api.count("get secrets") >= 6; }));
  EXPECT_EQ(writes(api), 0U);
  EXPECT_EQ(follower.times(), 0U);
  EXPECT_EQ(follower.trusted(), "");
  Keeping leader(api, true);
  leader.start();
  ASSERT_TRUE(follower.is_told());
  ASSERT_TRUE(leader.is_told());
  EXPECT_EQ(follower.last().serving.key, leader.last().serving.key);
  EXPECT_EQ(follower.trusted(), leader.trusted());
}

TEST(CertificateKeeper, WhatCouldNotBePutToUseIsToldAgain) {
  SimulatedApi api;
  Keeping leader(api, true, kNames, {1h, 10ms});
  leader.useless_ = 2;
  leader.start();
  ASSERT_TRUE(leader.is_told(3));
  leader.stop();
  EXPECT_EQ(leader.times(), 3U);
  EXPECT_EQ(writes(api), 5U);
}

TEST(CertificateKeeper, LooksAtOnceWhenItIsTold) {
  SimulatedApi api;
  Keeping keeping(api, false, kNames, {1h, 1h});
  keeping.start();
  ASSERT_TRUE(wait_until([&] { return api.count("get secrets") == 4; }));
  keeping.leads = true;
  keeping.look();
  EXPECT_TRUE(keeping.is_told());
}

TEST(CertificateKeeper, UsesNothingThatItDidNotStore) {
  SimulatedApi api;
  Keeping keeping(api, true);
  std::atomic<int> asked = 0;
  keeping.may_write_ = [&] { return ++asked > 1; };  // leads only just after it was asked
  keeping.start();
  ASSERT_TRUE(keeping.is_told());  // and looks into the Secrets then
  keeping.stop();
  EXPECT_GE(asked, 2);
}

TEST(CertificateKeeper, OfTwoThatMakeTheFirstSetOneReadsAgain) {
  SimulatedApi others;
  Keeping other(others, true);
  other.start();
  ASSERT_TRUE(wait_until([&] { return !published(others).empty(); }));
  other.stop();
  SimulatedApi api;
  std::atomic<bool> first = true;
  api.before_calls([&](const std::string& call) {
    if (call == "create secrets" && first.exchange(false)) {
      for (const auto& secret : others.all(secrets())) api.put(secrets(), secret);
    }
    return std::optional<ApiError>();
  });
  Keeping late(api, true);
  late.start();
  ASSERT_TRUE(late.is_told());
  late.stop();
  EXPECT_EQ(late.last().authority.signer.key, other.last().authority.signer.key);
  EXPECT_EQ(late.times(), 1U);
  EXPECT_EQ(api.count("create secrets"), 1U);
}

TEST(CertificateKeeper, WhatChangedSinceItWasReadIsReadAgain) {
  SimulatedApi api;
  Keeping former(api, true, {{"former.adit.svc"}, {}});
  former.start();
  ASSERT_TRUE(wait_until([&] { return !published(api).empty(); }));
  former.stop();
  std::atomic<bool> first = true;
  api.before_calls([&](const std::string& call) {
    if (call == "apply secrets" && first.exchange(false)) {
      auto secret = *api.peek(secrets(), {"adit", "adit-operator-tls"});
      secret["metadata"]["annotations"]["touched"] = "by somebody";
      api.put(secrets(), secret);
    }
    return std::optional<ApiError>();
  });
  Keeping keeping(api, true);
  keeping.start();
  ASSERT_TRUE(keeping.is_told());
  keeping.stop();
  EXPECT_EQ(api.count("apply secrets"), 2U);
  EXPECT_EQ(keeping.trusted(), former.trusted());
  EXPECT_TRUE(is_for(keeping.last().serving.certificate, kNames.serving));
  EXPECT_EQ(kube::annotation_of(*api.peek(secrets(), {"adit", "adit-operator-tls"}), "touched"), "by somebody");
}

TEST(CertificateKeeper, RepairsTheConfigMap) {
  SimulatedApi api;
  Keeping leader(api, true);
  leader.start();
  ASSERT_TRUE(wait_until([&] { return !published(api).empty(); }));
  const auto good = published(api);
  auto map = *api.peek(kConfigMaps, {"adit", "adit-ca"});
  for (const Json& data : {Json{{"ca.crt", "edited"}}, Json::object(), Json("no map"), Json{{"ca.crt", 5}}}) {
    map["data"] = data;
    api.put(kConfigMaps, map);
    EXPECT_TRUE(wait_until([&] { return published(api) == good; })) << data;
  }
  api.erase(kConfigMaps, {"adit", "adit-ca"});
  EXPECT_TRUE(wait_until([&] { return published(api) == good; }));
  leader.stop();
  EXPECT_EQ(leader.times(), 1U);
}

TEST(CertificateKeeper, MakesASecretThatIsLostOrSpoiledAnew) {
  SimulatedApi api;
  Keeping leader(api, true);
  leader.start();
  ASSERT_TRUE(leader.is_told());
  api.erase(secrets(), {"adit", "adit-operator-tls"});
  ASSERT_TRUE(leader.is_told(2));
  auto secret = *api.peek(secrets(), {"adit", "adit-gateway-link-tls"});
  secret["data"] = Json::array({1, 2});
  api.put(secrets(), secret);
  ASSERT_TRUE(leader.is_told(3));
  leader.stop();
  EXPECT_EQ(leader.last().authority.signer.key, stored(api, "adit-authority", "tls.key"));
}

TEST(CertificateKeeper, PutsTheAuthorityBackThatIsInForce) {
  SimulatedApi api;
  Keeping leader(api, true);
  leader.start();
  ASSERT_TRUE(leader.is_told());
  const auto key = stored(api, "adit-authority", "tls.key");
  api.erase(secrets(), {"adit", "adit-authority"});
  EXPECT_TRUE(wait_until([&] { return stored(api, "adit-authority", "tls.key") == key; }));
  leader.stop();
  EXPECT_EQ(leader.times(), 1U);
}

TEST(CertificateKeeper, WithoutRightsForConfigMapsTheRestGoesOn) {
  SimulatedApi api;
  api.before_calls([](const std::string& call) {
    return call == "create configmaps" ? std::optional(forbidden(call)) : std::nullopt;
  });
  Keeping leader(api, true);
  leader.start();
  ASSERT_TRUE(leader.is_told());
  ASSERT_TRUE(wait_until([&] { return api.count("create configmaps") >= 3; }));
  EXPECT_EQ(published(api), "");
  api.before_calls({});
  EXPECT_TRUE(wait_until([&] { return published(api) == leader.trusted(); }));
  EXPECT_EQ(leader.times(), 1U);
}

TEST(CertificateKeeper, WithoutRightsForSecretsNothingIsUsed) {
  SimulatedApi api;
  for (const std::string refused : {"create secrets", "get secrets"}) {
    api.before_calls(
        [refused](const std::string& call) { return call == refused ? std::optional(forbidden(call)) : std::nullopt; });
    Keeping leader(api, true);
    leader.start();
    const auto before = api.count(refused);
    ASSERT_TRUE(wait_until([&] { return api.count(refused) >= before + 3; }));
    leader.stop();
    EXPECT_EQ(leader.times(), 0U);
    EXPECT_EQ(leader.trusted(), "");
    EXPECT_TRUE(api.all(secrets()).empty());
    EXPECT_TRUE(api.all(kConfigMaps).empty());
  }
}

}  // namespace
}  // namespace adit::controller
