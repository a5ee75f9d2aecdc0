#pragma once
// All objects of one selection, as the reflector last saw them.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "kube/api.h"
#include "kube/object.h"

namespace adit::kube {

using ObjectPtr = std::shared_ptr<const Json>;

/// What became of one object. Exactly one of the two may be nullptr: created, or gone.
struct Change {
  std::string key;  ///< Name::key()
  ObjectPtr before;
  ObjectPtr after;
};

/// Written by its reflector, read by any thread.
class Store {
 public:
  /// nullptr when there is none.
  ObjectPtr find(const std::string& key) const;
  std::vector<ObjectPtr> all() const;
  std::size_t size() const;
  /// The first list has been taken in.
  bool is_synced() const;
  /// Why the last list or watch failed; absent while all is well.
  std::optional<ApiError> failure() const;

  // For the reflector.
  /// One event of a watch. A `before` that is equal to what comes is no change: absent.
  std::optional<Change> set(ObjectPtr object);
  std::optional<Change> erase(const std::string& key);
  /// A whole list at once; the changes that it makes, none for objects whose resourceVersion is the same.
  std::vector<Change> replace(std::vector<ObjectPtr> objects);
  void set_failure(std::optional<ApiError> failure);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, ObjectPtr> objects_;
  bool synced_ = false;
  std::optional<ApiError> failure_;
};

}  // namespace adit::kube
