#pragma once
// Kubernetes objects as JSON, and the little that this library wants to know of one.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace adit::kube {

using Json = nlohmann::json;

/// A resource of the API, such as {"adit.dev", "v1alpha1", "tunnels", "Tunnel"}.
struct Resource {
  std::string group;    ///< empty: the core group
  std::string version;  ///< "v1"
  std::string plural;   ///< "tunnels"
  std::string kind;     ///< "Tunnel"
  bool namespaced = true;

  /// "adit.dev/v1alpha1", or "v1" for the core group.
  std::string api_version() const;
};

/// Which object of a resource.
struct Name {
  std::string space;  ///< empty: cluster-scoped
  std::string name;

  /// "space/name", or "name" without a space: the key of stores and queues.
  std::string key() const { return space.empty() ? name : space + "/" + name; }
  friend auto operator<=>(const Name&, const Name&) = default;  // NOLINT(modernize-use-nullptr): its own zero
};

// From metadata; empty (or 0) when absent or of another type: objects come from outside.
Name name_of(const Json& object);
std::string uid_of(const Json& object);
std::string resource_version_of(const Json& object);
std::int64_t generation_of(const Json& object);
/// metadata.annotations[name] or metadata.labels[name]; empty when absent.
std::string annotation_of(const Json& object, std::string_view name);
std::string label_of(const Json& object, std::string_view name);
/// The text at a path of member names; empty when it is absent or no string.
std::string text_at(const Json& object, std::initializer_list<std::string_view> path);
/// The value at a path of member names; nullptr when absent.
const Json* find(const Json& object, std::initializer_list<std::string_view> path);
/// `text` as the API server takes it for a message: valid UTF-8 (other bytes become U+FFFD) of at most `most` bytes,
/// cut between characters.
std::string message_text(std::string_view text, std::size_t most);

}  // namespace adit::kube
