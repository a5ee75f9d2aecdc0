#include "net/tls_server.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <ctime>
#include <optional>

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace adit::net {
namespace {

constexpr unsigned char kAlpnHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr std::size_t kMostName = 255;

int notes_index() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* notes, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<ServerNotes*>(notes); });
  return index;
}

int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                void*) {
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_size, kAlpnHttp11, sizeof kAlpnHttp11, in, in_size);
  *out = chosen;
  // A client that offers only what we do not speak gets no ALPN rather than an alert: old agents offer "http/1.0".
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

int staple(SSL* ssl, void*) {
  const auto& staples = notes_of(SSL_get_SSL_CTX(ssl)).staples;
  const auto found = std::find_if(staples.begin(), staples.end(),
                                  [leaf = SSL_get_certificate(ssl)](const auto& one) { return one.first == leaf; });
  if (found == staples.end()) return SSL_TLSEXT_ERR_NOACK;
  const auto& response = found->second;
  if (response.until != 0 && std::time(nullptr) >= response.until) return SSL_TLSEXT_ERR_NOACK;
  void* copy = OPENSSL_memdup(response.der.data(), response.der.size());
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<int>(response.der.size()));  // takes it
  return SSL_TLSEXT_ERR_OK;
}

int seal_or_open(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int seal) {
  TicketSealer& tickets = *notes_of(SSL_get_SSL_CTX(ssl)).tickets;
  return seal != 0 ? tickets.seal(name, iv, cipher, mac) : tickets.open(name, iv, cipher, mac);
}

/// The host name of a ClientHello (RFC 6066 §3); empty without one, absent when the extension is malformed.
std::optional<std::string_view> name_in_hello(SSL* ssl) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) != 1) return std::string_view();
  const auto number = [&](std::size_t at) { return static_cast<std::size_t>(bytes[at] << 8U | bytes[at + 1]); };
  // One entry: length of the list, type 0, length, name.
  if (size < 5 || number(0) != size - 2 || bytes[2] != TLSEXT_NAMETYPE_host_name || number(3) != size - 5) {
    return std::nullopt;
  }
  const std::string_view name(reinterpret_cast<const char*>(bytes) + 5, size - 5);
  if (name.empty() || name.size() > kMostName || name.find('\0') != std::string_view::npos) return std::nullopt;
  return name;
}

/// A session is resumed by the same certificates and for the same name only: another host may belong to another tunnel.
void bind_session(SSL* ssl, const ServerNotes& notes, std::string_view name) {
  std::array<unsigned char, sizeof notes.identity + kMostName> bound;
  std::copy(notes.identity.begin(), notes.identity.end(), bound.begin());
  std::transform(name.begin(), name.end(), bound.begin() + notes.identity.size(),
                 [](unsigned char letter) { return static_cast<unsigned char>(std::tolower(letter)); });
  std::array<unsigned char, SHA256_DIGEST_LENGTH> id;
  SHA256(bound.data(), notes.identity.size() + name.size(), id.data());
  SSL_set_session_id_context(ssl, id.data(), id.size());
}

/// Before OpenSSL looks at a ticket, which it does before it calls back for the server name.
int on_client_hello(SSL* ssl, int* alert, void* chooser) {
  const auto name = name_in_hello(ssl);
  if (!name) {
    *alert = SSL_AD_DECODE_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
  }
  SSL_CTX* chosen = static_cast<CertificateChooser*>(chooser)->choose(*name);
  if (chosen == nullptr) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_CLIENT_HELLO_ERROR;
  }
  SSL_set_SSL_CTX(ssl, chosen);
  bind_session(ssl, notes_of(chosen), *name);
  return SSL_CLIENT_HELLO_SUCCESS;
}

}  // namespace

TlsContext new_server_context(const ServerTls& settings) {
  TlsContext made(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX* context = made.get();
  auto* notes = new ServerNotes;
  notes->tickets = settings.tickets;
  SSL_CTX_set_ex_data(context, notes_index(), notes);
  auto policy = settings.policy;
  if (settings.use == TlsUse::link) policy.min_version = "1.3";
  apply_policy(context, policy);
  limit_groups_and_signatures(context);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_alpn_select_cb(context, select_alpn, nullptr);
  SSL_CTX_set_tlsext_status_cb(context, staple);
  // An idle visitor keeps no record buffers; a link is never idle for long.
  if (settings.use == TlsUse::public_edge) SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // what is resumed is in the ticket
  if (settings.tickets != nullptr) {
    SSL_CTX_set_timeout(context, std::chrono::seconds(TicketKeyRing::kLifetime).count());
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, seal_or_open);
    // OpenSSL would make two, so that a client can use each once; those who care wait for the next handshake's.
    SSL_CTX_set_num_tickets(context, 1);
  } else {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
  }
  return made;
}

ServerNotes& notes_of(const SSL_CTX* context) {
  return *static_cast<ServerNotes*>(SSL_CTX_get_ex_data(context, notes_index()));
}

void choose_by_name(SSL_CTX* context, CertificateChooser& chooser) {
  SSL_CTX_set_client_hello_cb(context, on_client_hello, &chooser);
  // Only acknowledges the name, which makes OpenSSL remember it with the session.
  SSL_CTX_set_tlsext_servername_callback(
      context, +[](SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; });
}

}  // namespace adit::net
