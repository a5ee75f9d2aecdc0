#pragma once
// Reads the fields of an object from its tree, collecting every problem with its place.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routing/manifest.h"
#include "routing/node.h"
#include "routing/problem.h"

namespace adit::routing {

/// The value of a plain scalar that is a whole number from 0 without leading zeros, which YAML would read as octal.
std::optional<std::uint64_t> whole_number(const Node& node);

/// Collects the problems of one file. Not more than 1,000: a hostile file must not fill the log.
class Report {
 public:
  explicit Report(std::string file) : file_(std::make_shared<const std::string>(std::move(file))) {}

  /// What the following problems belong to: "Tunnel team-a/shop".
  void set_object(std::string object) { object_ = std::move(object); }
  void add(int line, std::string field, std::string reason, ProblemKind kind = ProblemKind::invalid);

  Place place(int line) const { return {file_, line}; }
  std::size_t size() const { return problems_.size(); }
  /// In the order of their lines.
  std::vector<Problem> take();

 private:
  std::shared_ptr<const std::string> file_;
  std::string object_;
  std::vector<Problem> problems_;
};

/// The fields of one map, taken by name; what was never asked for is unknown. A null is an absent field, as in
/// Kubernetes. Borrows node and report.
class Fields {
 public:
  /// `path` is the map's own name: "spec.tls"; empty for the document. Reports a node that is no map (its fields are
  /// then all absent) and fields that are given twice.
  Fields(const Node& node, std::string path, Report& report);

  /// Whether there is a value.
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// The value, nullptr when absent.
  const Node* take(std::string_view name);
  /// A string; a value of another type is reported and absent.
  std::optional<std::string> text(std::string_view name);
  std::optional<std::string> required_text(std::string_view name);
  /// A list; a value of another type is reported and absent.
  const Node* list(std::string_view name);
  /// A whole number; any other value is reported and absent.
  std::optional<std::uint64_t> number(std::string_view name, std::uint64_t least, std::uint64_t most);
  /// true or false; any other value is reported and absent.
  std::optional<bool> flag(std::string_view name);
  /// Accepted whatever it holds: what the API server writes for itself.
  void ignore(std::string_view name) { ignored_.push_back(name); }
  /// A field of the API that this version does not act on: never ignored in silence.
  void refuse_for_now(std::string_view name);
  /// A map of strings, such as labels. Reports keys given twice and values of other types.
  void check_text_map(std::string_view name);

  /// Reports the fields nobody asked for.
  void report_unknown();

  /// "spec.tls.mode".
  std::string field(std::string_view name) const;
  int line() const { return node_.line; }
  bool is_map() const { return node_.kind == Node::Kind::map; }
  /// Of the field if it is there, else of the map.
  int line_of(std::string_view name) const;
  void problem(std::string_view name, std::string reason, ProblemKind kind = ProblemKind::invalid);

 private:
  const Node* find(std::string_view name) const;

  const Node& node_;
  std::string path_;
  Report& report_;
  std::vector<std::string_view> asked_;    ///< what a message about an unknown field recommends
  std::vector<std::string_view> ignored_;  ///< known, but nothing to recommend
};

/// Reports the keys of a map that stand in it twice; `path` as in Fields.
void report_duplicate_keys(const Node& map, const std::string& path, Report& report);

/// "spec.routes[3]".
std::string entry_field(std::string_view list, std::size_t index);

/// `key` appended to a field's path, unfit characters shown escaped: "data.tls.crt".
std::string child_field(const std::string& path, std::string_view key);

/// The readers of the kinds: take what lies below the top of a document. Problems go to `report`; what they return is
/// only of use when there were none.
TunnelObject read_tunnel(Fields& top, Meta meta, Report& report);
SecretObject read_secret(Fields& top, Meta meta, Report& report);

}  // namespace adit::routing
