#pragma once
// The budgets of what links may buffer: one of the process and, as long as it has links, one of each tunnel.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "link/buffer_budget.h"
#include "link/session.h"

namespace adit::gateway {

/// Bytes; docs/configuration.md, "Memory".
struct BufferLimits {
  std::uint64_t process = 512 << 20;
  std::uint64_t tunnel = 256 << 20;
  std::uint64_t link = 128 << 20;
};

/// Any thread; a lock, for links that begin only.
class BufferBudgets {
 public:
  explicit BufferBudgets(BufferLimits limits)
      : limits_(limits), process_(std::make_shared<link::BufferBudget>(limits.process)) {}

  /// For a link of that tunnel.
  link::SessionOptions session_options(const std::string& tunnel_id);
  const BufferLimits& limits() const { return limits_; }
  const link::BufferBudget& process() const { return *process_; }

 private:
  const BufferLimits limits_;
  const std::shared_ptr<link::BufferBudget> process_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<link::BufferBudget>> tunnels_;
};

}  // namespace adit::gateway
