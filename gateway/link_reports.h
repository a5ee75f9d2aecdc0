#pragma once
// What the operator is told of this gateway's links.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/messages.h"
#include "gateway/link_directory.h"

namespace adit::gateway {

/// Keeps what every tunnel's links look like, and which tunnels the operator has yet to be told of. Sans-io.
class LinkReports {
 public:
  /// A new session: everything there is has to be told.
  void restart();
  /// The links there are now. A suspect link counts like a live one: that passes within seconds, or the link ends.
  void update(const std::vector<LinkDirectory::Entry>& links);
  /// The next report; nothing when all was told.
  std::optional<std::string> next_message();

 private:
  using Connectors = std::vector<control::LiveConnector>;

  std::map<std::string, Connectors> now_;  ///< tunnel id → never empty
  std::set<std::string> untold_;
};

}  // namespace adit::gateway
