#include "routing/digest.h"
#include "routing/fields.h"
#include "routing/object_name.h"

namespace adit::routing {
namespace {

// No reason here says more of a value than its type: it is a secret, or meant to be one.

/// Calls `each(entry)` for the entries of the map `name` whose key can be a Secret's.
template <class Each>
void for_each_entry(Fields& top, std::string_view name, Report& report, Each each) {
  const Node* map = top.take(name);
  if (map == nullptr) return;
  if (map->kind != Node::Kind::map) {
    top.problem(name, "must be a map");
    return;
  }
  report_duplicate_keys(*map, std::string(name), report);
  for (const Node& entry : map->items) {
    if (!is_secret_key(entry.key)) {
      report.add(entry.key_line, child_field(std::string(name), entry.key),
                 "must have a key of letters, digits, \"-\", \"_\" and \".\", at most 253 characters");
    } else if (!entry.is_string()) {
      report.add(entry.line, child_field(std::string(name), entry.key),
                 "must be a string: put the value in quotes, or a long one in a block that begins with |");
    } else {
      each(entry);
    }
  }
}

}  // namespace

SecretObject read_secret(Fields& top, Meta meta, Report& report) {
  SecretObject secret{.meta = std::move(meta), .type = "Opaque", .data = {}};
  if (auto type = top.text("type")) secret.type = std::move(*type);
  top.ignore("immutable");
  for_each_entry(top, "data", report, [&](const Node& entry) {
    if (auto bytes = decode_base64(entry.text)) {
      secret.data.insert_or_assign(entry.key, std::move(*bytes));
    } else {
      report.add(entry.line, child_field("data", entry.key), "is not valid base64; plain text belongs into stringData");
    }
  });
  for_each_entry(top, "stringData", report,
                 [&](const Node& entry) { secret.data.insert_or_assign(entry.key, entry.text); });
  return secret;
}

}  // namespace adit::routing
