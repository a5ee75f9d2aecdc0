#pragma once
// What went wrong with a dial, from what each step of it reports. Pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connector/cause.h"
#include "link/handshake.h"
#include "link/proxy_tunnel.h"
#include "net/dialer.h"
#include "net/tls_failure.h"

namespace adit::connector {

using WallTime = std::chrono::system_clock::time_point;

/// The steps of a dial, in their order.
enum class DialStep : std::uint8_t { credentials, resolve, connect, proxy, tls, handshake };
std::string_view name_of(DialStep step);

/// Why a dial failed, for log, metrics and the status page. Holds no secret.
struct DialProblem {
  Cause cause = Cause::not_a_gateway;
  DialStep step = DialStep::handshake;
  std::string detail;  ///< what the cause does not say: addresses, the gateway's reason, names of a certificate
  std::chrono::seconds retry_after{0};
  bool other_transport = false;  ///< another transport may get through where this one did not
  std::string clocks = {};       ///< what the clocks say, where that matters
  std::string whole = {};        ///< of several attempts: what each of them met; stable_text() then

  /// "the certificate is for another name than the one dialled: hostname mismatch; …".
  std::string text() const;
  /// The same without the clocks: equal for equal problems, whenever they happen.
  std::string stable_text() const;
};

/// Both clocks, when they differ by more than five minutes: "the clock here says …, that of the proxy …"; else empty.
std::string clock_difference(WallTime here, std::optional<WallTime> there, std::string_view whose);

/// A connection that was not made, to the gateway itself or to the proxy at `proxy`.
DialProblem problem_of(const net::DialFailure& failure, std::string_view proxy);
/// An answer of the proxy that is no tunnel to `gateway`.
DialProblem problem_of(const link::ProxyAnswerReader::Outcome& answer, std::string_view gateway, WallTime here);
/// A TLS connection to `host` that broke. `failure` is nullptr when it was just closed; `why` says how; `proxy_time` is
/// the Date of a proxy's answer before it.
DialProblem tls_problem(const net::TlsFailure* failure, std::string_view why, std::string_view host, WallTime here,
                        std::optional<WallTime> proxy_time);
/// An HTTP answer instead of a link.
DialProblem problem_of(const link::Refusal& refusal, WallTime here);
/// An answer that no gateway gives; `why` is the reader's.
DialProblem not_a_gateway(std::string why);

/// The second attempt of a dial failed as the first did.
DialProblem both_failed(link::Transport first_transport, const DialProblem& first, link::Transport second_transport,
                        DialProblem second);

}  // namespace adit::connector
