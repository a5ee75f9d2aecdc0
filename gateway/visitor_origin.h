#pragma once
// Who a visitor is, behind the proxies that are trusted.

#include <string>
#include <string_view>
#include <vector>

#include "base/ip_network.h"
#include "http/message.h"

namespace adit::gateway {

/// Of one connection; the texts are in the forms of http::Origin.
struct VisitorEndpoint {
  base::IpAddress address;  ///< of the peer, or what its PROXY header says
  std::string host;         ///< the same as text
  std::string port;         ///< the public port, decimal
  bool tls = false;
  bool trusted = false;  ///< the peer is a trusted proxy: X-Forwarded-* of its requests count
};

/// Of one request. Views into the endpoint or the request's head.
struct RequestOrigin {
  base::IpAddress address;
  std::string_view host;        ///< the address as text
  std::string_view scheme;      ///< "http" or "https"
  std::string_view request_id;  ///< that the trusted proxy has given; empty: none that can be used
};

/// What the head says if the peer is trusted: the address is the last of X-Forwarded-For that is no trusted proxy, the
/// scheme the last of X-Forwarded-Proto; what cannot be read counts as not said.
RequestOrigin origin_of(const VisitorEndpoint& endpoint, const http::RequestHead& head,
                        const std::vector<base::IpNetwork>& trusted);

}  // namespace adit::gateway
