#include "operator/authority.h"

#include <algorithm>
#include <array>
#include <memory>

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace adit::controller {
namespace {

template <auto Release>
struct Free {
  template <class T>
  void operator()(T* object) const {
    Release(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Serial = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

constexpr auto kClockSkew = std::chrono::minutes(5);

base::Error openssl_failed(const std::string& what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return base::Error{what + ": " + text.data()};
}

Bio reading(std::string_view pem) { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

Certificate read_certificate(std::string_view pem) {
  const Bio bio = reading(pem);
  Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  return certificate;
}

Key read_key(std::string_view pem) {
  const Bio bio = reading(pem);
  // An empty password, so that an encrypted key fails instead of asking at the terminal.
  const auto no_password = [](char*, int, int, void*) { return 0; };
  Key key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr);
  ERR_clear_error();
  return key;
}

std::string text_of(const Bio& bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_random_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) return false;
  bytes[0] &= 0x7f;  // positive (RFC 5280 §4.1.2.2)
  bytes[0] |= 0x40;
  const Serial number(BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_times(X509* certificate, WallTime now, std::chrono::hours lifetime) {
  const auto from = std::chrono::system_clock::to_time_t(now - kClockSkew);
  const auto until = std::chrono::system_clock::to_time_t(now + lifetime);
  return ASN1_TIME_set(X509_getm_notBefore(certificate), from) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), until) != nullptr;
}

bool set_common_name(X509* certificate, const std::string& name) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(name.data());
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, bytes,
                                    static_cast<int>(name.size()), -1, 0) == 1;
}

/// What an authority and a server certificate have in common; the issuer is still to be set.
Certificate begin_certificate(EVP_PKEY* key, const std::string& common_name, WallTime now,
                              std::chrono::hours lifetime) {
  Certificate certificate(X509_new());
  const bool is_good = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                       set_random_serial(certificate.get()) && set_times(certificate.get(), now, lifetime) &&
                       set_common_name(certificate.get(), common_name) && X509_set_pubkey(certificate.get(), key) == 1;
  return is_good ? std::move(certificate) : nullptr;
}

base::Result<KeyCertificate> sign(X509* certificate, EVP_PKEY* key, EVP_PKEY* signer) {
  if (X509_sign(certificate, signer, EVP_sha256()) == 0) return openssl_failed("certificate cannot be signed");
  const Bio certificate_out(BIO_new(BIO_s_mem()));
  const Bio key_out(BIO_new(BIO_s_mem()));
  if (!certificate_out || !key_out || PEM_write_bio_X509(certificate_out.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return openssl_failed("certificate cannot be written");
  }
  return KeyCertificate{text_of(certificate_out), text_of(key_out)};
}

bool is_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    if (!text.empty()) text += ",";
    text += (is_address(name) ? "IP:" : "DNS:") + name;
  }
  return text;
}

/// As text, in the form that inet_ntop writes.
std::string canonical(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, name.c_str(), bytes.data()) != 1) continue;
    return inet_ntop(family, bytes.data(), text.data(), text.size());
  }
  return name;
}

std::string text_of(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(name.d.dNSName)),
            static_cast<std::size_t>(ASN1_STRING_length(name.d.dNSName))};
  }
  if (name.type != GEN_IPADD) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(name.d.iPAddress) == 4 ? AF_INET : AF_INET6;
  return inet_ntop(family, ASN1_STRING_get0_data(name.d.iPAddress), text.data(), text.size());
}

}  // namespace

base::Result<KeyCertificate> issue_authority(const std::string& common_name, WallTime now,
                                             std::chrono::hours lifetime) {
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failed("key cannot be made");
  const Certificate certificate = begin_certificate(key.get(), common_name, now, lifetime);
  if (!certificate || X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())) != 1 ||
      !add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !add_extension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !add_extension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash")) {
    return openssl_failed("authority cannot be made");
  }
  return sign(certificate.get(), key.get(), key.get());
}

base::Result<KeyCertificate> issue_server(const KeyCertificate& authority, const std::vector<std::string>& names,
                                          WallTime now, std::chrono::hours lifetime, CertificateUse use) {
  const Certificate issuer = read_certificate(authority.certificate);
  const Key signer = read_key(authority.key);
  if (!issuer || !signer) return base::Error{"the authority cannot be read"};
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failed("key cannot be made");
  const char* usage = use == CertificateUse::server ? "serverAuth" : "serverAuth,clientAuth";
  const Certificate certificate = begin_certificate(key.get(), names.front().substr(0, 64), now, lifetime);
  if (!certificate || X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get())) != 1 ||
      !add_extension(certificate.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(certificate.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") ||
      !add_extension(certificate.get(), issuer.get(), NID_ext_key_usage, usage) ||
      !add_extension(certificate.get(), issuer.get(), NID_authority_key_identifier, "keyid") ||
      !add_extension(certificate.get(), issuer.get(), NID_subject_alt_name, alternative_names(names).c_str())) {
    return openssl_failed("certificate cannot be made");
  }
  return sign(certificate.get(), key.get(), signer.get());
}

base::Result<Validity> validity_of(std::string_view pem) {
  const Certificate certificate = read_certificate(pem);
  if (!certificate) return base::Error{"is no certificate"};
  const auto time = [](const ASN1_TIME* at) {
    std::tm parts{};
    ASN1_TIME_to_tm(at, &parts);
    return std::chrono::system_clock::from_time_t(timegm(&parts));
  };
  return Validity{time(X509_get0_notBefore(certificate.get())), time(X509_get0_notAfter(certificate.get()))};
}

bool is_pair(const KeyCertificate& pair) {
  const Certificate certificate = read_certificate(pair.certificate);
  const Key key = read_key(pair.key);
  const bool is_good = certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return is_good;
}

bool is_issued_by(const KeyCertificate& pair, std::string_view authority_pem) {
  if (!is_pair(pair)) return false;
  const Certificate certificate = read_certificate(pair.certificate);
  const Certificate authority = read_certificate(authority_pem);
  const bool is_good = authority && X509_check_issued(authority.get(), certificate.get()) == X509_V_OK &&
                       X509_verify(certificate.get(), X509_get0_pubkey(authority.get())) == 1;
  ERR_clear_error();
  return is_good;
}

bool is_for(std::string_view certificate_pem, std::vector<std::string> names) {
  const Certificate certificate = read_certificate(certificate_pem);
  if (!certificate) return false;
  const Names present(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> found;
  for (int i = 0; present && i < sk_GENERAL_NAME_num(present.get()); ++i) {
    found.push_back(text_of(*sk_GENERAL_NAME_value(present.get(), i)));
  }
  for (auto& name : names) name = canonical(name);
  std::sort(found.begin(), found.end());
  std::sort(names.begin(), names.end());
  return found == names;
}

}  // namespace adit::controller
