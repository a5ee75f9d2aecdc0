#pragma once
// Why a TLS connection failed, told apart as far as somebody can act on it.

#include <cstdint>
#include <optional>
#include <string>

#include <openssl/x509_vfy.h>

#include "net/certificate_facts.h"

namespace adit::net {

struct TlsFailure {
  enum class Kind : std::uint8_t {
    other,        ///< the peer broke TLS, or something that only the text says
    certificate,  ///< the peer's certificate was refused: `code` is the check that failed, an X509_V_ERR_…
    alert,        ///< the peer gave up: `code` is its alert (RFC 8446 §6)
    version,      ///< no version of TLS that both speak
    not_tls,      ///< the peer's bytes are none of TLS
  };
  Kind kind = Kind::other;
  int code = 0;
  int depth = 0;  ///< of the certificate that was refused: 0 is the peer's own, then its issuers
  std::optional<CertificateFacts> certificate;  ///< of a refused certificate: the peer's own
};

/// Of an entry of OpenSSL's error queue.
TlsFailure failure_of(unsigned long openssl_code);
/// A certificate that the verification in `store` has just refused.
TlsFailure failure_of(X509_STORE_CTX* store);
/// "certificate refused: hostname mismatch; it is for elsewhere.test, issued by …".
std::string refusal_text(const TlsFailure& failure);

}  // namespace adit::net
