#pragma once
// What a server's context knows beyond OpenSSL's own settings, and the callbacks that use it.

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "net/ocsp_staple.h"
#include "net/tls_context.h"

namespace adit::net {

/// Belongs to one SSL_CTX and is freed with it.
struct ServerNotes {
  std::array<std::uint8_t, 32> identity{};
  TicketSealer* tickets = nullptr;
  std::vector<std::pair<const X509*, OcspStaple>> staples;  ///< by leaf, which the context keeps
};

/// A context with the settings that all contexts of a server must share, since OpenSSL takes some from the one that a
/// handshake began with and some from the one it chose; and its notes, to be filled in before it is used.
TlsContext new_server_context(const ServerTls& settings);
ServerNotes& notes_of(const SSL_CTX* context);

/// Makes handshakes that begin with `context` go on with one that `chooser` gives.
void choose_by_name(SSL_CTX* context, CertificateChooser& chooser);

}  // namespace adit::net
