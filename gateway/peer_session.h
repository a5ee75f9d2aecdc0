#pragma once
// How the sessions of links between gateways differ from those of connectors.

#include "gateway/buffer_budgets.h"

namespace adit::gateway {

/// Peers are few and near, and many visitors may hang on one: silence is found out sooner, after 3 s. All links of peers
/// share the budget of one tunnel.
inline link::SessionOptions peer_session_options(BufferBudgets& buffers) {
  auto options = buffers.session_options("peers");
  options.peer = true;
  options.ping_after = std::chrono::seconds(1);
  options.suspect_after = std::chrono::seconds(1);
  options.dead_after = std::chrono::seconds(1);
  return options;
}

}  // namespace adit::gateway
