#include "gateway/certificates.h"

#include "base/log.h"

namespace adit::gateway {

Certificates::Certificates(const base::Published<routing::Table>& tables, net::TlsUse use, std::string link_host)
    : tables_(tables), use_(use), link_host_(std::move(link_host)) {}

SSL_CTX* Certificates::choose(std::string_view name) {
  const auto& table = *tables_.get();
  auto found = table.server_name(name);
  if (use_ == net::TlsUse::link) {
    if (!found.certificate) found = table.server_name(link_host_);
  } else if (found.only_private) {
    found = {};  // handshake like an unknown name
  }
  const auto& certificate = found.certificate ? found.certificate : table.default_certificate();
  if (!certificate) return nullptr;
  auto& entry = by_fingerprint_[certificate->fingerprint];
  if (!entry.context && entry.certificate.expired()) {
    entry.certificate = certificate;
    auto made = net::make_server_context(use_, certificate->chain_pem, certificate->key_pem);
    if (made) {
      entry.context = *made;
    } else {
      base::log::error("certificate cannot be used", {{"secret", certificate->name}, {"reason", made.error()}});
    }
    // A renewed certificate leaves its predecessor behind.
    std::erase_if(by_fingerprint_, [](const auto& other) { return other.second.certificate.expired(); });
  }
  return by_fingerprint_[certificate->fingerprint].context.get();
}

}  // namespace adit::gateway
