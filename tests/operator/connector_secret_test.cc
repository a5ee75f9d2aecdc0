#include "operator/connector_secret.h"

#include <gtest/gtest.h>

#include "routing/digest.h"
#include "tests/operator/objects.h"

namespace adit::controller {
namespace {

using namespace std::chrono_literals;
using kube::Json;
using Write = ConnectorSecretPlan::Write;

class ConnectorSecretTest : public testing::Test {
 protected:
  ConnectorSecretPlan plan(const std::string& token = "new-token") {
    const Json* stored = secret_.is_null() ? nullptr : &secret_;
    return plan_connector_secret(tunnel_, "the-id", stored, access_, {600s}, token, now_);
  }
  /// Writes what is planned, as the controller does; apply removes what it does not name.
  ConnectorSecretPlan write(const std::string& token = "new-token") {
    auto planned = plan(token);
    if (planned.write != Write::none) secret_ = planned.object;
    return planned;
  }
  std::string data(const char* key) {
    if (kube::find(secret_, {"data", key}) == nullptr) return "absent";
    return routing::decode_base64(kube::text_at(secret_, {"data", key})).value_or("bad base64");
  }
  void ask_for_rotation(const std::string& value) { tunnel_["metadata"]["annotations"][kRotateToken] = value; }

  Json tunnel_ = tunnel_object();
  Json secret_;
  ConnectorAccess access_{"edge.example.com:7443", "PEM"};
  WallTime now_ = std::chrono::system_clock::from_time_t(1'800'000'000);
};

TEST_F(ConnectorSecretTest, IsCreatedOnce) {
  EXPECT_EQ(write("first").write, Write::create);
  EXPECT_EQ(data("token"), "first");
  EXPECT_EQ(data("tunnel"), "the-id");
  EXPECT_EQ(data("gateway"), "edge.example.com:7443");
  EXPECT_EQ(data("ca.crt"), "PEM");
  EXPECT_EQ(kube::text_at(secret_, {"type"}), "adit.dev/connector-token");
  const Json& owner = secret_["metadata"]["ownerReferences"][0];
  EXPECT_EQ(owner["uid"], kube::uid_of(tunnel_));
  EXPECT_EQ(owner["blockOwnerDeletion"], false);
  EXPECT_EQ(plan("second").write, Write::none);
  secret_["metadata"].erase("annotations");  // empty: the API server leaves it out
  EXPECT_EQ(plan("second").write, Write::none);
}

TEST_F(ConnectorSecretTest, KeepsTheTokenWhenTheRestChanges) {
  write("first");
  access_.ca = "another PEM";
  const auto planned = write("second");
  EXPECT_EQ(planned.write, Write::apply);
  EXPECT_FALSE(planned.rotated);
  EXPECT_EQ(data("token"), "first");
  EXPECT_EQ(data("ca.crt"), "another PEM");
}

TEST_F(ConnectorSecretTest, RotatesOnceForEachValueOfTheAnnotation) {
  write("first");
  ask_for_rotation("1");
  const auto planned = write("second");
  EXPECT_TRUE(planned.rotated);
  EXPECT_EQ(planned.again, 600s);
  EXPECT_EQ(data("token"), "second");
  EXPECT_EQ(data("previous-token"), "first");
  EXPECT_EQ(plan("third").write, Write::none);
  now_ += 599s;
  EXPECT_EQ(plan("third").again, 1s);
  now_ += 1s;
  const auto over = write("third");
  EXPECT_EQ(over.write, Write::apply);
  EXPECT_FALSE(over.rotated || over.again);
  EXPECT_EQ(data("token"), "second");
  EXPECT_EQ(data("previous-token"), "absent");
  EXPECT_EQ(plan("third").write, Write::none);
}

TEST_F(ConnectorSecretTest, ASecondRotationEndsTheOldestToken) {
  write("first");
  ask_for_rotation("1");
  write("second");
  ask_for_rotation("2");
  write("third");
  EXPECT_EQ(data("token"), "third");
  EXPECT_EQ(data("previous-token"), "second");
}

TEST_F(ConnectorSecretTest, TakingTheAnnotationAwayRotatesNothing) {
  ask_for_rotation("1");
  write("first");
  tunnel_["metadata"].erase("annotations");
  EXPECT_EQ(plan("second").write, Write::none);
}

TEST_F(ConnectorSecretTest, WhatBelongsToOthersIsNeverWritten) {
  write("first");
  for (const Json& owners : {Json(), Json::array(), Json("x"), Json::array({{{"uid", "another"}}})}) {
    secret_["metadata"]["ownerReferences"] = owners;
    ask_for_rotation(owners.dump());
    EXPECT_EQ(plan("second").write, Write::none) << owners;
  }
}

TEST_F(ConnectorSecretTest, NoneForATunnelWithTokensOfItsOwn) {
  tunnel_["spec"]["connectorTokens"] = Json::array({{{"secretName", "mine"}}});
  EXPECT_EQ(plan().write, Write::none);
}

TEST_F(ConnectorSecretTest, ATokenThatSomebodyTookAwayComesBackNew) {
  write("first");
  secret_["data"].erase("token");
  const auto planned = write("second");
  EXPECT_TRUE(planned.rotated);
  EXPECT_EQ(data("token"), "second");
  EXPECT_EQ(data("previous-token"), "absent");
}

}  // namespace
}  // namespace adit::controller
