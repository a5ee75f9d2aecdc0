#include "operator/tunnel_watch.h"

#include <utility>

#include "operator/tunnel_controller.h"

namespace adit::controller {

TunnelWatch::TunnelWatch(kube::Api& api, const std::vector<std::string>& spaces, const OnChanges& on_changes,
                         const std::function<void()>& on_listed)
    : unlisted_(spaces.size()) {
  for (const auto& space : spaces) {
    kube::ReflectorOptions options;
    options.selection.resource = tunnels();
    options.selection.space = space;
    options.name = "tunnels";
    const auto tell = [this, on_changes, on_listed, is_first = true](const std::vector<kube::Change>& changes) mutable {
      on_changes(changes);
      if (std::exchange(is_first, false) && --unlisted_ == 0) on_listed();
    };
    reflectors_.push_back(std::make_unique<kube::Reflector>(api, std::move(options), tell));
  }
}

void TunnelWatch::start() {
  for (auto& reflector : reflectors_) reflector->start();
}

void TunnelWatch::stop() {
  for (auto& reflector : reflectors_) reflector->stop();
}

kube::ObjectPtr TunnelWatch::find(const std::string& key) const {
  for (const auto& reflector : reflectors_) {
    if (auto object = reflector->store().find(key)) return object;
  }
  return nullptr;
}

std::vector<kube::ObjectPtr> TunnelWatch::all() const {
  std::vector<kube::ObjectPtr> objects;
  for (const auto& reflector : reflectors_) {
    auto some = reflector->store().all();
    objects.insert(objects.end(), some.begin(), some.end());
  }
  return objects;
}

std::optional<kube::ApiError> TunnelWatch::failure() const {
  for (const auto& reflector : reflectors_) {
    if (auto failure = reflector->store().failure()) return failure;
  }
  return std::nullopt;
}

}  // namespace adit::controller
