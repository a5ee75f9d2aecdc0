#pragma once
// How the public listeners treat visitors; the same for all workers, and as it was at the start.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ip_network.h"
#include "http/parser.h"
#include "routing/table.h"

namespace adit::gateway {

/// Docs: docs/configuration.md, "Visitors".
struct EdgeSettings {
  http::HeadLimits head;
  std::chrono::milliseconds header_timeout{10'000};      ///< from a head's first byte to its last; TLS handshakes too
  std::chrono::milliseconds idle_timeout{75'000};        ///< between requests
  std::chrono::milliseconds body_timeout{60'000};        ///< without a byte of a body, from or to the visitor
  std::uint64_t min_body_rate = 240;                     ///< bytes a second on average, from and to the visitor; 0: any
  std::chrono::milliseconds min_body_rate_grace{5'000};  ///< before the rate counts
  std::uint32_t connections = 0;                         ///< of visitors, in all; 0: any number
  std::uint32_t connections_per_address = 0;             ///< IPv6: per /64
  routing::TunnelLimits tunnel_limits;                   ///< of tunnels that say nothing
  std::vector<base::IpNetwork> trusted_proxies;          ///< whose X-Forwarded-* and PROXY headers are believed
  bool http_proxy_protocol = false;
  bool https_proxy_protocol = false;
  std::uint16_t https_redirect_port = 0;  ///< of the redirect to HTTPS; 0: 443 or the listener's
  std::string tls_min_version = "1.2";
  std::string tls_ciphers;        ///< OpenSSL's cipher list for TLS 1.2; empty: docs/security.md
  std::string tls_cipher_suites;  ///< of TLS 1.3
};

}  // namespace adit::gateway
