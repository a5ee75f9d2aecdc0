#include "kube/server_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace adit::kube {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Store = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;

Bio open_pem(const std::string& pem) { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

Certificate next_certificate(BIO* pem) { return Certificate(PEM_read_bio_X509(pem, nullptr, nullptr, nullptr)); }

/// Trusts these authorities and nobody else: the store that the context came with knows the system's.
base::Result<void> trust(SSL_CTX* context, const std::string& ca_pem) {
  Store store(X509_STORE_new());
  const auto pem = open_pem(ca_pem);
  int count = 0;
  while (const auto certificate = next_certificate(pem.get())) {
    X509_STORE_add_cert(store.get(), certificate.get());
    ++count;
  }
  ERR_clear_error();  // the end of the list is one
  if (count == 0) return base::Error{"the API server's certificate authority: no certificate in it"};
  SSL_CTX_set_cert_store(context, store.release());
  return {};
}

int no_passphrase(char*, int, int, void*) { return -1; }

base::Result<void> present(SSL_CTX* context, const ClusterConfig& config) {
  const auto chain = open_pem(config.certificate_pem);
  const auto leaf = next_certificate(chain.get());
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    ERR_clear_error();
    return base::Error{"client certificate: no certificate in it"};
  }
  while (const auto issuer = next_certificate(chain.get())) SSL_CTX_add1_chain_cert(context, issuer.get());
  const Key key(PEM_read_bio_PrivateKey(open_pem(config.key_pem).get(), nullptr, no_passphrase, nullptr));
  const bool fits = key && SSL_CTX_use_PrivateKey(context, key.get()) == 1;
  ERR_clear_error();
  if (!key) return base::Error{"client key: no key in it that can be read without a passphrase"};
  if (!fits) return base::Error{"client key: does not belong to the client certificate"};
  return {};
}

/// OpenSSL's own verification, only that its reason is kept: the SDK's error says no more than "handshake".
int verify(X509_STORE_CTX* chain, void* refusal) {
  const int good = X509_verify_cert(chain);
  if (good == 1) return 1;
  const int why = X509_STORE_CTX_get_error(chain);
  static_cast<Refusal*>(refusal)->set(X509_verify_cert_error_string(why));
  return good;
}

}  // namespace

std::string host_of(const std::string& server) {
  const auto start = server.find("://");
  auto authority = start == std::string::npos ? server : server.substr(start + 3);
  authority = authority.substr(0, authority.find('/'));
  if (authority.starts_with('[')) return authority.substr(1, authority.find(']') - 1);
  return authority.substr(0, authority.find(':'));
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 || inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

std::string expected_name(const ClusterConfig& config) {
  return config.server_name.empty() ? host_of(config.server) : config.server_name;
}

base::Result<void> configure_tls(SSL_CTX* context, const ClusterConfig& config, Refusal& refusal) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cert_verify_callback(context, verify, &refusal);
  auto* expected = SSL_CTX_get0_param(context);
  const auto name = expected_name(config);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const int set = is_address(name) ? X509_VERIFY_PARAM_set1_ip_asc(expected, name.c_str())
                                   : X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size());
  if (name.empty() || set != 1) return base::Error{config.server + ": names no host"};
  if (!config.ca_pem.empty()) {
    if (auto trusted = trust(context, config.ca_pem); !trusted) return trusted;
  }
  return config.certificate_pem.empty() ? base::Result<void>() : present(context, config);
}

}  // namespace adit::kube
