#include "routing/ocsp.h"

#include <climits>
#include <cstring>
#include <memory>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>

namespace adit::routing {
namespace {

constexpr std::size_t kMostBytes = 64U << 10U;

template <class T, void (*kFree)(T*)>
struct Free {
  void operator()(T* object) const { kFree(object); }
};
using Response = std::unique_ptr<OCSP_RESPONSE, Free<OCSP_RESPONSE, OCSP_RESPONSE_free>>;
using BasicResponse = std::unique_ptr<OCSP_BASICRESP, Free<OCSP_BASICRESP, OCSP_BASICRESP_free>>;
using CertificateId = std::unique_ptr<OCSP_CERTID, Free<OCSP_CERTID, OCSP_CERTID_free>>;

/// The first block of a PEM text, if it is an OCSP response; else `text` itself, which then is DER or nothing.
std::string without_pem(const std::string& text) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                      BIO_free);
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* der = nullptr;
  long size = 0;
  if (!bio || PEM_read_bio(bio.get(), &name, &header, &der, &size) != 1) return text;
  const bool is_response = std::strcmp(name, "OCSP RESPONSE") == 0 && *header == '\0';
  std::string bytes = is_response ? std::string(reinterpret_cast<char*>(der), static_cast<std::size_t>(size)) : text;
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(der);
  return bytes;
}

bool equal(const ASN1_OCTET_STRING* hash, const unsigned char* digest, unsigned size) {
  return ASN1_STRING_length(hash) == static_cast<int>(size) &&
         std::memcmp(ASN1_STRING_get0_data(hash), digest, size) == 0;
}

/// Whether `said` names `leaf`: serial number and issuer's name, and the issuer's key where that is known.
bool names(OCSP_CERTID* said, X509& leaf, X509* issuer) {
  ASN1_OBJECT* algorithm = nullptr;
  ASN1_OCTET_STRING* name_hash = nullptr;
  ASN1_INTEGER* serial = nullptr;
  OCSP_id_get0_info(&name_hash, &algorithm, nullptr, &serial, said);
  const EVP_MD* digest = EVP_get_digestbyobj(algorithm);
  if (digest == nullptr || ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(&leaf)) != 0) return false;
  if (issuer != nullptr) {
    const CertificateId wanted(OCSP_cert_to_id(digest, &leaf, issuer));
    return wanted && OCSP_id_cmp(wanted.get(), said) == 0;
  }
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  return X509_NAME_digest(X509_get_issuer_name(&leaf), digest, hash, &size) == 1 && equal(name_hash, hash, size);
}

bool is_about(OCSP_RESPONSE& response, X509& leaf, X509* issuer) {
  const BasicResponse basic(OCSP_response_get1_basic(&response));
  if (!basic) return false;
  const int count = OCSP_resp_count(basic.get());
  for (int i = 0; i < count; ++i) {
    const OCSP_SINGLERESP* single = OCSP_resp_get0(basic.get(), i);
    // A pointer to const is all that is needed, but not what OpenSSL's readers of an id take.
    if (names(const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single)), leaf, issuer)) return true;
  }
  return false;
}

}  // namespace

base::Result<std::string> read_ocsp_response(const std::string& text, X509& leaf, X509* issuer) {
  if (text.size() > kMostBytes) return base::Error{"is longer than 64 KiB"};
  std::string der = without_pem(text);
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  const Response response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  if (!response || at != end) return base::Error{"is not an OCSP response, in DER or as PEM \"OCSP RESPONSE\""};
  if (OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return base::Error{"is an OCSP response that tells of a failure"};
  }
  if (!is_about(*response, leaf, issuer)) return base::Error{"is not about the first certificate of tls.crt"};
  return der;
}

}  // namespace adit::routing
