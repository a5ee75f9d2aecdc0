#include "routing/manifest.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "routing/fields.h"
#include "routing/json_tree.h"
#include "routing/object_name.h"
#include "routing/uuid.h"
#include "routing/yaml_tree.h"

namespace adit::routing {
namespace {

constexpr const char* kSupported = "this version reads Tunnel (adit.dev/v1alpha1) and Secret (v1)";

/// The text at `name`, "" when there is none: for titles, before anything was checked.
std::string_view peek(const Node& map, std::string_view name) {
  for (const Node& item : map.items) {
    if (map.kind == Node::Kind::map && item.key == name) return item.text;
  }
  return {};
}

/// "Tunnel team-a/shop" for problems, as far as it can be told.
std::string title(const Node& object) {
  static constexpr std::size_t kShown = 300;
  const Node none;
  const Node* meta = &none;
  for (const Node& item : object.items) {
    if (item.key == "metadata") meta = &item;
  }
  const auto space = peek(*meta, "namespace");
  const auto name = peek(*meta, "name");
  std::string text(peek(object, "kind"));
  if (!name.empty()) text.append(" ").append(space.empty() ? "default" : space).append("/").append(name);
  std::string shown;
  base::append_json_escaped(shown, std::string_view(text).substr(0, kShown));
  return shown;
}

/// RFC 3339 in the one form that the API server writes: "2024-01-31T12:00:00Z". It sorts as text.
bool is_timestamp(std::string_view text) {
  static constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:ddZ";
  return std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(),
                    [](char c, char form) { return form == 'd' ? c >= '0' && c <= '9' : c == form; });
}

/// metadata as people write it and as `kubectl get -o yaml` prints it.
Meta read_meta(const Node& node, Report& report) {
  Meta meta;
  Fields fields(node, "metadata", report);
  if (const auto name = fields.required_text("name")) {
    meta.name = *name;
    if (!is_dns_subdomain(*name)) {
      fields.problem("name", "must be lower-case letters, digits, \"-\" and \".\", at most 253 characters (RFC 1123)");
    }
  }
  if (const auto space = fields.text("namespace")) {
    meta.space = *space;
    if (!is_dns_label(*space)) {
      fields.problem("namespace", "must be lower-case letters, digits and \"-\", at most 63 characters (RFC 1123)");
    }
  }
  fields.check_text_map("labels");
  fields.check_text_map("annotations");
  if (const auto created = fields.text("creationTimestamp")) {
    meta.created = *created;
    if (!is_timestamp(*created)) fields.problem("creationTimestamp", "must have the form 2024-01-31T12:00:00Z");
  }
  for (const char* written_by_server : {"uid", "resourceVersion", "generation", "managedFields", "ownerReferences",
                                        "finalizers", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    fields.ignore(written_by_server);
  }
  fields.report_unknown();
  return meta;
}

Meta read_meta_of(Fields& top, Report& report) {
  Meta meta;
  if (const Node* node = top.take("metadata")) {
    meta = read_meta(*node, report);
  } else {
    top.problem("metadata", "is required: at least {name: ...}");
  }
  meta.place = report.place(top.line());
  return meta;
}

/// True when `version` is the one that `kind` is read in.
bool check_version(Fields& top, std::string_view kind, std::string_view version, std::string_view expected) {
  if (version == expected) return true;
  top.problem("apiVersion", "must be " + std::string(expected) + " for a " + std::string(kind) + "; " + kSupported);
  return false;
}

void read_object(const Node& node, Report& report, Objects& objects);

/// kind: List, as `kubectl get -o yaml` prints several objects.
void read_list(Fields& top, Report& report, Objects& objects) {
  top.ignore("metadata");
  const Node* items = top.take("items");
  top.report_unknown();
  if (items == nullptr) return;
  if (items->kind != Node::Kind::list) {
    top.problem("items", "must be a list of objects");
    return;
  }
  for (const Node& item : items->items) read_object(item, report, objects);
}

void read_kind(Fields& top, std::string_view kind, std::string_view version, Report& report, Objects& objects) {
  if (kind == "Tunnel") {
    if (!check_version(top, kind, version, "adit.dev/v1alpha1")) return;
    Meta meta = read_meta_of(top, report);
    objects.tunnels.push_back(read_tunnel(top, std::move(meta), report));
  } else if (kind == "Secret") {
    if (!check_version(top, kind, version, "v1")) return;
    Meta meta = read_meta_of(top, report);
    objects.secrets.push_back(read_secret(top, std::move(meta), report));
  } else if (kind == "List") {
    if (check_version(top, kind, version, "v1")) read_list(top, report, objects);
    return;
  } else {
    top.problem("kind", in_quotes(kind) + " is not supported: " + kSupported, ProblemKind::unsupported);
    return;
  }
  top.report_unknown();
}

void read_object(const Node& node, Report& report, Objects& objects) {
  report.set_object(title(node));
  Fields top(node, "", report);
  if (!top.is_map()) return;
  const auto version = top.required_text("apiVersion");
  const auto kind = top.required_text("kind");
  if (version && kind) read_kind(top, *kind, *version, report, objects);
}

/// What of an object's metadata no file has.
void take_identity(const nlohmann::json& object, Meta& meta) {
  const auto& metadata = object.at("metadata");  // there, and a map: the object was read without a problem
  if (const auto uid = metadata.find("uid"); uid != metadata.end() && uid->is_string()) meta.uid = *uid;
  const auto generation = metadata.find("generation");
  if (generation != metadata.end() && generation->is_number_integer()) meta.generation = *generation;
}

ParsedManifest taken_whole(Objects objects, Report& report) {
  ParsedManifest parsed{std::move(objects), report.take()};
  if (!parsed.problems.empty()) parsed.objects = {};
  return parsed;
}

}  // namespace

std::string tls_field(const TunnelObject& tunnel, std::size_t index) {
  return tunnel.tls_secrets.size() == 1 ? "spec.tls.secretName" : entry_field("spec.tls.secretNames", index);
}

std::set<std::string> secrets_of(const TunnelObject& tunnel) {
  std::set<std::string> names(tunnel.tls_secrets.begin(), tunnel.tls_secrets.end());
  names.insert(tunnel.token_secrets.begin(), tunnel.token_secrets.end());
  for (const RouteSpec& route : tunnel.routes) {
    if (!route.logins.name.empty()) names.insert(route.logins.name);
  }
  return names;
}

std::string Place::text() const {
  return file_ && !file_->empty() ? *file_ + " line " + std::to_string(line) : "another object";
}

ParsedManifest parse_manifest(std::string_view text, const std::string& file) {
  Objects objects;
  Report report(file);
  const YamlText yaml = read_yaml(text);
  for (const Node& document : yaml.documents) read_object(document, report, objects);
  if (yaml.error) {
    report.set_object("");
    report.add(yaml.error->line, "", yaml.error->reason);
  }
  return taken_whole(std::move(objects), report);
}

ParsedManifest parse_object(const nlohmann::json& object) {
  Objects objects;
  Report report("");
  const auto tree = object_tree(object);
  if (!tree) {
    report.add(0, "", tree.error());
  } else if (peek(*tree, "kind") == "List") {
    report.add(0, "kind", "must not be List: objects come one by one", ProblemKind::unsupported);
  } else {
    read_object(*tree, report, objects);
  }
  ParsedManifest parsed = taken_whole(std::move(objects), report);
  for (TunnelObject& tunnel : parsed.objects.tunnels) {
    take_identity(object, tunnel.meta);
    const auto uid = canonical_uuid(tunnel.meta.uid);
    if (uid && !tunnel.has_given_id) tunnel.id = *uid;
  }
  for (SecretObject& secret : parsed.objects.secrets) take_identity(object, secret.meta);
  return parsed;
}

}  // namespace adit::routing
