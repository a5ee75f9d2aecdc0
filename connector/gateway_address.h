#pragma once
// Where a gateway is dialled, as the user writes it.

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/address.h"

namespace adit::connector {

/// One gateway address: the link port itself, or a URL of the public port or of an HTTP proxy in front of the gateway.
struct GatewayAddress {
  static constexpr std::uint16_t kLinkPort = 7443;

  net::Target target;     ///< its host is also the name for SNI and the certificate
  std::string prefix;     ///< of a URL: "/edge", goes before the link's path; empty for none
  bool url = false;       ///< written as a URL
  bool encrypted = true;  ///< false: "http://", or any HOST:PORT of a program that runs with --insecure

  /// As the user would write it: "edge.example.com:7443", "https://edge.example.com/prefix".
  std::string text() const;
  /// The Host field: without the port of its scheme (RFC 9110 §7.2).
  std::string host_field() const;
};

/// Reads "HOST[:PORT]" (port 7443), "https://HOST[:PORT][/PREFIX]" (443), "http://HOST[:PORT][/PREFIX]" (80).
base::Result<GatewayAddress> parse_gateway_address(std::string_view text);

}  // namespace adit::connector
