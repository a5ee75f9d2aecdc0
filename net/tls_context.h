#pragma once
// TLS settings made once and used by many connections (RFC 8446, RFC 9325).

#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "base/result.h"
#include "net/tls_engine.h"

namespace adit::net {

/// Immutable once made; safe to use from all threads.
using TlsContext = std::shared_ptr<SSL_CTX>;

/// The first reason in OpenSSL's error queue of this thread, as "WHAT: reason"; empties the queue.
std::string openssl_error(std::string_view what);

enum class TlsUse {
  public_edge,  ///< TLS 1.2 and 1.3 for visitors
  link,         ///< TLS 1.3 only
};

/// Serves one certificate. `chain_pem` begins with the leaf.
base::Result<TlsContext> make_server_context(TlsUse use, std::string_view chain_pem, std::string_view key_pem);

/// Chooses the certificate for a handshake by its server name. Called on the connection's thread.
class CertificateChooser {
 public:
  /// The context to go on with; nullptr refuses the handshake with unrecognized_name. `name` is empty without SNI.
  virtual SSL_CTX* choose(std::string_view name) = 0;

 protected:
  ~CertificateChooser() = default;
};

/// Has no certificate of its own: each handshake asks `chooser`, which must outlive the context.
base::Result<TlsContext> make_choosing_context(TlsUse use, CertificateChooser& chooser);

/// Whom a client trusts.
struct Trust {
  std::string ca_pem;  ///< trusted instead of the system's roots when not empty
  bool verify = true;  ///< false: any certificate (insecureSkipVerify)
  bool link = false;   ///< TLS 1.3 only, ALPN http/1.1
};
base::Result<TlsContext> make_client_context(const Trust& trust);

/// A connection that accepts.
SslPtr new_server(const TlsContext& context);
/// Makes a connection ask for `host` and verify that the certificate is for it (a DNS name or an IP literal).
void expect_name(SSL* ssl, const std::string& host);
/// A connection that dials and verifies that the certificate is for `host` (a DNS name or an IP literal).
SslPtr new_client(const TlsContext& context, const std::string& host);

}  // namespace adit::net
