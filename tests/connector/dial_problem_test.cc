#include "connector/dial_problem.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace adit::connector::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const WallTime kNoon = std::chrono::system_clock::from_time_t(1'795'262'400);  // 2026-11-21T12:00:00Z

std::string name_of_cause(const DialProblem& problem) { return std::string(info_of(problem.cause).name); }

TEST(Causes, HaveNamesTextsAndFixesOfTheirOwn) {
  std::set<std::string_view> names;
  std::set<std::string_view> texts;
  for (std::size_t i = 0; i < kCauseCount; ++i) {
    const auto& info = info_of(static_cast<Cause>(i));
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_TRUE(texts.insert(info.text).second) << info.text;
    EXPECT_TRUE(info.fix.ends_with('.')) << info.name;
    EXPECT_FALSE(info.text.ends_with('.')) << info.name;
  }
}

TEST(DialFailures, HaveCauses) {
  const auto resolve = net::DialPhase::resolve;
  const auto connect = net::DialPhase::connect;
  const struct {
    net::DialFailure failure;
    const char* direct;
  } cases[] = {
      {{resolve, false, "r", net::asio::error::host_not_found}, "name_not_found"},
      {{resolve, false, "r", net::asio::error::no_data}, "name_not_found"},
      {{resolve, false, "r", net::asio::error::host_not_found_try_again}, "resolver_failed"},
      {{resolve, true, "r"}, "resolve_timeout"},
      {{connect, false, "r", net::asio::error::connection_refused}, "connection_refused"},
      {{connect, false, "r", net::asio::error::network_unreachable}, "unreachable"},
      {{connect, false, "r", net::asio::error::host_unreachable}, "unreachable"},
      {{connect, false, "r", net::asio::error::timed_out}, "connect_timeout"},
      {{connect, true, "r"}, "connect_timeout"},
  };
  for (const auto& one : cases) {
    const auto direct = problem_of(one.failure, "");
    EXPECT_EQ(name_of_cause(direct), one.direct);
    EXPECT_EQ(direct.detail, "r");
    EXPECT_FALSE(direct.other_transport);
    const auto by_proxy = problem_of(one.failure, "proxy.test:3128");
    EXPECT_EQ(name_of_cause(by_proxy), "proxy_unreachable");
    EXPECT_THAT(by_proxy.text(), HasSubstr("proxy.test:3128"));
  }
}

TEST(ProxyAnswers, HaveCauses) {
  const struct {
    int status;
    const char* authenticate;
    const char* cause;
    const char* text;
  } cases[] = {
      {407, "Negotiate, NTLM", "proxy_authentication",
       "status 407 to CONNECT edge.test:443; it offers Negotiate, NTLM"},
      {407, "", "proxy_authentication", "status 407 to CONNECT edge.test:443"},
      {401, "", "proxy_authentication", "status 401"},
      {403, "", "proxy_refused", "status 403"},
      {405, "", "proxy_refused", "status 405"},
      {502, "", "proxy_failed", "status 502"},
      {503, "", "proxy_failed", "status 503"},
      {504, "", "proxy_failed", "status 504"},
  };
  for (const auto& one : cases) {
    link::ProxyAnswerReader::Outcome answer;
    answer.status = one.status;
    answer.authenticate = one.authenticate;
    const auto problem = problem_of(answer, "edge.test:443", kNoon);
    EXPECT_EQ(name_of_cause(problem), one.cause) << one.status;
    EXPECT_EQ(problem.step, DialStep::proxy);
    EXPECT_THAT(problem.text(), HasSubstr(one.text));
  }
}

net::TlsFailure refused_certificate(int code) {
  net::TlsFailure failure;
  failure.kind = net::TlsFailure::Kind::certificate;
  failure.code = code;
  failure.certificate = net::CertificateFacts{{"elsewhere.test"}, "CN=e", "CN=ca", kNoon - 24h, kNoon + 24h};
  return failure;
}

TEST(TlsFailures, HaveCauses) {
  using Kind = net::TlsFailure::Kind;
  const struct {
    Kind kind;
    int code;
    const char* cause;
  } cases[] = {
      {Kind::certificate, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "certificate_unknown_authority"},
      {Kind::certificate, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "certificate_unknown_authority"},
      {Kind::certificate, X509_V_ERR_CERT_SIGNATURE_FAILURE, "certificate_unknown_authority"},
      {Kind::certificate, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "certificate_self_signed"},
      {Kind::certificate, X509_V_ERR_CERT_HAS_EXPIRED, "certificate_expired"},
      {Kind::certificate, X509_V_ERR_CERT_NOT_YET_VALID, "certificate_not_yet_valid"},
      {Kind::certificate, X509_V_ERR_HOSTNAME_MISMATCH, "certificate_wrong_name"},
      {Kind::certificate, X509_V_ERR_IP_ADDRESS_MISMATCH, "certificate_wrong_name"},
      {Kind::certificate, X509_V_ERR_INVALID_PURPOSE, "certificate_invalid"},
      {Kind::alert, SSL_AD_UNRECOGNIZED_NAME, "name_not_served"},
      {Kind::alert, SSL_AD_HANDSHAKE_FAILURE, "tls_alert"},
      {Kind::version, 0, "tls_version"},
      {Kind::not_tls, 0, "not_tls"},
      {Kind::other, 0, "tls_broken"},
  };
  for (const auto& one : cases) {
    auto failure = refused_certificate(one.code);
    failure.kind = one.kind;
    const auto problem = tls_problem(&failure, "why", "edge.test", kNoon, std::nullopt);
    EXPECT_EQ(name_of_cause(problem), one.cause) << one.code;
    EXPECT_EQ(problem.step, DialStep::tls);
    EXPECT_FALSE(problem.other_transport);
    EXPECT_THAT(problem.text(), HasSubstr("why"));
  }
  EXPECT_EQ(name_of_cause(tls_problem(nullptr, "reset", "edge.test", kNoon, std::nullopt)), "tls_closed");
}

TEST(TlsFailures, OfANameTellTheNameThatWasDialled) {
  const auto failure = refused_certificate(X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_THAT(tls_problem(&failure, net::refusal_text(failure), "edge.test", kNoon, std::nullopt).text(),
              testing::AllOf(HasSubstr("for elsewhere.test, issued by CN=ca, valid from 2026-11-20T12:00:00Z to"),
                             HasSubstr("dialled was edge.test")));
}

TEST(Clocks, AreSuspectedForCertificatesOutOfTheirTime) {
  const auto failure = refused_certificate(X509_V_ERR_CERT_NOT_YET_VALID);
  const auto alone = tls_problem(&failure, "why", "edge.test", kNoon - 48h, std::nullopt);
  EXPECT_EQ(alone.cause, Cause::certificate_not_yet_valid);
  EXPECT_THAT(alone.text(), HasSubstr("the clock here says 2026-11-19T12:00:00Z"));
  EXPECT_THAT(alone.stable_text(), Not(HasSubstr("2026-11-19T12:00:00Z")));
  // The proxy's clock says that the certificate is right.
  const auto sure = tls_problem(&failure, "why", "edge.test", kNoon - 48h, kNoon);
  EXPECT_EQ(sure.cause, Cause::clock_skew);
  EXPECT_THAT(sure.text(),
              HasSubstr("the clock here says 2026-11-19T12:00:00Z, that of the proxy 2026-11-21T12:00:00Z"));
  // It differs, but the certificate is wrong by it, too.
  EXPECT_EQ(tls_problem(&failure, "why", "edge.test", kNoon - 48h, kNoon - 72h).cause,
            Cause::certificate_not_yet_valid);
  // It agrees.
  EXPECT_EQ(tls_problem(&failure, "why", "edge.test", kNoon - 48h, kNoon - 48h).cause,
            Cause::certificate_not_yet_valid);
}

TEST(Clocks, DifferByMoreThanFiveMinutes) {
  EXPECT_EQ(clock_difference(kNoon, std::nullopt, "x"), "");
  EXPECT_EQ(clock_difference(kNoon, kNoon + 299s, "x"), "");
  EXPECT_EQ(clock_difference(kNoon, kNoon - 299s, "x"), "");
  EXPECT_NE(clock_difference(kNoon, kNoon + 301s, "x"), "");
  EXPECT_NE(clock_difference(kNoon, kNoon - 301s, "x"), "");
}

TEST(Refusals, HaveCausesAndMayBeOfTheTransport) {
  const struct {
    int status;
    bool by_gateway;
    const char* cause;
    bool other_transport;
  } cases[] = {
      {400, true, "gateway_refused", true},  {400, false, "front_refused", true},
      {401, true, "token_refused", false},   {401, false, "front_refused", false},
      {403, true, "forbidden", false},       {403, false, "front_refused", false},
      {404, true, "gateway_refused", true},  {404, false, "not_a_gateway", true},
      {405, true, "gateway_refused", false}, {405, false, "front_refused", true},
      {409, true, "conflict", false},        {426, true, "version_refused", true},
      {426, false, "version_refused", true}, {429, true, "too_many_attempts", false},
      {500, false, "front_failed", true},    {502, false, "front_failed", true},
      {503, true, "not_ready", false},       {503, false, "front_failed", true},
      {504, false, "front_failed", true},    {500, true, "gateway_refused", false},
  };
  for (const auto& one : cases) {
    const auto problem = problem_of(link::Refusal{one.status, "the reason", 7s, one.by_gateway}, kNoon);
    const auto label = std::to_string(one.status) + (one.by_gateway ? " by a gateway" : "");
    EXPECT_EQ(name_of_cause(problem), one.cause) << label;
    EXPECT_EQ(problem.other_transport, one.other_transport) << label;
    EXPECT_EQ(problem.retry_after, 7s);
    EXPECT_THAT(problem.text(), HasSubstr("status " + std::to_string(one.status) + ", the reason"));
  }
}

TEST(Refusals, TellClocksThatDiffer) {
  link::Refusal refusal{401, "unknown token"};
  refusal.by_gateway = true;
  refusal.date = kNoon + 1h;
  const auto problem = problem_of(refusal, kNoon);
  EXPECT_EQ(problem.cause, Cause::token_refused);
  EXPECT_THAT(problem.text(),
              HasSubstr("the clock here says 2026-11-21T12:00:00Z, that of the gateway 2026-11-21T13:00:00Z"));
}

TEST(BothTransports, AreNamed) {
  const auto first = problem_of(link::Refusal{400, "a"}, kNoon);
  auto second = problem_of(link::Refusal{502, "b", 3s}, kNoon);
  const auto both = both_failed(link::Transport::upgrade, first, link::Transport::websocket, std::move(second));
  EXPECT_EQ(both.cause, Cause::front_failed);
  EXPECT_EQ(both.retry_after, 3s);
  EXPECT_THAT(both.text(), testing::MatchesRegex("by upgrade: .*status 400, a; by websocket: .*status 502, b"));
}

}  // namespace
}  // namespace adit::connector::test
