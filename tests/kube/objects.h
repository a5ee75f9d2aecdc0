#pragma once
// Objects and resources that the tests of this folder share.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "kube/object.h"
#include "kube/store.h"

namespace adit::kube {

inline const Resource& tunnels() {
  static const Resource kTunnels{"adit.dev", "v1alpha1", "tunnels", "Tunnel", true};
  return kTunnels;
}

/// A Tunnel of namespace "a".
inline Json tunnel(const std::string& name, const std::string& version = {}) {
  Json object{
      {"apiVersion", "adit.dev/v1alpha1"}, {"kind", "Tunnel"}, {"metadata", {{"namespace", "a"}, {"name", name}}}};
  if (!version.empty()) object["metadata"]["resourceVersion"] = version;
  return object;
}

inline ObjectPtr shared(Json object) { return std::make_shared<const Json>(std::move(object)); }

/// What a thread tells a test, which waits for it; a test that waits in vain fails after a long time.
class Signal {
 public:
  /// Changes what is waited for.
  void tell(const std::function<void()>& change) {
    {
      const std::lock_guard lock(mutex_);
      change();
    }
    changed_.notify_all();
  }
  bool wait(const std::function<bool()>& until) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), until);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace adit::kube
