#pragma once
// Which versions, ciphers, groups and signatures of TLS are spoken (RFC 8446, RFC 9325).

#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "base/result.h"

namespace adit::net {

/// Empty strings: the defaults, which need forward secrecy and authenticated encryption.
struct TlsPolicy {
  std::string min_version = {};    ///< "1.2" or "1.3"; empty: "1.2"
  std::string ciphers = {};        ///< of TLS 1.2, an OpenSSL cipher list; checked by check_ciphers()
  std::string cipher_suites = {};  ///< of TLS 1.3; checked by check_cipher_suites()
};

/// Every name of the list must be known to OpenSSL, which by itself passes over a misspelt one. Empty is fine.
base::Result<void> check_ciphers(std::string_view list);
base::Result<void> check_cipher_suites(std::string_view list);

/// Applies a checked policy to a fresh context.
void apply_policy(SSL_CTX* context, const TlsPolicy& policy);
/// For servers: what is left of groups and signature algorithms is what today's clients offer.
void limit_groups_and_signatures(SSL_CTX* context);

}  // namespace adit::net
