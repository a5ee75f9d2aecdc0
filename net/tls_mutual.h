#pragma once
// TLS between equals: both ends show a certificate, and both check the other's (RFC 8446 §4.4.2).

#include <string>
#include <string_view>

#include "net/tls_context.h"

namespace adit::net {

/// What one of them has, as PEM; views of the caller's.
struct MutualKeys {
  std::string_view chain_pem;  ///< begins with the leaf
  std::string_view key_pem;
  std::string_view ca_pem;  ///< who signs the others' certificates
};

/// TLS 1.3 only, ALPN http/1.1, no session is resumed. Immutable; safe to use from all threads.
struct MutualTls {
  TlsContext server;
  TlsContext client;
};

base::Result<MutualTls> make_mutual_tls(const MutualKeys& keys);

/// Connections that succeed only with a certificate which the CA has signed for the DNS name `name`, whatever the
/// address. One without that name among its subjectAltNames is refused, whatever its subject says (RFC 9525 §6.3).
SslPtr new_mutual_server(const MutualTls& tls, const std::string& name);
SslPtr new_mutual_client(const MutualTls& tls, const std::string& name);

}  // namespace adit::net
