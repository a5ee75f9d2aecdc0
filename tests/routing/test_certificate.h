#pragma once
// Key pairs made on the spot for tests.

#include <map>
#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

namespace adit::routing {

using TestKey = std::shared_ptr<EVP_PKEY>;

inline TestKey ec_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }
inline TestKey rsa_key(unsigned bits) { return {EVP_RSA_gen(bits), EVP_PKEY_free}; }

template <class Write>
std::string pem(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  write(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

inline std::string key_pem(const TestKey& key, const EVP_CIPHER* cipher = nullptr) {
  return pem([&](BIO* bio) {
    PEM_write_bio_PKCS8PrivateKey(bio, key.get(), cipher, cipher == nullptr ? nullptr : "secret",
                                  cipher == nullptr ? 0 : 6, nullptr, nullptr);
  });
}

/// Self-signed; `names` as OpenSSL writes them: "DNS:shop.example.com,DNS:*.example.com".
inline std::string certificate_pem(const TestKey& key, const std::string& names) {
  const std::unique_ptr<X509, decltype(&X509_free)> x509(X509_new(), X509_free);
  X509_set_version(x509.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
  X509_NAME* subject = X509_get_subject_name(x509.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("cn.example"), -1, -1,
                             0);
  X509_set_issuer_name(x509.get(), subject);
  X509_set_pubkey(x509.get(), key.get());
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(x509.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(x509.get(), key.get(), EVP_sha256());
  return pem([&](BIO* bio) { PEM_write_bio_X509(bio, x509.get()); });
}

/// The data of a TLS Secret whose certificate covers `names`.
inline std::map<std::string, std::string> tls_data(const std::string& names) {
  const TestKey key = ec_key();
  return {{"tls.crt", certificate_pem(key, names)}, {"tls.key", key_pem(key)}};
}

}  // namespace adit::routing
