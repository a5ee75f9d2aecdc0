#pragma once
// What the user asked of the program.

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/settings.h"
#include "connector/gateway_address.h"
#include "connector/probe_settings.h"
#include "connector/proxy.h"
#include "connector/service_map.h"
#include "connector/transport_choice.h"

namespace adit::connector {

struct Options {
  bool doctor = false;       ///< "adit-connector doctor": look for what is wrong, and end
  bool doctor_json = false;  ///< its --output
  std::vector<GatewayAddress> gateways;
  TransportMode transport = TransportMode::automatic;
  ProxySettings proxy;
  std::chrono::milliseconds dial_timeout{10'000};  ///< of each step of a dial
  std::string tunnel;                              ///< UUID
  std::filesystem::path token_file;
  std::filesystem::path ca_file;      ///< empty: the system's roots
  ServiceMap services;                ///< trust is not loaded yet
  std::vector<ProbeSettings> probes;  ///< each of a service of `services`, none twice
  unsigned links = 4;                 ///< to each gateway
  unsigned most_gateways = 0;         ///< to how many of them; 0: all
  base::ListenAddress admin{"127.0.0.1", 9091, false};
  std::string name;  ///< the same for all replicas of one Deployment; default the host's name
  bool insecure = false;
  std::chrono::milliseconds drain_time{30'000};
  unsigned workers = 1;
  std::uint64_t most_buffered = 256 << 20;       ///< bytes that services have not taken yet, of all links
  std::uint64_t most_buffered_link = 128 << 20;  ///< of one link
  base::log::Level log_level = base::log::Level::info;
};

/// The outcome, and the options when it says to run.
struct ParsedOptions {
  base::ParseOutcome outcome;
  Options options;
};

/// Reads command line, environment (ADIT_*; HTTPS_PROXY, ALL_PROXY and NO_PROXY) and --config FILE.
ParsedOptions parse_options(int argc, const char* const* argv, const char* const* environment);

}  // namespace adit::connector
