#pragma once
// The OCSP response that a TLS Secret carries, to be stapled to handshakes.

#include <string>

#include <openssl/x509.h>

#include "base/result.h"

namespace adit::routing {

/// The DER of an OCSP response (RFC 6960) that stands in `text` as DER, or as PEM ("OCSP RESPONSE"). Refused: more than
/// 64 KiB, a response that is not successful, and one that says nothing of `leaf`, whose issuer is `issuer` if that is
/// not nullptr. Whether it is signed and how old it is are not looked at: clients do, and this is pure.
base::Result<std::string> read_ocsp_response(const std::string& text, X509& leaf, X509* issuer);

}  // namespace adit::routing
