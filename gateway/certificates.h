#pragma once
// The certificates of the manifests as TLS contexts, made at the first handshake that needs them.

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
  /// `link_host`: of the link listener, which serves that name's certificate whatever the client asked for, unless the
  /// manifests have one for the name it asked for. Empty for public listeners.
  Certificates(const base::Published<routing::Table>& tables, net::TlsUse use, std::string link_host = {});

  SSL_CTX* choose(std::string_view name) override;

 private:
  base::Snapshot<routing::Table> tables_;
  net::TlsUse use_;
  std::string link_host_;
  struct Entry {
    net::TlsContext context;  ///< nullptr: it could not be made, which was logged
    std::weak_ptr<const routing::Certificate> certificate;
  };
  std::unordered_map<std::string, Entry> by_fingerprint_;
};

}  // namespace adit::gateway
