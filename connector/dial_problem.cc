#include "connector/dial_problem.h"

#include <array>
#include <utility>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "base/utc.h"

namespace adit::connector {
namespace {

constexpr auto kSkew = std::chrono::minutes(5);

Cause cause_of(const net::DialFailure& failure) {
  if (failure.phase == net::DialPhase::resolve) {
    if (failure.timed_out) return Cause::resolve_timeout;
    const bool no_such_name =
        failure.error == net::asio::error::host_not_found || failure.error == net::asio::error::no_data;
    return no_such_name ? Cause::name_not_found : Cause::resolver_failed;
  }
  if (failure.timed_out || failure.error == net::asio::error::timed_out) return Cause::connect_timeout;
  return failure.error == net::asio::error::connection_refused ? Cause::connection_refused : Cause::unreachable;
}

Cause cause_of_check(int error) {
  switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return Cause::certificate_self_signed;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:  // another CA of the same name
    case X509_V_ERR_CERT_UNTRUSTED:
      return Cause::certificate_unknown_authority;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Cause::certificate_expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Cause::certificate_not_yet_valid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return Cause::certificate_wrong_name;
    default:
      return Cause::certificate_invalid;
  }
}

DialProblem certificate_problem(const net::TlsFailure& failure, std::string_view why, std::string_view host,
                                WallTime here, std::optional<WallTime> proxy_time) {
  // The cause says that already.
  constexpr std::string_view kRefused = "certificate refused: ";
  if (why.starts_with(kRefused)) why.remove_prefix(kRefused.size());
  DialProblem problem{cause_of_check(failure.code), DialStep::tls, std::string(why)};
  if (problem.cause == Cause::certificate_wrong_name) problem.detail += "; dialled was " + std::string(host);
  const bool of_time = problem.cause == Cause::certificate_expired || problem.cause == Cause::certificate_not_yet_valid;
  if (!of_time) return problem;
  const auto difference = clock_difference(here, proxy_time, "the proxy");
  const auto& facts = failure.certificate;
  problem.clocks = difference;
  if (difference.empty()) {
    problem.clocks = "the clock here says " + base::utc_text(here);
    return problem;
  }
  if (facts && facts->not_before <= *proxy_time && *proxy_time <= facts->not_after) problem.cause = Cause::clock_skew;
  return problem;
}

Cause cause_of_alert(int alert) {
  return alert == SSL_AD_UNRECOGNIZED_NAME ? Cause::name_not_served : Cause::tls_alert;
}

Cause cause_of(const link::Refusal& refusal) {
  switch (refusal.status) {
    case 401:
      return refusal.by_gateway ? Cause::token_refused : Cause::front_refused;
    case 403:
      return refusal.by_gateway ? Cause::forbidden : Cause::front_refused;
    case 404:
      return refusal.by_gateway ? Cause::gateway_refused : Cause::not_a_gateway;
    case 409:
      return Cause::conflict;
    case 426:
      return Cause::version_refused;
    case 429:
      return Cause::too_many_attempts;
    default:
      break;
  }
  if (refusal.by_gateway) return refusal.status == 503 ? Cause::not_ready : Cause::gateway_refused;
  return refusal.status >= 500 ? Cause::front_failed : Cause::front_refused;
}

/// What may have been refused for the form of the request alone.
bool may_be_of_transport(const link::Refusal& refusal) {
  switch (refusal.status) {
    case 401:
    case 403:
    case 409:
    case 429:
      return false;
    case 400:
    case 404:
    case 426:
      return true;
    default:
      return !refusal.by_gateway;
  }
}

}  // namespace

std::string_view name_of(DialStep step) {
  static constexpr std::array<std::string_view, 6> kNames = {"credentials", "resolve", "connect",
                                                             "proxy",       "tls",     "handshake"};
  return kNames[static_cast<std::size_t>(step)];
}

std::string DialProblem::text() const { return clocks.empty() ? stable_text() : stable_text() + "; " + clocks; }

std::string DialProblem::stable_text() const {
  if (!whole.empty()) return whole;
  std::string text(info_of(cause).text);
  if (!detail.empty()) text.append(": ").append(detail);
  return text;
}

std::string clock_difference(WallTime here, std::optional<WallTime> there, std::string_view whose) {
  if (!there || (here - *there < kSkew && *there - here < kSkew)) return {};
  return "the clock here says " + base::utc_text(here) + ", that of " + std::string(whose) + " " +
         base::utc_text(*there);
}

DialProblem problem_of(const net::DialFailure& failure, std::string_view proxy) {
  const auto step = failure.phase == net::DialPhase::resolve ? DialStep::resolve : DialStep::connect;
  const auto cause = cause_of(failure);
  // The cause says that already.
  constexpr std::string_view kNotFound = "name not found: ";
  const auto reason = failure.reason.substr(failure.reason.starts_with(kNotFound) ? kNotFound.size() : 0);
  if (proxy.empty()) return {cause, step, reason};
  return {Cause::proxy_unreachable, step,
          std::string(info_of(cause).text) + ": " + reason + ", proxy " + std::string(proxy)};
}

DialProblem problem_of(const link::ProxyAnswerReader::Outcome& answer, std::string_view gateway, WallTime here) {
  if (!answer.broken.empty()) return {Cause::not_a_proxy, DialStep::proxy, answer.broken};
  DialProblem problem{Cause::proxy_refused, DialStep::proxy,
                      "status " + std::to_string(answer.status) + " to CONNECT " + std::string(gateway)};
  if (answer.status == 407 || answer.status == 401) {  // tinyproxy says 401 to wrong credentials
    problem.cause = Cause::proxy_authentication;
    if (!answer.authenticate.empty()) problem.detail += "; it offers " + answer.authenticate;
  } else if (answer.status >= 500) {
    problem.cause = Cause::proxy_failed;
  }
  problem.clocks = clock_difference(here, answer.date, "the proxy");
  return problem;
}

DialProblem tls_problem(const net::TlsFailure* failure, std::string_view why, std::string_view host, WallTime here,
                        std::optional<WallTime> proxy_time) {
  if (failure == nullptr) return {Cause::tls_closed, DialStep::tls, std::string(why)};
  switch (failure->kind) {
    case net::TlsFailure::Kind::certificate:
      return certificate_problem(*failure, why, host, here, proxy_time);
    case net::TlsFailure::Kind::alert:
      return {cause_of_alert(failure->code), DialStep::tls, std::string(why)};
    case net::TlsFailure::Kind::version:
      return {Cause::tls_version, DialStep::tls, std::string(why)};
    case net::TlsFailure::Kind::not_tls:
      return {Cause::not_tls, DialStep::tls, std::string(why)};
    case net::TlsFailure::Kind::other:
      break;
  }
  return {Cause::tls_broken, DialStep::tls, std::string(why)};
}

DialProblem problem_of(const link::Refusal& refusal, WallTime here) {
  DialProblem problem{cause_of(refusal), DialStep::handshake,
                      "status " + std::to_string(refusal.status) + ", " + refusal.reason};
  problem.retry_after = refusal.retry_after;
  problem.other_transport = may_be_of_transport(refusal);
  problem.clocks = clock_difference(here, refusal.date, refusal.by_gateway ? "the gateway" : "what answers");
  return problem;
}

DialProblem not_a_gateway(std::string why) {
  DialProblem problem{Cause::not_a_gateway, DialStep::handshake, std::move(why)};
  problem.other_transport = true;
  return problem;
}

DialProblem both_failed(link::Transport first_transport, const DialProblem& first, link::Transport second_transport,
                        DialProblem second) {
  second.whole = "by " + std::string(link::name_of(first_transport)) + ": " + first.stable_text() + "; by " +
                 std::string(link::name_of(second_transport)) + ": " + second.stable_text();
  if (second.clocks.empty()) second.clocks = first.clocks;
  return second;
}

}  // namespace adit::connector
