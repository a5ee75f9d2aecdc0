#include "routing/json_tree.h"

#include <string_view>

#include <nlohmann/json.hpp>

namespace adit::routing {
namespace {

using Json = nlohmann::json;

constexpr int kDeepest = 64;

/// False when the value is nested too deep.
bool convert(const Json& value, int depth, Node& node) {
  if (value.is_null()) return true;
  if (value.is_string()) {
    node.kind = Node::Kind::scalar;
    node.text = value.get_ref<const std::string&>();
    return true;
  }
  if (!value.is_structured()) {
    node.kind = Node::Kind::scalar;
    node.is_plain = true;
    if (!value.is_binary()) node.text = value.dump();
    return true;
  }
  if (depth == kDeepest) return false;
  node.kind = value.is_object() ? Node::Kind::map : Node::Kind::list;
  node.items.reserve(value.size());
  for (auto entry = value.begin(); entry != value.end(); ++entry) {
    Node& item = node.items.emplace_back();
    if (value.is_object()) item.key = entry.key();
    if (!convert(*entry, depth + 1, item)) return false;
  }
  return true;
}

Node known_metadata(const Json& metadata) {
  Node node{.kind = Node::Kind::map, .key = "metadata"};
  for (const char* name : {"name", "namespace", "creationTimestamp"}) {
    const auto found = metadata.find(name);
    if (found == metadata.end() || found->is_structured()) continue;
    Node& item = node.items.emplace_back();
    item.key = name;
    convert(*found, 0, item);
  }
  return node;
}

}  // namespace

base::Result<Node> object_tree(const Json& object) {
  Node tree;
  if (!object.is_object()) {
    if (convert(object, kDeepest, tree)) return tree;
    return base::Error{"must be a map"};
  }
  tree.kind = Node::Kind::map;
  for (auto entry = object.begin(); entry != object.end(); ++entry) {
    if (entry.key() == "status") continue;
    if (entry.key() == "metadata" && entry->is_object()) {
      tree.items.push_back(known_metadata(*entry));
      continue;
    }
    Node& item = tree.items.emplace_back();
    item.key = entry.key();
    if (!convert(*entry, 1, item)) return base::Error{"is nested more than 64 levels deep"};
  }
  return tree;
}

}  // namespace adit::routing
