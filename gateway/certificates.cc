#include "gateway/certificates.h"

#include "base/log.h"

namespace adit::gateway {

Certificates::Certificates(const base::Published<routing::Table>& tables)
    : tables_(tables), use_(net::TlsUse::public_edge) {}

Certificates::Certificates(const base::Published<routing::Table>& tables,
                           const base::Published<routing::Certificate>& own, std::string link_host)
    : tables_(tables), use_(net::TlsUse::link), own_(own), link_host_(std::move(link_host)) {}

std::shared_ptr<const routing::Certificate> Certificates::of_link(std::string_view name) {
  if (auto own = own_->get()) return own;
  const auto& table = *tables_.get();
  for (const auto& asked : {name, std::string_view(link_host_)}) {
    if (auto found = table.server_name(asked).first()) return found;
  }
  return table.default_certificates().empty() ? nullptr : table.default_certificates()[0];
}

std::shared_ptr<const routing::Certificate> Certificates::of_public(std::string_view name) {
  const auto& table = *tables_.get();
  const auto found = table.server_name(name);
  // A host with Private rules only handshakes like an unknown name.
  if (auto certificate = found.first(); certificate && !found.only_private) return certificate;
  return table.default_certificates().empty() ? nullptr : table.default_certificates()[0];
}

SSL_CTX* Certificates::choose(std::string_view name) {
  const auto certificate = use_ == net::TlsUse::link ? of_link(name) : of_public(name);
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
