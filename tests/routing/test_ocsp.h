#pragma once
// OCSP responses made on the spot for tests.

#include <memory>
#include <string>

#include <openssl/ocsp.h>

#include "tests/routing/test_certificate.h"

namespace adit::routing {

inline std::shared_ptr<X509> x509_of(const std::string& pem_text) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem_text.data(), static_cast<int>(pem_text.size())), BIO_free);
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
}

inline std::string der_of(OCSP_RESPONSE* response) {
  unsigned char* bytes = nullptr;
  const int size = i2d_OCSP_RESPONSE(response, &bytes);
  std::string der(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

/// DER of "good" for `leaf`, signed with `key` of `issuer`; all but the key in PEM.
inline std::string ocsp_response(const std::string& leaf, const std::string& issuer, const TestKey& key) {
  const auto subject = x509_of(leaf);
  const auto signer = x509_of(issuer);
  const std::unique_ptr<OCSP_BASICRESP, decltype(&OCSP_BASICRESP_free)> basic(OCSP_BASICRESP_new(),
                                                                              OCSP_BASICRESP_free);
  OCSP_CERTID* id = OCSP_cert_to_id(EVP_sha1(), subject.get(), signer.get());
  ASN1_TIME* now = X509_gmtime_adj(nullptr, 0);
  OCSP_basic_add1_status(basic.get(), id, V_OCSP_CERTSTATUS_GOOD, 0, nullptr, now, nullptr);
  OCSP_basic_sign(basic.get(), signer.get(), key.get(), EVP_sha256(), nullptr, OCSP_NOCERTS);
  const std::unique_ptr<OCSP_RESPONSE, decltype(&OCSP_RESPONSE_free)> response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()), OCSP_RESPONSE_free);
  ASN1_TIME_free(now);
  OCSP_CERTID_free(id);
  return der_of(response.get());
}

/// "try later".
inline std::string ocsp_failure() {
  const std::unique_ptr<OCSP_RESPONSE, decltype(&OCSP_RESPONSE_free)> response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, nullptr), OCSP_RESPONSE_free);
  return der_of(response.get());
}

}  // namespace adit::routing
