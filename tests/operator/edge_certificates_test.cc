#include "operator/edge_certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::controller {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto kDay = 24h;
const EdgeNames kNames{{"operator.adit.svc", "127.0.0.1", "::1"}, {"edge.example.com"}};

class EdgeCertificatesTest : public testing::Test {
 protected:
  /// Plans at `now_` and stores what changed, as the keeper does.
  EdgeCertificates plan(const EdgeNames& names = kNames) {
    auto planned = plan_certificates(stored_, names, now_);
    EXPECT_TRUE(planned) << planned.error();
    stored_.authority = planned->authority;
    stored_.serving = planned->serving;
    stored_.link = planned->link;
    stored_.peer = planned->peer;
    return *planned;
  }

  StoredCertificates stored_;
  WallTime now_ = std::chrono::system_clock::from_time_t(1'800'000'000);
};

TEST_F(EdgeCertificatesTest, MakesAllAtFirstAndNothingAfterwards) {
  const auto first = plan();
  EXPECT_TRUE(first.authority_changed && first.serving_changed && first.link_changed && first.peer_changed);
  EXPECT_EQ(first.authority.trusted, first.authority.signer.certificate);
  EXPECT_TRUE(is_issued_by(first.serving, first.authority.signer.certificate));
  EXPECT_TRUE(is_issued_by(*first.link, first.authority.signer.certificate));
  EXPECT_TRUE(is_for(first.serving.certificate, {"::1", "127.0.0.1", "operator.adit.svc"}));
  EXPECT_FALSE(is_for(first.serving.certificate, {"operator.adit.svc"}));
  const auto second = plan();
  EXPECT_FALSE(second.authority_changed || second.serving_changed || second.link_changed || second.peer_changed);
  EXPECT_TRUE(second.reasons.empty());
}

TEST_F(EdgeCertificatesTest, RenewsServerCertificatesInTheirLastThird) {
  const auto first = plan();
  now_ += 59 * kDay;
  EXPECT_FALSE(plan().serving_changed);
  now_ += 2 * kDay;
  const auto renewed = plan();
  EXPECT_TRUE(renewed.serving_changed && renewed.link_changed);
  EXPECT_FALSE(renewed.authority_changed);
  EXPECT_NE(renewed.serving.certificate, first.serving.certificate);
}

TEST_F(EdgeCertificatesTest, AnAuthorityIsTrustedAWeekBeforeItSigns) {
  const auto first = plan();
  now_ += 2434 * kDay;  // a third of ten years is left
  const auto announced = plan();
  ASSERT_TRUE(announced.authority.next);
  EXPECT_EQ(announced.authority.signer.certificate, first.authority.signer.certificate);
  EXPECT_THAT(announced.authority.trusted, HasSubstr(announced.authority.next->certificate));
  EXPECT_TRUE(is_issued_by(announced.serving, first.authority.signer.certificate));

  now_ += 6 * kDay;
  EXPECT_FALSE(plan().authority_changed);
  now_ += 2 * kDay;
  const auto signing = plan();
  EXPECT_FALSE(signing.authority.next);
  EXPECT_EQ(signing.authority.signer.certificate, announced.authority.next->certificate);
  EXPECT_TRUE(signing.serving_changed && signing.link_changed);
  EXPECT_THAT(signing.authority.trusted, HasSubstr(first.authority.signer.certificate));  // links still show it

  now_ += 1300 * kDay;  // the first one has ended
  EXPECT_THAT(plan().authority.trusted, Not(HasSubstr(first.authority.signer.certificate)));
}

TEST_F(EdgeCertificatesTest, WhatCannotBeUsedIsMadeAnew) {
  plan();
  stored_.serving->key = stored_.link->key;
  const auto mended = plan();
  EXPECT_TRUE(mended.serving_changed);
  EXPECT_FALSE(mended.authority_changed || mended.link_changed);
  stored_.authority->signer.key = "no key";
  const auto anew = plan();
  EXPECT_TRUE(anew.authority_changed && anew.serving_changed && anew.link_changed);
}

TEST_F(EdgeCertificatesTest, OtherNamesCallForAnotherCertificate) {
  plan();
  const auto moved = plan({kNames.serving, {"gateway.example.org"}});
  EXPECT_TRUE(moved.link_changed);
  EXPECT_FALSE(moved.serving_changed);
  EXPECT_FALSE(plan({kNames.serving, {}}).link);
}

}  // namespace
}  // namespace adit::controller
