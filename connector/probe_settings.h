#pragma once
// How a connector finds out whether a service of its own is healthy.

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace adit::connector {

/// The probe of one service.
struct ProbeSettings {
  std::string service;  ///< its name
  std::string path;     ///< of a GET that must be answered 2xx or 3xx; empty: the connection is all (TLS included)
  std::chrono::milliseconds interval{5'000};
  std::chrono::milliseconds timeout{2'000};  ///< of a probe, all of it
  unsigned down_after = 3;                   ///< failures in a row
  unsigned up_after = 1;                     ///< successes in a row
};

/// Reads "NAME=tcp" or "NAME=http:/PATH", or the kind alone for the service "default"; behind it "?interval=5s",
/// "timeout=2s", "down=3" and "up=1", joined by "&". So a path has no query. The error names what is wrong.
base::Result<ProbeSettings> parse_probe(std::string_view text);

}  // namespace adit::connector
