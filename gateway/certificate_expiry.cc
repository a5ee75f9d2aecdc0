#include "gateway/certificate_expiry.h"

#include <algorithm>
#include <ctime>
#include <vector>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace adit::gateway {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

}  // namespace

std::optional<std::int64_t> expiry_of(std::string_view chain_pem) {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(chain_pem.data(), static_cast<int>(chain_pem.size())));
  const std::unique_ptr<X509, FreeX509> leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  std::tm end{};
  if (!leaf || ASN1_TIME_to_tm(X509_get0_notAfter(leaf.get()), &end) != 1) return std::nullopt;
  return timegm(&end);
}

std::optional<std::int64_t> CertificateExpiry::of(const std::shared_ptr<const routing::Certificate>& certificate) {
  auto& known = known_[certificate.get()];
  // Another certificate may have been put where one was that is gone.
  if (known.certificate.lock() != certificate) known = {certificate, expiry_of(certificate->chain_pem)};
  return known.expiry;
}

void CertificateExpiry::collect(const routing::Table& table, std::string_view link_chain,
                                telemetry::Families& families) {
  std::erase_if(known_, [](const auto& item) { return item.second.certificate.expired(); });
  struct Use {
    std::int64_t expiry;
    routing::Table::CertificateUse use;
  };
  std::vector<Use> uses;
  for (auto& use : table.all_certificates()) {
    if (const auto expiry = of(use.certificate)) uses.push_back({*expiry, std::move(use)});
  }
  families.gauge("adit_gateway_certificates", "Certificates of tunnels that are in use.").add({}, uses.size());
  const auto shown = uses.begin() + static_cast<std::ptrdiff_t>(std::min(uses.size(), kMost));
  std::partial_sort(uses.begin(), shown, uses.end(), [](const Use& a, const Use& b) { return a.expiry < b.expiry; });
  auto family = families.gauge("adit_gateway_certificate_expiry_timestamp_seconds",
                               "When a tunnel's certificate expires, in seconds since the Unix epoch.");
  for (auto next = uses.begin(); next != shown; ++next) {
    const std::string_view tunnel = next->use.tunnel ? std::string_view(next->use.tunnel->name) : std::string_view();
    family.add({{"tunnel", tunnel}, {"secret", next->use.certificate->name}}, next->expiry);
  }
  auto link = families.gauge("adit_gateway_link_certificate_expiry_timestamp_seconds",
                             "When the certificate of the link listener expires, in seconds since the Unix epoch.");
  if (const auto expiry = expiry_of(link_chain)) link.add({}, *expiry);
}

}  // namespace adit::gateway
