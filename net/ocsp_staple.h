#pragma once
// An OCSP response that is sent along with a certificate (RFC 6066 §8, RFC 6960).

#include <ctime>
#include <string>
#include <string_view>

#include <openssl/x509.h>

#include "base/result.h"

namespace adit::net {

struct OcspStaple {
  std::string der;
  std::time_t until = 0;  ///< its nextUpdate: not sent later, since clients refuse a stale one; 0: says nothing
};

/// Refused: what is no successful response, or not one about `leaf`. Its signature is the client's to check.
base::Result<OcspStaple> read_staple(std::string_view der, X509* leaf);

}  // namespace adit::net
