#pragma once
// Where a gateway's route tables come from: a folder of manifests, or an operator.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "routing/table.h"

namespace adit::gateway {

struct Shared;

/// How the gateway stands with its operator, for /status.
struct OperatorStatus {
  std::string url;
  bool connected = false;
  std::string remote;   ///< ADDRESS:PORT of the present session
  bool synced = false;  ///< in the present session
  std::string version;  ///< in force; empty: none yet
  std::size_t tunnels = 0;
  std::size_t refused = 0;
  std::string problem;  ///< why there is no session; empty while there is one
};

/// Has a thread of its own between start() and stop(); the rest is called by the thread that owns it, but where said.
class ConfigurationSource {
 public:
  using TablePtr = std::shared_ptr<const routing::Table>;
  /// Called by the source's thread. The table is in force when it returns.
  using Publish = std::function<void(TablePtr table)>;

  virtual ~ConfigurationSource() = default;

  /// What to begin with, before the gateway listens. An error ends the start.
  virtual base::Result<TablePtr> first_table() = 0;
  /// `shared` outlives stop().
  virtual base::Result<void> start(Shared& shared, Publish publish) = 0;
  /// Nothing is published any more.
  virtual void stop() = 0;

  // Any thread.
  /// An error says what the gateway waits for before it can serve.
  virtual base::Result<void> ready() const { return {}; }
  virtual std::optional<OperatorStatus> operator_status() const { return std::nullopt; }
};

}  // namespace adit::gateway
