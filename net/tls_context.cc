#include "net/tls_context.h"

#include <array>
#include <cstring>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace adit::net {
namespace {

// AES-128-GCM first: the fastest with AES instructions, and no weaker in practice. RFC 9325 §4.2 for TLS 1.2.
constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr unsigned char kAlpnHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct X509Deleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, BioDeleter>;
using X509Ptr = std::unique_ptr<X509, X509Deleter>;

BioPtr open_pem(std::string_view pem) { return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

/// The end of a PEM list looks like an error to OpenSSL.
void forget_end_of_list() { ERR_clear_error(); }

int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                void*) {
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_size, kAlpnHttp11, sizeof kAlpnHttp11, in, in_size);
  *out = chosen;
  // A client that offers only what we do not speak gets no ALPN rather than an alert: old agents offer "http/1.0".
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

TlsContext new_context(const SSL_METHOD* method, bool link) {
  TlsContext context(SSL_CTX_new(method), SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), link ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_ciphersuites(context.get(), kSuites13);
  SSL_CTX_set_cipher_list(context.get(), kCiphers12);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

TlsContext new_server_context(TlsUse use) {
  auto context = new_context(TLS_server_method(), use == TlsUse::link);
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_alpn_select_cb(context.get(), select_alpn, nullptr);
  // An idle visitor keeps no record buffers; a link is never idle for long.
  if (use == TlsUse::public_edge) SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  if (use == TlsUse::link) SSL_CTX_set_num_tickets(context.get(), 0);
  return context;
}

int choose_certificate(SSL* ssl, int* alert, void* argument) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  SSL_CTX* chosen = static_cast<CertificateChooser*>(argument)->choose(name != nullptr ? name : "");
  if (chosen == nullptr) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  SSL_set_SSL_CTX(ssl, chosen);
  return SSL_TLSEXT_ERR_OK;
}

base::Result<void> trust_pem(SSL_CTX* context, std::string_view ca_pem) {
  auto bio = open_pem(ca_pem);
  int count = 0;
  while (X509Ptr certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1) {
      return base::Error{openssl_error("CA certificate")};
    }
    ++count;
  }
  forget_end_of_list();
  if (count == 0) return base::Error{"the CA file holds no PEM certificate"};
  return {};
}

}  // namespace

std::string openssl_error(std::string_view what) {
  const unsigned long code = ERR_get_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return std::string(what) + ": " + (reason != nullptr ? reason : "failed without a reason");
}

base::Result<TlsContext> make_server_context(TlsUse use, std::string_view chain_pem, std::string_view key_pem) {
  ERR_clear_error();
  auto context = new_server_context(use);
  auto chain = open_pem(chain_pem);
  const X509Ptr leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (!leaf || SSL_CTX_use_certificate(context.get(), leaf.get()) != 1) {
    return base::Error{openssl_error("certificate")};
  }
  while (X509Ptr issuer{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)}) {
    if (SSL_CTX_add1_chain_cert(context.get(), issuer.get()) != 1) return base::Error{openssl_error("chain")};
  }
  forget_end_of_list();
  auto key_bio = open_pem(key_pem);
  const std::unique_ptr<EVP_PKEY, KeyDeleter> key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  if (!key || SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) return base::Error{openssl_error("private key")};
  if (SSL_CTX_check_private_key(context.get()) != 1) return base::Error{openssl_error("private key")};
  return context;
}

base::Result<TlsContext> make_choosing_context(TlsUse use, CertificateChooser& chooser) {
  auto context = new_server_context(use);
  SSL_CTX_set_tlsext_servername_callback(context.get(), choose_certificate);
  SSL_CTX_set_tlsext_servername_arg(context.get(), &chooser);
  return context;
}

base::Result<TlsContext> make_client_context(const Trust& trust) {
  ERR_clear_error();
  auto context = new_context(TLS_client_method(), trust.link);
  SSL_CTX_set_verify(context.get(), trust.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!trust.ca_pem.empty()) {
    if (auto trusted = trust_pem(context.get(), trust.ca_pem); !trusted) return base::Error{trusted.error()};
  } else if (trust.verify && SSL_CTX_set_default_verify_paths(context.get()) != 1) {
    return base::Error{openssl_error("system roots")};
  }
  SSL_CTX_set_alpn_protos(context.get(), kAlpnHttp11, sizeof kAlpnHttp11);
  return context;
}

SslPtr new_server(const TlsContext& context) {
  SslPtr ssl(SSL_new(context.get()));
  SSL_set_accept_state(ssl.get());
  return ssl;
}

void expect_name(SSL* ssl, const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address;
  const bool literal =
      inet_pton(AF_INET, host.c_str(), address.data()) == 1 || inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
  if (literal) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl, host.c_str());  // never an IP literal (RFC 6066 §3)
    SSL_set1_host(ssl, host.c_str());
  }
}

SslPtr new_client(const TlsContext& context, const std::string& host) {
  SslPtr ssl(SSL_new(context.get()));
  SSL_set_connect_state(ssl.get());
  expect_name(ssl.get(), host);
  return ssl;
}

}  // namespace adit::net
