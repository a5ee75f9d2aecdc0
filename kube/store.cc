#include "kube/store.h"

#include <utility>

namespace adit::kube {
namespace {

/// One version of an object has one content, so the version decides; objects without one are compared whole.
bool same(const Json& before, const Json& after) {
  const auto version = resource_version_of(after);
  if (!version.empty()) return resource_version_of(before) == version;
  return before == after;
}

}  // namespace

ObjectPtr Store::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

std::vector<ObjectPtr> Store::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<ObjectPtr> objects;
  objects.reserve(objects_.size());
  for (const auto& [key, object] : objects_) objects.push_back(object);
  return objects;
}

std::size_t Store::size() const {
  const std::lock_guard lock(mutex_);
  return objects_.size();
}

bool Store::is_synced() const {
  const std::lock_guard lock(mutex_);
  return synced_;
}

std::optional<ApiError> Store::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

std::optional<Change> Store::set(ObjectPtr object) {
  auto key = name_of(*object).key();
  const std::lock_guard lock(mutex_);
  auto& place = objects_[key];
  if (place && same(*place, *object)) return std::nullopt;
  Change change{std::move(key), std::move(place), object};
  place = std::move(object);
  return change;
}

std::optional<Change> Store::erase(const std::string& key) {
  const std::lock_guard lock(mutex_);
  auto node = objects_.extract(key);
  if (node.empty()) return std::nullopt;
  return Change{key, std::move(node.mapped()), nullptr};
}

std::vector<Change> Store::replace(std::vector<ObjectPtr> objects) {
  std::unordered_map<std::string, ObjectPtr> next;
  next.reserve(objects.size());
  for (auto& object : objects) next.insert_or_assign(name_of(*object).key(), std::move(object));

  std::vector<Change> changes;
  const std::lock_guard lock(mutex_);
  for (auto& [key, before] : objects_) {
    if (!next.contains(key)) changes.push_back({key, before, nullptr});
  }
  for (auto& [key, after] : next) {
    const auto found = objects_.find(key);
    if (found == objects_.end()) {
      changes.push_back({key, nullptr, after});
    } else if (!same(*found->second, *after)) {
      changes.push_back({key, found->second, after});
    }
  }
  objects_.swap(next);
  synced_ = true;
  return changes;
}

void Store::set_failure(std::optional<ApiError> failure) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(failure);
}

}  // namespace adit::kube
