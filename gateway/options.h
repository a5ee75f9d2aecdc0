#pragma once
// What the command line, ADIT_* environment and configuration file of adit-gateway say (docs/configuration.md).

#include <chrono>
#include <filesystem>
#include <string>

#include "base/log.h"
#include "base/settings.h"
#include "gateway/buffer_budgets.h"
#include "gateway/edge_settings.h"
#include "gateway/peer_credentials.h"

namespace adit::gateway {

struct Options {
  std::filesystem::path manifests;
  std::string operator_url;  ///< instead of manifests
  std::filesystem::path operator_token_file;
  std::filesystem::path operator_ca_file;
  std::filesystem::path state_dir;  ///< empty: no copy of the operator's configuration is kept
  base::ListenAddress http{"", 8080, false};
  base::ListenAddress https{"", 8443, false};
  base::ListenAddress link{"", 7443, false};
  base::ListenAddress admin{"127.0.0.1", 9090, false};
  std::string link_host;
  std::filesystem::path link_cert;
  std::filesystem::path link_key;
  base::ListenAddress peer_listen{"", 0, true};
  std::vector<std::string> peers;  ///< HOST:PORT each
  PeerFiles peer_files;
  unsigned workers = 0;  ///< 0: one per core
  std::string access_log = "-";
  std::string log_level = "info";
  std::chrono::milliseconds answer_timeout{60'000};
  std::chrono::milliseconds drain_time{30'000};
  std::chrono::milliseconds drain_delay{0};
  bool insecure = false;
  bool check = false;
  BufferLimits buffers;
  EdgeSettings edge;
};

/// Fills `options`; see base::ParseOutcome for what to do next.
base::ParseOutcome parse_options(Options& options, int argc, const char* const* argv, const char* const* environment);

}  // namespace adit::gateway
