#pragma once
// Why a gateway can't be reached: every cause that the connector tells apart, with what it means and what to do.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace adit::connector {

/// In the order of the steps of a dial. The names are labels of metrics and fields of /status: they stay as they are.
enum class Cause : std::uint8_t {
  token_file,
  ca_file,
  proxy_credentials_file,
  name_not_found,
  resolver_failed,
  resolve_timeout,
  connection_refused,
  unreachable,
  connect_timeout,
  proxy_unreachable,
  proxy_timeout,
  proxy_authentication,
  proxy_refused,
  proxy_failed,
  not_a_proxy,
  tls_timeout,
  tls_closed,
  not_tls,
  tls_version,
  name_not_served,
  tls_alert,
  tls_broken,
  certificate_unknown_authority,
  certificate_self_signed,
  certificate_expired,
  certificate_not_yet_valid,
  certificate_wrong_name,
  certificate_invalid,
  clock_skew,
  handshake_timeout,
  handshake_closed,
  not_a_gateway,
  token_refused,
  forbidden,
  conflict,
  version_refused,
  too_many_attempts,
  not_ready,
  gateway_refused,
  front_refused,
  front_failed,
};
inline constexpr std::size_t kCauseCount = static_cast<std::size_t>(Cause::front_failed) + 1;

struct CauseInfo {
  Cause cause;
  std::string_view name;  ///< "name_not_found"
  std::string_view text;  ///< what it means, one clause without final stop
  std::string_view fix;   ///< what to do, one sentence
};

const CauseInfo& info_of(Cause cause);

}  // namespace adit::connector
