#include "control/certificate_use.h"

#include <algorithm>
#include <utility>

namespace adit::control {

std::vector<std::string> CertificateUse::name(const std::string& id, std::vector<std::string> fingerprints) {
  std::sort(fingerprints.begin(), fingerprints.end());
  fingerprints.erase(std::unique(fingerprints.begin(), fingerprints.end()), fingerprints.end());
  for (const auto& fingerprint : fingerprints) {
    const auto use = uses_.find(fingerprint);
    if (use != uses_.end() && use->second++ == 0) std::erase(unnamed_, fingerprint);
  }
  auto former = std::exchange(named_[id], std::move(fingerprints));
  if (named_[id].empty()) named_.erase(id);
  auto forgotten = std::exchange(unnamed_, {});
  for (const auto& fingerprint : forgotten) uses_.erase(fingerprint);
  for (auto& fingerprint : former) {
    const auto use = uses_.find(fingerprint);
    if (use == uses_.end() || --use->second != 0) continue;
    uses_.erase(use);
    forgotten.push_back(std::move(fingerprint));
  }
  return forgotten;
}

void CertificateUse::add(std::string fingerprint) {
  if (uses_.try_emplace(fingerprint, 0).second) unnamed_.push_back(std::move(fingerprint));
}

}  // namespace adit::control
