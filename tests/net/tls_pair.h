#pragma once
// A client and a server of TLS joined in memory: every byte passes through the test.

#include <memory>
#include <string>
#include <utility>

#include <openssl/ssl.h>

#include "net/tls_context.h"
#include "tests/routing/test_certificate.h"

namespace adit::net::test {

using SessionPtr = std::shared_ptr<SSL_SESSION>;

/// A key pair for localhost, with the names of a KeyPair.
struct OwnedPair {
  std::string name;
  std::string chain_pem;
  std::string key_pem;
  std::string ocsp = {};

  OwnedPair(std::string what, const routing::TestKey& key)
      : name(std::move(what)),
        chain_pem(routing::certificate_pem(key, "DNS:localhost")),
        key_pem(routing::key_pem(key)) {}
  KeyPair view() const { return {name, chain_pem, key_pem, ocsp}; }
};

/// A client that trusts anybody; `settings` is called with its SSL before the handshake.
class TlsPair {
 public:
  /// `padding`: bytes of an extension that makes the ClientHello as large as that.
  TlsPair(const TlsContext& server_context, std::string name, int version = TLS1_3_VERSION, std::size_t padding = 0) {
    client_context_ = *make_client_context(Trust{"", false, false});
    if (padding != 0) enlarge_hello(padding);
    SSL_CTX_set_max_proto_version(client_context_.get(), version);
    auto ssl = new_client(client_context_, name.empty() ? "127.0.0.1" : name);
    client = std::make_unique<TlsEngine>(std::move(ssl));
    server = std::make_unique<TlsEngine>(new_server(server_context));
  }

  /// Hands over what either side has to say until nobody says more.
  void exchange() {
    do {
      if (client_status != TlsEngine::Status::failed) client_status = step(*client, client_done, client_plain);
      move(*client, *server);
      if (server_status != TlsEngine::Status::failed) server_status = step(*server, server_done, server_plain);
      move(*server, *client);
    } while (!client->cipher_in().empty() && client_status != TlsEngine::Status::failed);
  }
  bool established() const { return client_done && server_done; }
  bool resumed() const { return established() && SSL_session_reused(client->ssl()) == 1; }
  int key_type() const {
    const X509* leaf = SSL_get0_peer_certificate(client->ssl());
    return leaf == nullptr ? 0 : EVP_PKEY_get_base_id(X509_get0_pubkey(leaf));
  }
  /// What the client may resume later; nullptr without a ticket.
  SessionPtr session() const {
    // A copy: OpenSSL spoils that of a connection which ends without close_notify.
    SessionPtr session(SSL_SESSION_dup(SSL_get0_session(client->ssl())), SSL_SESSION_free);
    return session && SSL_SESSION_has_ticket(session.get()) == 1 ? session : nullptr;
  }

  std::unique_ptr<TlsEngine> client;
  std::unique_ptr<TlsEngine> server;
  TlsEngine::Status client_status = TlsEngine::Status::want_input;
  TlsEngine::Status server_status = TlsEngine::Status::want_input;
  bool client_done = false;
  bool server_done = false;
  base::Buffer client_plain;
  base::Buffer server_plain;

 private:
  void enlarge_hello(std::size_t size) {
    padding_->assign(size, '\0');
    const auto add = [](SSL*, unsigned, unsigned, const unsigned char** out, std::size_t* out_size, X509*, std::size_t,
                        int*, void* padding) {
      const auto& bytes = *static_cast<std::string*>(padding);
      *out = reinterpret_cast<const unsigned char*>(bytes.data());
      *out_size = bytes.size();
      return 1;
    };
    SSL_CTX_add_custom_ext(client_context_.get(), 65000, SSL_EXT_CLIENT_HELLO, add, nullptr, padding_.get(), nullptr,
                           nullptr);
  }
  static TlsEngine::Status step(TlsEngine& engine, bool& done, base::Buffer& plain) {
    if (!done) {
      const auto status = engine.handshake();
      done = status == TlsEngine::Status::ok;
      if (!done) return status;
    }
    return engine.read(plain);
  }
  static void move(TlsEngine& from, TlsEngine& to) {
    to.cipher_in().append(from.cipher_out().view());
    from.cipher_out().clear();
  }

  TlsContext client_context_;
  std::unique_ptr<std::string> padding_ = std::make_unique<std::string>();  ///< where it is if the pair is moved
};

}  // namespace adit::net::test
