#include "tests/net/certificates.h"

#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace adit::net::test {
namespace {

constexpr long kHour = 3600;
constexpr long kDay = 24 * kHour;

std::string pem_of(auto write) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new(BIO_s_mem()), BIO_free);
  write(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

void name(X509* certificate, const char* text) {
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
}

void extend(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  if (extension == nullptr) throw std::invalid_argument("not an extension: " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* fresh(EVP_PKEY* key, long from, long till) {
  static long serial = 1;
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), till);
  X509_set_pubkey(certificate, key);
  return certificate;
}

}  // namespace

struct Authority::Pair {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = fresh(key, -kHour, kDay);
  ~Pair() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
};

Authority::Authority() : pair_(new Pair) {
  name(pair_->certificate, "Adit test authority");
  X509_set_issuer_name(pair_->certificate, X509_get_subject_name(pair_->certificate));
  extend(pair_->certificate, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(pair_->certificate, pair_->key, EVP_sha256());
  pem_ = pem_of([this](BIO* bio) { PEM_write_bio_X509(bio, pair_->certificate); });
}

Authority::~Authority() { delete pair_; }

Issued Authority::issue(const std::string& names, int days) const {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = fresh(key, days > 0 ? -kHour : 2 * days * kDay, days * kDay);
  name(certificate, "Adit test server");
  X509_set_issuer_name(certificate, X509_get_subject_name(pair_->certificate));
  extend(certificate, NID_subject_alt_name, names);
  X509_sign(certificate, pair_->key, EVP_sha256());
  Issued issued;
  issued.chain_pem = pem_of([&](BIO* bio) { PEM_write_bio_X509(bio, certificate); });
  issued.key_pem = pem_of([&](BIO* bio) { PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
  X509_free(certificate);
  EVP_PKEY_free(key);
  return issued;
}

}  // namespace adit::net::test
