#include "gateway/buffer_budgets.h"

namespace adit::gateway {

link::SessionOptions BufferBudgets::session_options(const std::string& tunnel_id) {
  link::SessionOptions options;
  options.most_buffered = limits_.link;
  const std::lock_guard lock(mutex_);
  std::erase_if(tunnels_, [](const auto& entry) { return entry.second.expired(); });
  auto& held = tunnels_[tunnel_id];
  options.budget = held.lock();
  if (!options.budget) held = options.budget = std::make_shared<link::BufferBudget>(limits_.tunnel, process_);
  return options;
}

}  // namespace adit::gateway
