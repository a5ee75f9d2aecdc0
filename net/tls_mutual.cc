#include "net/tls_mutual.h"

#include <utility>

#include <openssl/x509v3.h>

#include "net/tls_key_pair.h"

namespace adit::net {
namespace {

/// Only the exact name counts.
SslPtr demand_name(SslPtr ssl, const std::string& name) {
  SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS);
  SSL_set1_host(ssl.get(), name.c_str());
  return ssl;
}

}  // namespace

base::Result<MutualTls> make_mutual_tls(const MutualKeys& keys) {
  MutualTls made;
  auto server = make_server_context(TlsUse::link, keys.chain_pem, keys.key_pem);
  if (!server) return base::Error{server.error()};
  made.server = *std::move(server);
  if (auto trusted = trust_pem(made.server.get(), keys.ca_pem); !trusted) return base::Error{trusted.error()};
  SSL_CTX_set_verify(made.server.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);

  Trust trust;
  trust.ca_pem = keys.ca_pem;
  trust.link = true;
  auto client = make_client_context(trust);
  if (!client) return base::Error{client.error()};
  made.client = *std::move(client);
  const auto pair = parse_key_pair(keys.chain_pem, keys.key_pem);
  if (!pair) return base::Error{pair.error()};
  if (SSL_CTX_use_cert_and_key(made.client.get(), pair->leaf.get(), pair->key.get(), pair->issuers.get(), 1) != 1) {
    return base::Error{openssl_error("certificate")};
  }
  return made;
}

SslPtr new_mutual_server(const MutualTls& tls, const std::string& name) {
  return demand_name(new_server(tls.server), name);
}

SslPtr new_mutual_client(const MutualTls& tls, const std::string& name) {
  return demand_name(new_client(tls.client, name), name);
}

}  // namespace adit::net
