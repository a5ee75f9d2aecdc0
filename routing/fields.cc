#include "routing/fields.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"

namespace adit::routing {
namespace {

constexpr std::size_t kMostProblems = 1'000;
constexpr std::size_t kShownKey = 80;

const char* kind_name(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
    case Node::Kind::scalar:
      return node.is_string() ? "text" : "a number or boolean";
  }
  return "";
}

std::string not_a_string(const Node& node) {
  std::string reason = "must be a string, not ";
  reason.append(kind_name(node));
  if (node.kind == Node::Kind::scalar) reason.append("; put it in quotes");
  return reason;
}

}  // namespace

std::optional<std::uint64_t> whole_number(const Node& node) {
  if (node.kind != Node::Kind::scalar || !node.is_plain) return std::nullopt;
  if (node.text.size() > 1 && node.text.front() == '0') return std::nullopt;
  return base::parse_decimal(node.text);
}

void Report::add(int line, std::string field, std::string reason, ProblemKind kind) {
  if (problems_.size() == kMostProblems) {
    problems_.push_back(
        {.file = *file_, .line = line, .object = {}, .field = {}, .reason = "has more problems than are shown"});
  }
  if (problems_.size() > kMostProblems) return;
  problems_.push_back({.file = *file_,
                       .line = line,
                       .object = object_,
                       .field = std::move(field),
                       .reason = std::move(reason),
                       .kind = kind});
}

std::vector<Problem> Report::take() {
  std::stable_sort(problems_.begin(), problems_.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
  return std::move(problems_);
}

std::string entry_field(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

std::string child_field(const std::string& path, std::string_view key) {
  std::string field = path;
  if (!field.empty()) field.push_back('.');
  base::append_json_escaped(field, key.substr(0, kShownKey));
  if (key.size() > kShownKey) field.append("…");
  return field;
}

void report_duplicate_keys(const Node& map, const std::string& path, Report& report) {
  std::unordered_map<std::string_view, int> lines;
  lines.reserve(map.items.size());
  for (const Node& item : map.items) {
    const auto [first, is_new] = lines.try_emplace(item.key, item.key_line);
    if (is_new) continue;
    report.add(item.key_line, child_field(path, item.key),
               "is given twice, first in line " + std::to_string(first->second) + ": remove one");
  }
}

Fields::Fields(const Node& node, std::string path, Report& report)
    : node_(node), path_(std::move(path)), report_(report) {
  if (is_map()) {
    report_duplicate_keys(node_, path_, report_);
  } else {
    report_.add(node_.line, path_, std::string("must be a map, not ") + kind_name(node_));
  }
}

const Node* Fields::take(std::string_view name) {
  asked_.push_back(name);
  return find(name);
}

const Node* Fields::find(std::string_view name) const {
  if (!is_map()) return nullptr;
  const auto found =
      std::find_if(node_.items.begin(), node_.items.end(), [&](const Node& item) { return item.key == name; });
  return found == node_.items.end() || found->kind == Node::Kind::null ? nullptr : &*found;
}

std::optional<std::string> Fields::text(std::string_view name) {
  const Node* value = take(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->text;
  problem(name, not_a_string(*value));
  return std::nullopt;
}

std::optional<std::string> Fields::required_text(std::string_view name) {
  const Node* value = take(name);
  if (value != nullptr && value->is_string()) return value->text;
  if (is_map()) problem(name, value == nullptr ? "is required" : not_a_string(*value));
  return std::nullopt;
}

const Node* Fields::list(std::string_view name) {
  const Node* value = take(name);
  if (value == nullptr || value->kind == Node::Kind::list) return value;
  problem(name, "must be a list");
  return nullptr;
}

std::optional<std::uint64_t> Fields::number(std::string_view name, std::uint64_t least, std::uint64_t most) {
  const Node* value = take(name);
  if (value == nullptr) return std::nullopt;
  const auto number = value->is_string() ? std::nullopt : whole_number(*value);
  if (number && *number >= least && *number <= most) return number;
  problem(name, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<bool> Fields::flag(std::string_view name) {
  const Node* value = take(name);
  if (value == nullptr) return std::nullopt;
  const bool is_true = value->text == "true";
  if (value->kind == Node::Kind::scalar && value->is_plain && (is_true || value->text == "false")) return is_true;
  problem(name, "must be true or false");
  return std::nullopt;
}

void Fields::refuse_for_now(std::string_view name) {
  if (find(name) != nullptr) problem(name, "is not supported yet in this version: remove it", ProblemKind::unsupported);
  ignored_.push_back(name);
}

void Fields::check_text_map(std::string_view name) {
  const Node* value = take(name);
  if (value == nullptr) return;
  if (value->kind != Node::Kind::map) {
    problem(name, std::string("must be a map of strings, not ") + kind_name(*value));
    return;
  }
  report_duplicate_keys(*value, field(name), report_);
  for (const Node& item : value->items) {
    if (!item.is_string()) report_.add(item.line, child_field(field(name), item.key), not_a_string(item));
  }
}

void Fields::report_unknown() {
  std::string known;
  for (const auto name : asked_) known.append(known.empty() ? "" : ", ").append(name);
  for (const Node& item : node_.items) {
    const auto is_item = [&](std::string_view name) { return name == item.key; };
    if (!is_map() || std::any_of(asked_.begin(), asked_.end(), is_item)) continue;
    if (std::any_of(ignored_.begin(), ignored_.end(), is_item)) continue;
    report_.add(item.key_line, child_field(path_, item.key), "is not a known field; known here: " + known);
  }
}

std::string Fields::field(std::string_view name) const { return child_field(path_, name); }

int Fields::line_of(std::string_view name) const {
  for (const Node& item : node_.items) {
    if (is_map() && item.key == name) return item.key_line;
  }
  return node_.line;
}

void Fields::problem(std::string_view name, std::string reason, ProblemKind kind) {
  report_.add(line_of(name), field(name), std::move(reason), kind);
}

}  // namespace adit::routing
