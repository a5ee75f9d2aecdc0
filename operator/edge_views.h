#pragma once
// What gateways say of each tunnel, where any thread may read it.

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "operator/tunnel_status.h"

namespace adit::controller {

/// For metrics and the status page.
struct GatewayStatus {
  std::string id;
  std::string remote;
  std::string version;
  bool synced = false;
  bool current = false;
  std::size_t tunnels_with_links = 0;
};

/// Written by the thread of the gateways' sessions.
class EdgeViews {
 public:
  /// Of the tunnel with this id; an empty one when nothing is known.
  EdgeView find(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = views_.find(id);
    return found == views_.end() ? EdgeView{} : found->second;
  }
  /// False while gateways may still be on their way to a new leader: what is missing now may only be late.
  bool is_settled() const {
    const std::lock_guard lock(mutex_);
    return settled_;
  }

  /// True if that is something new.
  bool set(const std::string& id, EdgeView view) {
    const std::lock_guard lock(mutex_);
    auto& present = views_[id];
    if (present == view) return false;
    present = std::move(view);
    return true;
  }
  void erase(const std::string& id) {
    const std::lock_guard lock(mutex_);
    views_.erase(id);
  }
  void set_settled(bool settled) {
    const std::lock_guard lock(mutex_);
    settled_ = settled;
  }
  void set_gateways(std::vector<GatewayStatus> gateways) {
    const std::lock_guard lock(mutex_);
    gateways_ = std::move(gateways);
  }
  std::vector<GatewayStatus> gateways() const {
    const std::lock_guard lock(mutex_);
    return gateways_;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    views_.clear();
    gateways_.clear();
    settled_ = false;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, EdgeView> views_;
  std::vector<GatewayStatus> gateways_;
  bool settled_ = false;
};

}  // namespace adit::controller
