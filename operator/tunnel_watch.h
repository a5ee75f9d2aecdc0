#pragma once
// All Tunnels of the watched namespaces, as one.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kube/reflector.h"

namespace adit::controller {

/// One reflector for each watched namespace, or one for all.
class TunnelWatch {
 public:
  using OnChanges = kube::Reflector::OnChanges;

  /// `spaces`: the namespaces; one empty name: all. `on_listed` is called once, on a reflector's thread, when
  /// `on_changes` has been told of every namespace's first list.
  TunnelWatch(kube::Api& api, const std::vector<std::string>& spaces, const OnChanges& on_changes,
              const std::function<void()>& on_listed);

  void start();
  void stop();

  kube::ObjectPtr find(const std::string& key) const;
  std::vector<kube::ObjectPtr> all() const;
  /// Every namespace has been listed, and told of.
  bool is_listed() const { return unlisted_ == 0; }
  /// Why one of them cannot be listed or watched; absent while all is well.
  std::optional<kube::ApiError> failure() const;

 private:
  std::atomic<std::size_t> unlisted_;  ///< namespaces
  std::vector<std::unique_ptr<kube::Reflector>> reflectors_;
};

}  // namespace adit::controller
