#include "net/tls_context.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "net/tls_key_pair.h"
#include "net/tls_server.h"

namespace adit::net {
namespace {

constexpr unsigned char kAlpnHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/// Adds a pair to the context, with its staple. A staple that cannot be used is a problem of its own.
base::Result<void> add_pair(SSL_CTX* context, const KeyPair& pair, std::vector<int>& types,
                            std::vector<KeyPairProblem>& problems) {
  const auto parsed = parse_key_pair(pair.chain_pem, pair.key_pem);
  if (!parsed) return base::Error{parsed.error()};
  // OpenSSL would put the second in the place of the first.
  if (std::find(types.begin(), types.end(), parsed->type()) != types.end()) {
    return base::Error{std::string("another key pair of the host is of the same type, ") + OBJ_nid2sn(parsed->type())};
  }
  if (SSL_CTX_use_cert_and_key(context, parsed->leaf.get(), parsed->key.get(), parsed->issuers.get(), 1) != 1) {
    return base::Error{openssl_error("certificate")};
  }
  types.push_back(parsed->type());
  if (pair.ocsp.empty()) return {};
  auto staple = read_staple(pair.ocsp, parsed->leaf.get());
  if (staple) {
    notes_of(context).staples.emplace_back(parsed->leaf.get(), std::move(*staple));
  } else {
    problems.push_back({std::string(pair.name), staple.error()});
  }
  return {};
}

}  // namespace

std::string openssl_error(std::string_view what) {
  const unsigned long code = ERR_get_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return std::string(what) + ": " + (reason != nullptr ? reason : "failed without a reason");
}

ServerContext make_server_context(const ServerTls& settings, std::span<const KeyPair> pairs,
                                  std::string_view identity) {
  ServerContext made;
  auto context = new_server_context(settings);
  auto& notes = notes_of(context.get());
  SHA256(reinterpret_cast<const unsigned char*>(identity.data()), identity.size(), notes.identity.data());
  std::vector<int> types;
  for (const auto& pair : pairs) {
    if (const auto added = add_pair(context.get(), pair, types, made.problems); !added) {
      made.problems.push_back({std::string(pair.name), added.error()});
    }
  }
  if (!types.empty()) made.context = std::move(context);
  return made;
}

base::Result<TlsContext> make_server_context(TlsUse use, std::string_view chain_pem, std::string_view key_pem) {
  const KeyPair pair{"", chain_pem, key_pem};
  auto made = make_server_context(ServerTls{use}, {&pair, 1}, {});
  if (!made.context) return base::Error{made.problems.front().reason};
  return std::move(made.context);
}

base::Result<TlsContext> make_choosing_context(const ServerTls& settings, CertificateChooser& chooser) {
  auto context = new_server_context(settings);
  choose_by_name(context.get(), chooser);
  return context;
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
  ERR_clear_error();  // the end of a PEM list looks like an error to OpenSSL
  if (count == 0) return base::Error{"the CA file holds no PEM certificate"};
  return {};
}

base::Result<TlsContext> make_client_context(const Trust& trust) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  apply_policy(context.get(), TlsPolicy{trust.link ? "1.3" : "1.2"});
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
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
