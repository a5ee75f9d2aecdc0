#pragma once
// TLS settings made once and used by many connections (RFC 8446, RFC 9325).

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/ssl.h>

#include "base/result.h"
#include "net/ticket_keys.h"
#include "net/tls_engine.h"
#include "net/tls_policy.h"

namespace adit::net {

/// Immutable once made; safe to use from all threads.
using TlsContext = std::shared_ptr<SSL_CTX>;

/// The first reason in OpenSSL's error queue of this thread, as "WHAT: reason"; empties the queue.
std::string openssl_error(std::string_view what);

enum class TlsUse {
  public_edge,  ///< for visitors: TLS 1.2 and 1.3 unless its policy says otherwise, session tickets if it has keys
  link,         ///< TLS 1.3 only, no tickets
};

/// How a server treats its clients, whatever its certificate.
struct ServerTls {
  TlsUse use = TlsUse::public_edge;
  TlsPolicy policy = {};
  TicketSealer* tickets = nullptr;  ///< of the thread that uses the contexts; nullptr: no session is resumed
};

/// A certificate with its key; views of the caller's.
struct KeyPair {
  std::string_view name;       ///< for messages
  std::string_view chain_pem;  ///< begins with the leaf
  std::string_view key_pem;
  std::string_view ocsp = {};  ///< DER of the response to staple; empty: none
};

/// A pair or a staple that is left out.
struct KeyPairProblem {
  std::string name;  ///< of the pair
  std::string reason;
};

struct ServerContext {
  TlsContext context;  ///< nullptr: no pair can be used
  std::vector<KeyPairProblem> problems;
};

/// Serves one host by key pairs of different types, among which the client's signature algorithms choose. `identity`
/// is equal for contexts with the same pairs: sessions are resumed by an equal identity only, and for the same server
/// name.
ServerContext make_server_context(const ServerTls& settings, std::span<const KeyPair> pairs, std::string_view identity);
/// Serves one certificate, without tickets.
base::Result<TlsContext> make_server_context(TlsUse use, std::string_view chain_pem, std::string_view key_pem);

/// Chooses the certificate for a handshake by its server name. Called on the connection's thread.
class CertificateChooser {
 public:
  /// The context to go on with, made with the same settings; nullptr refuses the handshake with unrecognized_name.
  /// `name` is empty without SNI.
  virtual SSL_CTX* choose(std::string_view name) = 0;

 protected:
  ~CertificateChooser() = default;
};

/// Has no certificate of its own: each handshake asks `chooser`, which must outlive the context.
base::Result<TlsContext> make_choosing_context(const ServerTls& settings, CertificateChooser& chooser);

/// Makes the context trust the CA certificates of that PEM text; there must be one.
base::Result<void> trust_pem(SSL_CTX* context, std::string_view ca_pem);

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
