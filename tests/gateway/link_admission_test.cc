// Who may open a link.

#include "gateway/link_admission.h"

#include <gtest/gtest.h>

#include "tests/gateway/connector_end.h"
#include "tests/routing/objects.h"

namespace adit::gateway::test {
namespace {

constexpr const char* kShop = "4d21094e-b74c-4916-86c1-d9fa36ea677b";
constexpr const char* kOther = "77777777-2222-4333-8444-555555555555";

class LinkAdmissionTest : public testing::Test {
 protected:
  LinkAdmissionTest() {
    add("team/shop", kShop, {"old", "new"});
    add("team/other", kOther, {"shared"});
    add("team/third", "00000000-2222-4333-8444-555555555555", {"shared"});
    table_ = routing::compile_table(objects_, {}).table;
  }
  void add(const std::string& name, const std::string& id, const std::vector<std::string>& tokens) {
    auto tunnel = routing::tunnel(name, {});
    tunnel.id = id;
    for (const auto& token : tokens) {
      tunnel.token_secrets.push_back(token);
      objects_.secrets.push_back(
          routing::secret("team/" + token, "adit.dev/connector-token", {{"token", token_of(token)}}));
    }
    objects_.tunnels.push_back(tunnel);
  }
  static std::string token_of(const std::string& name) { return name + "-0123456789-0123456789-0123456789"; }

  LinkVerdict admit(const std::string& tunnel, const std::string& token, const char* from = "192.0.2.1") {
    const link::Hello hello{token_of(token), tunnel, "name", "instance", "0.1.0", 0};
    return admission_.admit(hello, *base::IpAddress::parse(from), *table_, directory_, now_);
  }
  static int status(const LinkVerdict& verdict) { return verdict.refusal ? verdict.refusal->status : 101; }
  void add_links(std::size_t count, const std::string& instance) {
    for (std::size_t i = 0; i < count; ++i) {
      auto info = link_info(directory_.next_id());
      info->tunnel_id = kShop;
      info->instance = instance;
      directory_.add(info);
    }
  }

  routing::Objects objects_;
  std::shared_ptr<const routing::Table> table_;
  LinkDirectory directory_;
  LinkAdmission admission_;
  base::TimePoint now_{std::chrono::hours(1)};
};

TEST_F(LinkAdmissionTest, EitherTokenOfATunnelOpensIt) {
  for (const char* token : {"old", "new"}) {
    const auto verdict = admit(kShop, token);
    ASSERT_EQ(status(verdict), 101) << token;
    EXPECT_EQ(verdict.tunnel->id, kShop);
    EXPECT_EQ(admit("", token).tunnel->id, kShop) << "a token alone tells the tunnel";
  }
}

TEST_F(LinkAdmissionTest, WhoIsNotKnownIsNotTold) {
  const auto wrong = admit(kShop, "wrong");
  EXPECT_EQ(status(wrong), 401);
  EXPECT_EQ(admit("12345678-2222-4333-8444-555555555555", "new").refusal->reason, wrong.refusal->reason);
  EXPECT_EQ(admit(kOther, "new").refusal->reason, wrong.refusal->reason) << "another tunnel's token";
  EXPECT_EQ(status(admit("", "wrong")), 401);
  EXPECT_EQ(status(admit("", "shared")), 409);
  EXPECT_EQ(admit(kOther, "shared").tunnel->id, kOther);
}

TEST_F(LinkAdmissionTest, FailuresCountByAddress) {
  for (int i = 0; i < 30; ++i) EXPECT_EQ(status(admit(kShop, "wrong")), 401) << i;
  const auto limited = admit(kShop, "new");
  EXPECT_EQ(status(limited), 429);
  EXPECT_GT(limited.refusal->retry_after.count(), 0);
  EXPECT_EQ(status(admit(kShop, "new", "::ffff:192.0.2.1")), 429) << "the same address";
  EXPECT_EQ(status(admit(kShop, "new", "192.0.2.2")), 101);
  for (int i = 0; i < 30; ++i) admit(kShop, "wrong", ("2001:db8::" + std::to_string(i)).c_str());
  EXPECT_EQ(status(admit(kShop, "new", "2001:db8::ffff:1:2:3")), 429) << "the same /64";
  EXPECT_EQ(status(admit(kShop, "new", "2001:db8:0:1::")), 101);
  now_ += std::chrono::seconds(2);
  EXPECT_EQ(status(admit(kShop, "new")), 101);
}

TEST_F(LinkAdmissionTest, LinksAreBoundedByInstance) {
  add_links(LinkAdmission::kMostOfInstance - 1, "instance");
  EXPECT_EQ(status(admit(kShop, "new")), 101);
  add_links(1, "instance");
  const auto refused = admit(kShop, "new");
  EXPECT_EQ(status(refused), 409);
  EXPECT_NE(refused.refusal->reason.find("lower --links"), std::string::npos) << refused.refusal->reason;
  EXPECT_EQ(status(admit(kOther, "shared")), 101) << "the same instance of another tunnel";
}

TEST_F(LinkAdmissionTest, LinksAreBoundedByTunnel) {
  add_links(LinkAdmission::kMostOfTunnel, "another");
  const auto refused = admit(kShop, "new");
  EXPECT_EQ(status(refused), 409);
  EXPECT_NE(refused.refusal->reason.find("of this tunnel"), std::string::npos) << refused.refusal->reason;
  EXPECT_EQ(status(admit(kOther, "shared")), 101);
}

}  // namespace
}  // namespace adit::gateway::test
