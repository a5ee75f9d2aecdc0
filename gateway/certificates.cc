#include "gateway/certificates.h"

#include "base/log.h"
#include "base/text.h"

namespace adit::gateway {

Certificates::Certificates(const base::Published<routing::Table>& tables, net::ServerTls tls, const LinkName& link)
    : tables_(tables), tls_(std::move(tls)), link_host_(link.host) {
  if (link.certificate != nullptr) link_certificate_.emplace(*link.certificate);
}

Certificates::Pairs Certificates::of_link_host() {
  if (!link_certificate_) return {};
  const auto& certificate = link_certificate_->get();
  return certificate ? Pairs(&certificate, 1) : Pairs();
}

Certificates::Pairs Certificates::of_link(std::string_view name) {
  if (const auto pairs = of_link_host(); !pairs.empty()) return pairs;
  const auto& table = *tables_.get();
  for (const auto& asked : {name, std::string_view(link_host_)}) {
    if (const auto found = table.server_name(asked).certificates; !found.empty()) return found;
  }
  return table.default_certificates();
}

Certificates::Pairs Certificates::of_public(std::string_view name) {
  if (!link_host_.empty() && base::equals_ignoring_case(name, link_host_)) {
    if (const auto pairs = of_link_host(); !pairs.empty()) return pairs;
  }
  const auto& table = *tables_.get();
  const auto found = table.server_name(name);
  // A host with Private rules only handshakes like an unknown name.
  if (!found.certificates.empty() && !found.only_private) return found.certificates;
  return table.default_certificates();
}

SSL_CTX* Certificates::choose(std::string_view name) {
  const auto pairs = tls_.use == net::TlsUse::link ? of_link(name) : of_public(name);
  if (pairs.empty()) return nullptr;
  identity_.clear();
  for (const auto& pair : pairs) identity_.append(pair->fingerprint).push_back(' ');
  const auto [found, is_new] = by_fingerprints_.try_emplace(identity_);
  auto& entry = found->second;
  if (entry.first.expired()) entry.first = pairs[0];  // new, or the same pairs in another table
  if (is_new) {
    entry.context = make(pairs, identity_);
    // A renewed certificate leaves its predecessor behind.
    std::erase_if(by_fingerprints_, [](const auto& other) { return other.second.first.expired(); });
  }
  return entry.context.get();
}

net::TlsContext Certificates::make(Pairs pairs, std::string_view identity) const {
  std::vector<net::KeyPair> views;
  for (const auto& pair : pairs) views.push_back({pair->name, pair->chain_pem, pair->key_pem, pair->ocsp});
  auto made = net::make_server_context(tls_, views, identity);
  for (const auto& problem : made.problems) {
    const bool none = made.context == nullptr;
    base::log::error("certificate cannot be used",
                     {{"secret", problem.name}, {"reason", problem.reason}, {"othersServe", !none}});
  }
  return made.context;
}

}  // namespace adit::gateway
