#include "routing/route_filters_reader.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <utility>

#include "base/text.h"
#include "routing/filter_values.h"
#include "routing/object_name.h"
#include "routing/url_path.h"

namespace adit::routing {
namespace {

constexpr const char* kReplacePrefix = "ReplacePrefixMatch";

/// What becomes of the filters of one route.
struct Draft {
  Filters filters;
  SecretField logins;
};

/// The member of a filter that its type names.
struct Member {
  Fields fields;
  std::string path;  ///< "spec.routes[0].filters[1].urlRewrite"
  Report& report;
};

/// Reports `fault` unless it is empty.
void check(Fields& fields, std::string_view name, std::string fault) {
  if (!fault.empty()) fields.problem(name, std::move(fault));
}

// Header modifiers.

/// A field may stand in each list once: what two entries would make of it is anyone's guess.
void check_repeated(const std::string& name, std::set<std::string>& seen, Fields& fields, std::string_view at) {
  if (!seen.insert(base::lower_case(name)).second) fields.problem(at, "is given twice in this list: remove one");
}

const Node* take_changes(Member& member, std::string_view name) {
  const Node* list = member.fields.list(name);
  if (list == nullptr || list->items.size() <= kMostHeaderChanges) return list;
  member.fields.problem(name, "has more than 16 entries");
  return nullptr;
}

void read_written(Member& member, std::string_view list_name, HeaderChange::Kind kind,
                  std::vector<HeaderChange>& changes) {
  const Node* list = take_changes(member, list_name);
  std::set<std::string> seen;
  for (std::size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
    Fields entry(list->items[i], entry_field(member.fields.field(list_name), i), member.report);
    const auto name = entry.required_text("name");
    const auto value = entry.required_text("value");
    if (name) check(entry, "name", header_name_fault(*name));
    if (name) check_repeated(*name, seen, entry, "name");
    if (value) check(entry, "value", header_value_fault(*value));
    entry.report_unknown();
    changes.push_back({kind, name.value_or(""), value.value_or("")});
  }
}

void read_removed(Member& member, std::vector<HeaderChange>& changes) {
  const Node* list = take_changes(member, "remove");
  std::set<std::string> seen;
  for (std::size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
    const Node& item = list->items[i];
    std::string fault = item.is_string() ? header_name_fault(item.text) : "must be a string";
    if (fault.empty() && !seen.insert(base::lower_case(item.text)).second) {
      fault = "is given twice in this list: remove one";
    }
    if (!fault.empty()) {
      member.report.add(item.line, entry_field(member.fields.field("remove"), i), std::move(fault));
    }
    changes.push_back({HeaderChange::Kind::remove, item.text, {}});
  }
}

void read_headers(Member& member, std::vector<HeaderChange>& changes) {
  read_written(member, "set", HeaderChange::Kind::set, changes);
  read_written(member, "add", HeaderChange::Kind::add, changes);
  read_removed(member, changes);
  const bool is_empty = !member.fields.has("set") && !member.fields.has("add") && !member.fields.has("remove");
  if (member.fields.is_map() && is_empty)
    member.report.add(member.fields.line(), member.path, "needs at least one of set, add and remove");
}

void read_request_headers(Member& member, Draft& draft) { read_headers(member, draft.filters.request_headers); }
void read_response_headers(Member& member, Draft& draft) { read_headers(member, draft.filters.response_headers); }

// Redirect and rewrite.

std::string read_hostname(Fields& fields) {
  const auto text = fields.text("hostname");
  if (!text) return {};
  auto host = exact_host(*text);
  if (host) return std::move(*host);
  fields.problem("hostname", host.error());
  return {};
}

/// The path to put in, of which `text` stands in `name`, the field that `type` asks for.
std::string read_replacement(Fields& fields, std::string_view name, const std::optional<std::string>& text,
                             const std::string& type) {
  if (!text) {
    if (!fields.has(name)) fields.problem(name, "is required where type is " + type);
    return {};
  }
  // What is put before the rest of a path has no final slash; a whole path may have one.
  auto path = type == kReplacePrefix ? rule_path(*text) : full_path(*text);
  if (path) return std::move(*path);
  fields.problem(name, path.error());
  return {};
}

std::optional<PathChange> read_path_change(Member& member) {
  const Node* node = member.fields.take("path");
  if (node == nullptr) return std::nullopt;
  Fields fields(*node, member.fields.field("path"), member.report);
  const auto type = fields.required_text("type");
  const auto full = fields.text("replaceFullPath");
  const auto prefix = fields.text("replacePrefixMatch");
  fields.report_unknown();
  if (!type) return std::nullopt;
  const bool is_prefix = *type == kReplacePrefix;
  if (!is_prefix && *type != "ReplaceFullPath") {
    fields.problem("type", "must be ReplaceFullPath or ReplacePrefixMatch, not " + in_quotes(*type));
    return std::nullopt;
  }
  const char* other = is_prefix ? "replaceFullPath" : "replacePrefixMatch";
  if (fields.has(other)) fields.problem(other, "must be absent where type is " + *type);
  if (is_prefix)
    return PathChange{PathChange::Kind::prefix, read_replacement(fields, "replacePrefixMatch", prefix, *type)};
  return PathChange{PathChange::Kind::full, read_replacement(fields, "replaceFullPath", full, *type)};
}

void read_redirect(Member& member, Draft& draft) {
  constexpr std::uint64_t kMostPort = 65'535;
  constexpr std::uint64_t kMostStatus = 999;
  Redirect& redirect = draft.filters.redirect.emplace();
  Fields& fields = member.fields;
  redirect.scheme = fields.text("scheme").value_or("");
  if (!redirect.scheme.empty() && redirect.scheme != "http" && redirect.scheme != "https") {
    fields.problem("scheme", "must be http or https, not " + in_quotes(redirect.scheme));
  }
  redirect.hostname = read_hostname(fields);
  redirect.port = static_cast<std::uint16_t>(fields.number("port", 1, kMostPort).value_or(0));
  redirect.path = read_path_change(member);
  if (const auto status = fields.number("statusCode", 0, kMostStatus)) {
    redirect.status = static_cast<int>(*status);
    if (!is_redirect_status(*status)) fields.problem("statusCode", "must be 301, 302, 303, 307 or 308");
  }
  const bool goes_nowhere =
      !fields.has("scheme") && !fields.has("hostname") && !fields.has("port") && !fields.has("path");
  if (fields.is_map() && goes_nowhere) {
    member.report.add(fields.line(), member.path,
                      "needs at least one of scheme, hostname, port and path: it would lead back to itself");
  }
}

void read_rewrite(Member& member, Draft& draft) {
  draft.filters.host = read_hostname(member.fields);
  draft.filters.path = read_path_change(member);
  const bool is_empty = !member.fields.has("hostname") && !member.fields.has("path");
  if (member.fields.is_map() && is_empty) {
    member.report.add(member.fields.line(), member.path, "needs hostname or path");
  }
}

// Who gets in, and how much.

void read_allow_list(Member& member, Draft& draft) {
  const Node* list = member.fields.list("cidrs");
  if (list == nullptr || list->items.empty()) {
    const bool is_reported = list == nullptr && member.fields.has("cidrs");
    if (member.fields.is_map() && !is_reported) {
      member.fields.problem("cidrs", "needs at least one entry, such as 10.0.0.0/8");
    }
    return;
  }
  if (list->items.size() > kMostAllowedNetworks) return member.fields.problem("cidrs", "has more than 256 entries");
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Node& item = list->items[i];
    const auto network = base::IpNetwork::parse(item.kind == Node::Kind::scalar ? item.text : "");
    if (network) {
      draft.filters.allowed.push_back(*network);
    } else {
      member.report.add(item.line, entry_field(member.fields.field("cidrs"), i), network.error());
    }
  }
}

void read_basic_auth(Member& member, Draft& draft) {
  BasicAuth& auth = draft.filters.basic_auth.emplace();
  Fields& fields = member.fields;
  if (auto secret = fields.required_text("secretName")) {
    if (!is_dns_subdomain(*secret)) {
      fields.problem("secretName", kSecretNameFault);
    }
    draft.logins = {std::move(*secret), fields.field("secretName"), member.report.place(fields.line_of("secretName"))};
  }
  auth.realm = fields.text("realm").value_or("Restricted");
  check(fields, "realm", realm_fault(auth.realm));
}

void read_body_size(Member& member, Draft& draft) {
  const Node* most = member.fields.take("max");
  if (most == nullptr) {
    if (member.fields.is_map()) member.fields.problem("max", "is required, such as 10Mi");
    return;
  }
  // As every quantity of Kubernetes, a number or text; 010 and 1e3 are neither.
  const bool is_fit = most->is_string() || whole_number(*most);
  draft.filters.most_body = is_fit ? parse_quantity(most->text) : std::nullopt;
  if (!draft.filters.most_body) {
    member.fields.problem("max", "must be a whole number of bytes, such as 1048576, 500k or 10Mi, of at most 999999Ti");
  }
}

struct FilterType {
  std::string_view name;
  std::string_view member;
  void (*read)(Member& member, Draft& draft);
};

constexpr std::array<FilterType, 7> kTypes = {{
    {"RequestHeaderModifier", "requestHeaderModifier", read_request_headers},
    {"ResponseHeaderModifier", "responseHeaderModifier", read_response_headers},
    {"RequestRedirect", "requestRedirect", read_redirect},
    {"URLRewrite", "urlRewrite", read_rewrite},
    {"IPAllowList", "ipAllowList", read_allow_list},
    {"BasicAuth", "basicAuth", read_basic_auth},
    {"RequestBodySize", "requestBodySize", read_body_size},
}};

std::string all_types() {
  std::string names;
  for (const auto& type : kTypes) names.append(names.empty() ? "" : ", ").append(type.name);
  return names;
}

/// nullptr when it is not known, which is reported.
const FilterType* read_type(Fields& filter) {
  const auto name = filter.required_text("type");
  if (!name) return nullptr;
  const auto* const type =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& known) { return known.name == *name; });
  if (type != kTypes.end()) return type;
  filter.problem("type", in_quotes(*name) + " is not known: it must be one of " + all_types());
  return nullptr;
}

void read_filter(Fields& filter, const FilterType& type, Report& report, Draft& draft) {
  const Node* value = filter.take(type.member);
  if (value == nullptr) filter.problem(type.member, "is required where type is " + std::string(type.name));
  for (const auto& other : kTypes) {
    if (&other == &type) continue;
    if (filter.has(other.member))
      filter.problem(other.member, "must be absent where type is " + std::string(type.name));
    filter.ignore(other.member);
  }
  filter.report_unknown();
  if (value == nullptr) return;
  std::string path = filter.field(type.member);
  Member member{Fields(*value, path, report), path, report};
  type.read(member, draft);
  member.fields.report_unknown();
}

}  // namespace

void read_filters(Fields& route, RouteSpec& spec, Report& report) {
  const Node* list = route.list("filters");
  if (list == nullptr || list->items.empty()) return;
  Draft draft;
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const auto path = entry_field(route.field("filters"), i);
    Fields filter(list->items[i], path, report);
    const FilterType* type = read_type(filter);
    if (type == nullptr) continue;
    if (seen.insert(type->name).second) {
      read_filter(filter, *type, report, draft);
    } else {
      report.add(filter.line(), path,
                 "is the second filter of type " + std::string(type->name) + ": put both into one");
    }
  }
  if (seen.contains("RequestRedirect") && seen.contains("URLRewrite")) {
    route.problem("filters",
                  "has both RequestRedirect and URLRewrite: a request that is redirected reaches no service");
  }
  spec.filters = std::make_shared<const Filters>(std::move(draft.filters));
  spec.logins = std::move(draft.logins);
}

}  // namespace adit::routing
