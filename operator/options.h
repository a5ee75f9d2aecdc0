#pragma once
// What the command line, ADIT_* environment and configuration file of adit-operator say (docs/configuration.md).

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/settings.h"
#include "routing/host_policy.h"

namespace adit::controller {

struct Options {
  std::filesystem::path kubeconfig;  ///< empty: the ServiceAccount of the pod
  std::string context;
  std::string space;                    ///< the operator's own namespace
  std::vector<std::string> namespaces;  ///< to watch; empty: all

  base::ListenAddress control{"", 9443, false};
  std::vector<std::string> control_names;  ///< by which gateways dial this operator
  base::ListenAddress admin{"127.0.0.1", 9092, false};

  std::string gateway_address;                ///< HOST:PORT that connectors dial
  std::vector<std::string> public_addresses;  ///< for status.addresses
  std::string gateway_service_account = "adit-gateway";
  std::string gateway_audience;  ///< default: adit.dev/NAMESPACE
  std::filesystem::path gateway_token_file;

  std::string lease_name = "adit-operator";
  std::chrono::milliseconds lease_duration{15'000};
  std::chrono::milliseconds renew_deadline{10'000};
  std::chrono::milliseconds retry_period{2'000};

  std::chrono::milliseconds token_overlap{3'600'000};
  unsigned writes_per_second = 50;
  routing::HostPolicy host_policy;
  std::string log_level = "info";
};

/// Fills `options`; see base::ParseOutcome for what to do next.
base::ParseOutcome parse_options(Options& options, int argc, const char* const* argv, const char* const* environment);

}  // namespace adit::controller
