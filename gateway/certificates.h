#pragma once
// The certificates of the manifests as TLS contexts, made at the first handshake that needs them.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/published.h"
#include "net/tls_context.h"
#include "routing/table.h"

namespace adit::gateway {

/// The name under which links are opened, and what proves it: that, so that no tunnel can put its certificate in this
/// place, and only while there is none what the table says of the name.
struct LinkName {
  std::string host = {};  ///< --link-host, without a final dot; empty: none
  const base::Published<routing::Certificate>* certificate = nullptr;  ///< of --link-cert, or the operator's
};

/// Chooses by server name from the newest table; a context holds all key pairs of its host. One per thread, since
/// contexts are cached without a lock.
class Certificates final : public net::CertificateChooser {
 public:
  /// All contexts are made with `tls`. With TlsUse::link, for the link listener, the certificate of `link` is shown
  /// whatever the client asked for; without, for public ones, to those who ask for its host.
  explicit Certificates(const base::Published<routing::Table>& tables, net::ServerTls tls = {},
                        const LinkName& link = {});

  SSL_CTX* choose(std::string_view name) override;

 private:
  using Pairs = std::span<const std::shared_ptr<const routing::Certificate>>;

  Pairs of_link_host();
  Pairs of_link(std::string_view name);
  Pairs of_public(std::string_view name);
  net::TlsContext make(Pairs pairs, std::string_view identity) const;

  base::Snapshot<routing::Table> tables_;
  net::ServerTls tls_;
  std::string link_host_;
  std::optional<base::Snapshot<routing::Certificate>> link_certificate_;
  struct Entry {
    net::TlsContext context;                          ///< nullptr: it could not be made, which was logged
    std::weak_ptr<const routing::Certificate> first;  ///< tells when it is no longer in use
  };
  std::unordered_map<std::string, Entry> by_fingerprints_;
  std::string identity_;  ///< of the handshake at hand; kept for its memory
};

}  // namespace adit::gateway
