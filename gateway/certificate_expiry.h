#pragma once
// When the certificates in use expire, as metrics.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "routing/table.h"
#include "telemetry/metrics.h"

namespace adit::gateway {

/// Seconds since the Unix epoch at which the first certificate of a PEM chain expires; nothing if it cannot be read.
std::optional<std::int64_t> expiry_of(std::string_view chain_pem);

/// Reads each certificate once. One thread at a time.
class CertificateExpiry {
 public:
  /// Certificates on a page: those that expire first.
  static constexpr std::size_t kMost = 1000;

  /// `link_chain`: what the link listener serves now, PEM; empty: none.
  void collect(const routing::Table& table, std::string_view link_chain, telemetry::Families& families);

 private:
  std::optional<std::int64_t> of(const std::shared_ptr<const routing::Certificate>& certificate);

  struct Known {
    std::weak_ptr<const routing::Certificate> certificate;
    std::optional<std::int64_t> expiry;
  };
  std::unordered_map<const routing::Certificate*, Known> known_;
};

}  // namespace adit::gateway
