#include "routing/certificates.h"

#include <climits>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/ip_network.h"
#include "routing/digest.h"
#include "routing/ocsp.h"
#include "routing/problem.h"

namespace adit::routing {
namespace {

constexpr int kLongestChain = 16;
constexpr int kLeastSecurityBits = 112;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

/// Whatever OpenSSL notes on its per-thread queue here must not be taken for an error of a connection later.
struct ErrorQueueGuard {
  ErrorQueueGuard() { ERR_clear_error(); }
  ~ErrorQueueGuard() { ERR_clear_error(); }
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
};

Bio reader(const std::string& text) {
  // BIO_new_mem_buf takes an int; the reader of manifests allows no Secret that is anywhere near it.
  return {text.size() > INT_MAX ? nullptr : BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

/// Instead of OpenSSL's own, which would ask on the terminal.
int no_password(char*, int, int, void*) { return -1; }

using X509Ptr = std::unique_ptr<X509, decltype([](X509* x509) { X509_free(x509); })>;

/// The first two certificates of a chain.
struct Chain {
  X509Ptr leaf;
  X509Ptr issuer;  ///< nullptr when there is one only
};

/// Reads the whole chain; there is no leaf when a certificate cannot be read or there are too many.
Chain read_chain(const std::string& pem) {
  Chain chain;
  const Bio bio = reader(pem);
  if (!bio) return chain;
  int read = 0;
  while (read <= kLongestChain) {
    X509Ptr next(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
    if (!next) break;
    if (read == 0) chain.leaf = std::move(next);
    if (read == 1) chain.issuer = std::move(next);
    ++read;
  }
  // "No start line" is how the end of a PEM file shows.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!at_end || read > kLongestChain) chain.leaf.reset();
  return chain;
}

/// The DER of a PEM file whose first block is an unencrypted key, read as one of `type`; nullptr when it is something
/// else. OpenSSL 3 takes three times as long when it has to find out the type, and a gateway reads thousands.
Key read_key_of_type(const std::string& pem, int type) {
  const Bio bio = reader(pem);
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* der = nullptr;
  long size = 0;
  if (!bio || PEM_read_bio(bio.get(), &name, &header, &der, &size) != 1) return {nullptr, EVP_PKEY_free};
  const unsigned char* at = der;
  const bool is_plain_key = *header == '\0' && std::string_view(name).ends_with("PRIVATE KEY");
  Key key(is_plain_key ? d2i_PrivateKey(type, nullptr, &at, size) : nullptr, EVP_PKEY_free);
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_cleanse(der, static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return key;
}

/// `type`: that of the certificate's key, which it should be.
Key read_key(const std::string& pem, int type) {
  if (Key key = read_key_of_type(pem, type)) return key;
  const Bio bio = reader(pem);
  return {bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr, EVP_PKEY_free};
}

std::shared_ptr<const Certificate> make_certificate(const SecretObject& secret, const std::string& chain,
                                                    const std::string& key, std::string ocsp) {
  Certificate certificate{
      .name = secret.meta.full_name(), .chain_pem = chain, .key_pem = key, .fingerprint = {}, .ocsp = std::move(ocsp)};
  certificate.fingerprint = fingerprint_of(certificate);
  return std::make_shared<const Certificate>(std::move(certificate));
}

}  // namespace

std::string fingerprint_of(const Certificate& certificate) {
  const auto& [name, chain, key, fingerprint, ocsp] = certificate;
  return hex(ocsp.empty() ? sha256({chain, key}) : sha256({chain, key, ocsp}));
}

base::Result<KeyPair> KeyPair::read(const SecretObject& secret) {
  if (secret.type != "kubernetes.io/tls" && secret.type != "Opaque") {
    return base::Error{"has type " + in_quotes(secret.type) + ", not kubernetes.io/tls"};
  }
  const auto chain = secret.data.find("tls.crt");
  if (chain == secret.data.end()) return base::Error{"has no key \"tls.crt\""};
  const auto key = secret.data.find("tls.key");
  if (key == secret.data.end()) return base::Error{"has no key \"tls.key\""};

  const ErrorQueueGuard guard;
  KeyPair pair;
  Chain certificates = read_chain(chain->second);
  pair.leaf_.reset(certificates.leaf.release());
  if (!pair.leaf_) return base::Error{"has a tls.crt that is not a chain of 1 to 16 PEM certificates"};
  const EVP_PKEY* public_key = X509_get0_pubkey(pair.leaf_.get());  // nullptr: of a kind that OpenSSL does not know
  const Key private_key =
      read_key(key->second, public_key == nullptr ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(public_key));
  if (!private_key) return base::Error{"has a tls.key that is not an unencrypted PEM private key"};
  if (X509_check_private_key(pair.leaf_.get(), private_key.get()) != 1) {
    return base::Error{"has a tls.key that does not belong to the first certificate of tls.crt"};
  }
  if (EVP_PKEY_get_security_bits(private_key.get()) < kLeastSecurityBits) {
    return base::Error{"has a key that is too weak: use RSA of at least 2048 bits or ECDSA P-256"};
  }
  const char* type = EVP_PKEY_get0_type_name(private_key.get());
  pair.key_type_ = type == nullptr ? "" : type;
  pair.certificate_ =
      make_certificate(secret, chain->second, key->second, pair.read_staple(secret, certificates.issuer.get()));
  return pair;
}

std::string KeyPair::read_staple(const SecretObject& secret, X509* issuer) {
  const auto found = secret.data.find("tls.ocsp-staple");
  if (found == secret.data.end()) return {};
  // One that signed itself is its own issuer.
  if (issuer == nullptr && X509_check_issued(leaf_.get(), leaf_.get()) == X509_V_OK) issuer = leaf_.get();
  auto der = read_ocsp_response(found->second, *leaf_, issuer);
  if (der) return std::move(*der);
  staple_fault_ = "has a tls.ocsp-staple that " + der.error();
  return {};
}

bool KeyPair::covers(const std::string& host) const {
  if (host == "*") return true;
  const ErrorQueueGuard guard;
  const std::string address = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
  if (base::IpAddress::parse(address)) return X509_check_ip_asc(leaf_.get(), address.c_str(), 0) == 1;
  // A wildcard rule is covered when any one name below it is.
  const std::string name = host.starts_with("*.") ? "any" + host.substr(1) : host;
  const unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
  return X509_check_host(leaf_.get(), name.data(), name.size(), flags, nullptr) == 1;
}

}  // namespace adit::routing
