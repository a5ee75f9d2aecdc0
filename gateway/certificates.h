#pragma once
// The certificates of the manifests as TLS contexts, made at the first handshake that needs them.

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/published.h"
#include "net/tls_context.h"
#include "routing/table.h"

namespace adit::gateway {

/// Chooses by server name from the newest table. One per thread, since contexts are cached without a lock.
class Certificates final : public net::CertificateChooser {
 public:
  /// For public listeners.
  explicit Certificates(const base::Published<routing::Table>& tables);
  /// For the link listener: it serves `own`, whatever the client asked for, so that no tunnel can put its certificate
  /// in that place; while there is none, that of the table for the name asked for, or else for `link_host`.
  Certificates(const base::Published<routing::Table>& tables, const base::Published<routing::Certificate>& own,
               std::string link_host);

  SSL_CTX* choose(std::string_view name) override;

 private:
  std::shared_ptr<const routing::Certificate> of_link(std::string_view name);
  std::shared_ptr<const routing::Certificate> of_public(std::string_view name);

  base::Snapshot<routing::Table> tables_;
  net::TlsUse use_;
  std::optional<base::Snapshot<routing::Certificate>> own_;
  std::string link_host_;
  struct Entry {
    net::TlsContext context;  ///< nullptr: it could not be made, which was logged
    std::weak_ptr<const routing::Certificate> certificate;
  };
  std::unordered_map<std::string, Entry> by_fingerprint_;
};

}  // namespace adit::gateway
