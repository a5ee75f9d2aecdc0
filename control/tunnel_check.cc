#include "control/tunnel_check.h"

#include <map>
#include <set>
#include <utility>

#include "control/filters_json.h"
#include "routing/certificates.h"
#include "routing/filter_values.h"
#include "routing/host_name.h"
#include "routing/object_name.h"
#include "routing/problem.h"
#include "routing/url_path.h"
#include "routing/uuid.h"

namespace adit::control {
namespace {

using routing::in_quotes;

constexpr std::size_t kMostCertificates = 4;  // of one host: there are hardly more types of keys

bool is_full_name(std::string_view name) {
  const auto slash = name.find('/');
  return slash != std::string_view::npos && routing::is_dns_label(name.substr(0, slash)) &&
         routing::is_dns_subdomain(name.substr(slash + 1));
}

/// What is wrong with a rule by itself; empty: nothing.
std::string wrong_rule(const routing::Rule& rule) {
  const auto host = routing::canonical_host(rule.host);
  if (!host || *host != rule.host) return "host " + in_quotes(rule.host) + " is not canonical";
  const auto path = routing::rule_path(rule.path);
  if (!path || *path != rule.path) return "path " + in_quotes(rule.path) + " is not canonical";
  if (!routing::is_service_name(rule.service)) return "service " + in_quotes(rule.service) + " is no name of a service";
  if (!rule.filters) return {};
  const auto why = wrong_filters(*rule.filters);
  return why.empty() ? why : "the rule of " + rule.host + rule.path + " has " + why;
}

/// What is wrong with all rules; fills `hosts`.
std::string wrong_rules(const std::vector<routing::Rule>& rules, std::set<std::string_view>& hosts) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const auto& rule : rules) {
    if (auto why = wrong_rule(rule); !why.empty()) return why;
    if (!seen.emplace(rule.host, rule.path).second) return rule.host + rule.path + " has two rules";
    hosts.insert(rule.host);
  }
  return {};
}

/// The key pairs that hosts name, in `found`.
std::string wrong_certificates(const std::vector<HostFingerprint>& named, const std::set<std::string_view>& hosts,
                               const FindCertificate& find, std::vector<routing::HostCertificate>& found) {
  std::map<std::string_view, std::set<std::string_view>> seen;
  for (const auto& [host, fingerprint] : named) {
    if (!hosts.contains(host)) return "a certificate for " + in_quotes(host) + ", which has no rule";
    auto& of_host = seen[host];
    if (!of_host.insert(fingerprint).second) return "the same certificate twice for " + host;
    if (of_host.size() > kMostCertificates) return "more than 4 certificates for " + host;
    const auto* checked = find(fingerprint);
    if (checked == nullptr) return "the certificate of " + host + " was not sent";
    if (!checked->certificate) return "the certificate of " + host + " " + checked->reason;
    found.push_back({host, checked->certificate});
  }
  return {};
}

}  // namespace

CheckedCertificate check_certificate(const routing::Certificate& certificate) {
  routing::SecretObject secret;
  secret.type = "kubernetes.io/tls";
  secret.data = {{"tls.crt", certificate.chain_pem}, {"tls.key", certificate.key_pem}};
  if (!certificate.ocsp.empty()) secret.data["tls.ocsp-staple"] = certificate.ocsp;
  const auto pair = routing::KeyPair::read(secret);
  if (!pair) return {nullptr, pair.error()};
  if (!pair->staple_fault().empty()) return {nullptr, pair->staple_fault()};
  auto checked = std::make_shared<routing::Certificate>(*pair->certificate());
  checked->name = certificate.name;
  if (checked->fingerprint != certificate.fingerprint) return {nullptr, "has another fingerprint than was said"};
  return {std::move(checked), {}};
}

CheckedCertificate trust_certificate(std::shared_ptr<const routing::Certificate> certificate) {
  if (routing::fingerprint_of(*certificate) != certificate->fingerprint)
    return {nullptr, "has another fingerprint than was said"};
  return {std::move(certificate), {}};
}

base::Result<routing::TunnelConfigurationPtr> check_tunnel(TunnelMessage message, const FindCertificate& find) {
  if (routing::canonical_uuid(message.tunnel->id) != message.tunnel->id) {
    return base::Error{"id " + in_quotes(message.tunnel->id) + " is not a UUID in lower case"};
  }
  if (!is_full_name(message.tunnel->name)) {
    return base::Error{"name " + in_quotes(message.tunnel->name) + " is not NAMESPACE/NAME"};
  }
  if (message.tunnel->offline_page.size() > routing::kLongestOfflinePage) {
    return base::Error{"the offline page is longer than 32 KiB"};
  }
  const auto& affinity = message.tunnel->affinity;
  if (affinity.mode == routing::Affinity::Mode::cookie && !routing::cookie_name_fault(affinity.cookie_name).empty()) {
    return base::Error{in_quotes(affinity.cookie_name) + " is no name of a cookie"};
  }
  if (!message.fault.empty()) return base::Error{std::move(message.fault)};
  std::set<std::string_view> hosts;
  if (auto why = wrong_rules(message.rules, hosts); !why.empty()) return base::Error{std::move(why)};
  auto configuration = std::make_shared<routing::TunnelConfiguration>();
  auto why = wrong_certificates(message.certificates, hosts, find, configuration->certificates);
  if (!why.empty()) return base::Error{std::move(why)};
  configuration->tunnel = std::move(message.tunnel);
  configuration->rules = std::move(message.rules);
  return routing::TunnelConfigurationPtr(std::move(configuration));
}

}  // namespace adit::control
