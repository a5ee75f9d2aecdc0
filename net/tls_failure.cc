#include "net/tls_failure.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace adit::net {

TlsFailure failure_of(unsigned long openssl_code) {
  TlsFailure failure;
  if (ERR_GET_LIB(openssl_code) != ERR_LIB_SSL) return failure;
  const int reason = ERR_GET_REASON(openssl_code);
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:  // of the first record: an answer in clear
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      failure.kind = TlsFailure::Kind::not_tls;
      return failure;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_AD_REASON_OFFSET + SSL_AD_PROTOCOL_VERSION:
      failure.kind = TlsFailure::Kind::version;
      return failure;
    default:
      break;
  }
  if (reason < SSL_AD_REASON_OFFSET) return failure;
  failure.kind = TlsFailure::Kind::alert;
  failure.code = reason - SSL_AD_REASON_OFFSET;
  return failure;
}

TlsFailure failure_of(X509_STORE_CTX* store) {
  TlsFailure failure;
  failure.kind = TlsFailure::Kind::certificate;
  failure.code = X509_STORE_CTX_get_error(store);
  failure.depth = X509_STORE_CTX_get_error_depth(store);
  if (X509* leaf = X509_STORE_CTX_get0_cert(store)) failure.certificate = facts_of(leaf);
  return failure;
}

std::string refusal_text(const TlsFailure& failure) {
  std::string text = std::string("certificate refused: ") + X509_verify_cert_error_string(failure.code);
  if (failure.depth > 0) text += " (at number " + std::to_string(failure.depth) + " of its issuers)";
  if (failure.certificate) text += "; it is " + text_of(*failure.certificate);
  return text;
}

}  // namespace adit::net
