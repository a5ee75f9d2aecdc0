#pragma once
// What a gateway is told of one Tunnel object once every decision has been taken: who holds which host, which tokens
// and certificates count. The compiler makes these from manifests or from API objects; route tables are made from
// nothing else.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "routing/table.h"

namespace adit::routing {

/// A rule that stands. Host and path are canonical.
struct Rule {
  std::string host;
  std::string path;
  std::string service;
  bool is_private = false;
  FiltersPtr filters = nullptr;              ///< none
  std::optional<std::uint32_t> weight = {};  ///< among those that share host and path; absent: it shares with none
};
/// The same in every part.
bool operator==(const Rule& a, const Rule& b);

/// A key pair that serves a host, which may have several of one Tunnel.
struct HostCertificate {
  std::string host;
  std::shared_ptr<const Certificate> certificate;  ///< never nullptr
};

inline constexpr std::uint64_t kMostWeight = 1'000;

/// Immutable once made. Configurations of one set do not contradict each other: ids differ, and so do all pairs of host
/// and path but for rules that share theirs by weight (both have one, and the same visibility), and all certificates of
/// a host are of one Tunnel.
struct TunnelConfiguration {
  std::shared_ptr<const Tunnel> tunnel;  ///< never nullptr
  std::vector<Rule> rules;
  std::vector<HostCertificate> certificates;
};

/// The same in every part; certificates are compared by fingerprint.
bool operator==(const TunnelConfiguration& a, const TunnelConfiguration& b);

using TunnelConfigurationPtr = std::shared_ptr<const TunnelConfiguration>;

/// The table of a set that does not contradict itself; of what does, the first stands.
std::shared_ptr<const Table> build_table(std::span<const TunnelConfigurationPtr> configurations);

}  // namespace adit::routing
