#include <map>
#include <set>

#include "base/settings.h"
#include "routing/configuration.h"
#include "routing/fields.h"
#include "routing/filter_values.h"
#include "routing/host_name.h"
#include "routing/object_name.h"
#include "routing/problem.h"
#include "routing/route_filters_reader.h"
#include "routing/url_path.h"
#include "routing/uuid.h"

namespace adit::routing {
namespace {

constexpr std::size_t kMostRoutes = 4'000;
constexpr std::size_t kMostTokens = 16;
constexpr std::size_t kMostKeyPairs = 4;
constexpr std::uint64_t kMostLimit = 1'000'000;

RouteSpec read_route(const Node& node, std::size_t index, Report& report) {
  RouteSpec route;
  route.place = report.place(node.line);
  Fields fields(node, entry_field("spec.routes", index), report);
  if (const auto text = fields.required_text("host")) {
    auto host = canonical_host(*text);
    if (host) route.host = std::move(*host);
    if (!host) fields.problem("host", host.error());
  }
  auto path = rule_path(fields.text("path").value_or("/"));
  if (path) route.path = std::move(*path);
  if (!path) fields.problem("path", path.error());
  if (auto service = fields.text("service")) {
    route.service = std::move(*service);
    if (!is_service_name(route.service)) {
      fields.problem("service",
                     "must be a name that connectors offer: letters, digits, \".\", \"_\", \":\" and \"-\", beginning "
                     "with a letter or digit, at most 253 characters");
    }
  }
  if (const auto visibility = fields.text("visibility")) {
    route.is_private = *visibility == "Private";
    if (!route.is_private && *visibility != "Public") {
      fields.problem("visibility", "must be Public or Private, not " + in_quotes(*visibility));
    }
  }
  if (const auto weight = fields.number("weight", 0, kMostWeight)) route.weight = static_cast<std::uint32_t>(*weight);
  read_filters(fields, route, report);
  fields.report_unknown();
  return route;
}

/// A second rule for the same host and path in one object could never win.
void report_repeated_routes(const std::vector<RouteSpec>& routes, Report& report) {
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> seen;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const RouteSpec& route = routes[i];
    if (route.host.empty() || route.path.empty()) continue;
    const auto [first, is_new] = seen.try_emplace({route.host, route.path}, i);
    if (is_new) continue;
    report.add(route.place.line, entry_field("spec.routes", i),
               "has the host and path of " + entry_field("spec.routes", first->second) + ": remove one of them",
               ProblemKind::duplicate);
  }
}

std::vector<RouteSpec> read_routes(Fields& spec, Report& report) {
  std::vector<RouteSpec> routes;
  const std::size_t before = report.size();
  const Node* list = spec.list("routes");
  if (list == nullptr || list->items.empty()) {
    const bool is_reported = !spec.is_map() || report.size() != before;
    if (!is_reported) spec.problem("routes", "needs at least one entry, such as {host: shop.example.com}");
    return routes;
  }
  if (list->items.size() > kMostRoutes) {
    spec.problem("routes", "has more than 4000 entries: spread them over several Tunnels");
    return routes;
  }
  routes.reserve(list->items.size());
  for (const Node& item : list->items) routes.push_back(read_route(item, routes.size(), report));
  report_repeated_routes(routes, report);
  return routes;
}

/// Key pairs of different types that are served side by side.
void read_secret_names(Fields& tls, TunnelObject& tunnel, Report& report) {
  const Node* list = tls.list("secretNames");
  if (list == nullptr) return;
  if (tls.has("secretName"))
    return tls.problem("secretNames", "must be absent where there is secretName: move all names here");
  if (list->items.size() < 2 || list->items.size() > kMostKeyPairs) {
    return tls.problem("secretNames", "must have 2 to 4 entries; a single one is secretName");
  }
  tunnel.tls_place = report.place(tls.line_of("secretNames"));
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Node& item = list->items[i];
    const auto field = entry_field("spec.tls.secretNames", i);
    if (!item.is_string() || !is_dns_subdomain(item.text)) {
      report.add(item.line, field, kSecretNameFault);
    } else if (!seen.insert(item.text).second) {
      report.add(item.line, field, "is given twice: remove one");
    }
    tunnel.tls_secrets.push_back(item.text);
  }
}

void read_limits(Fields& spec, TunnelObject& tunnel, Report& report) {
  const Node* node = spec.take("limits");
  if (node == nullptr) return;
  Fields limits(*node, "spec.limits", report);
  const auto read = [&](std::string_view name) -> std::optional<std::uint32_t> {
    const auto number = limits.number(name, 0, kMostLimit);
    if (!number) return std::nullopt;
    return static_cast<std::uint32_t>(*number);
  };
  tunnel.limits.connections = read("connections");
  tunnel.limits.requests_per_second = read("requestsPerSecond");
  limits.report_unknown();
}

void read_offline_page(Fields& spec, TunnelObject& tunnel, Report& report) {
  const Node* node = spec.take("offlinePage");
  if (node == nullptr) return;
  Fields page(*node, "spec.offlinePage", report);
  const auto html = page.required_text("html");
  tunnel.offline_page = html.value_or("");
  if (html && html->empty())
    page.problem("html", "must not be empty; leave offlinePage out for the gateways' own page");
  if (tunnel.offline_page.size() > kLongestOfflinePage) page.problem("html", "is longer than 32 KiB");
  page.report_unknown();
}

std::chrono::seconds read_max_age(Fields& fields, const std::string& text) {
  const auto age = base::parse_duration(text);
  const bool whole = age && *age >= std::chrono::seconds(1) && !text.ends_with("ms") && !text.starts_with('0');
  if (!whole) fields.problem("maxAge", "must be a whole number with a unit, from 1s to 8784h, not " + in_quotes(text));
  return whole ? std::chrono::duration_cast<std::chrono::seconds>(*age) : std::chrono::seconds(0);
}

void read_affinity(Fields& spec, TunnelObject& tunnel, Report& report) {
  using Mode = Affinity::Mode;
  const Node* node = spec.take("affinity");
  if (node == nullptr) return;
  Fields fields(*node, "spec.affinity", report);
  auto& affinity = tunnel.affinity;
  if (const auto mode = fields.required_text("mode")) {
    if (*mode == name_of(Mode::cookie)) affinity.mode = Mode::cookie;
    if (*mode == name_of(Mode::address)) affinity.mode = Mode::address;
    if (affinity.mode == Mode::none) fields.problem("mode", "must be Cookie or Address, not " + in_quotes(*mode));
  }
  const auto name = fields.text("cookieName");
  const auto age = fields.text("maxAge");
  for (const char* field : {"cookieName", "maxAge"}) {
    const bool out_of_place = affinity.mode == Mode::address && fields.has(field);
    if (out_of_place) fields.problem(field, "must be given where mode is Cookie only: remove it");
  }
  if (affinity.mode == Mode::cookie) affinity.cookie_name = name.value_or(std::string(kDefaultAffinityCookie));
  if (const auto fault = cookie_name_fault(name.value_or("a")); !fault.empty()) {
    fields.problem("cookieName", std::string(fault));
  }
  if (age) affinity.max_age = read_max_age(fields, *age);
  fields.report_unknown();
}

void read_tls(Fields& spec, TunnelObject& tunnel, Report& report) {
  const Node* node = spec.take("tls");
  if (node == nullptr) return;
  Fields tls(*node, "spec.tls", report);
  const auto mode = tls.text("mode").value_or("Terminate");
  if (mode == "Passthrough") {
    tls.problem("mode", "Passthrough is not supported yet in this version: use Terminate", ProblemKind::unsupported);
  } else if (mode != "Terminate") {
    tls.problem("mode", "must be Terminate, not " + in_quotes(mode));
  }
  if (auto secret = tls.text("secretName")) {
    if (!is_dns_subdomain(*secret)) tls.problem("secretName", kSecretNameFault);
    tunnel.tls_secrets.push_back(std::move(*secret));
    tunnel.tls_place = report.place(tls.line_of("secretName"));
  }
  read_secret_names(tls, tunnel, report);
  tunnel.redirect_to_https = tls.flag("redirectHTTP").value_or(false);
  tls.report_unknown();
}

void read_tokens(Fields& spec, TunnelObject& tunnel, Report& report) {
  const Node* list = spec.list("connectorTokens");
  tunnel.tokens_place = report.place(spec.line_of("connectorTokens"));
  if (list != nullptr && list->items.size() > kMostTokens) {
    spec.problem("connectorTokens", "has more than 16 entries: two are enough to rotate a token");
    return;
  }
  for (std::size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
    Fields token(list->items[i], entry_field("spec.connectorTokens", i), report);
    if (auto secret = token.required_text("secretName")) {
      if (!is_dns_subdomain(*secret)) token.problem("secretName", kSecretNameFault);
      tunnel.token_secrets.push_back(std::move(*secret));
    }
    token.report_unknown();
  }
  if (tunnel.token_secrets.empty()) tunnel.token_secrets.push_back(tunnel.meta.name + "-connector");
}

void read_spec(const Node& node, TunnelObject& tunnel, Report& report) {
  Fields spec(node, "spec", report);
  if (const auto id = spec.text("id")) {
    auto canonical = canonical_uuid(*id);
    tunnel.has_given_id = true;
    if (canonical) tunnel.id = std::move(*canonical);
    if (!canonical) spec.problem("id", "must be a UUID such as 4d21094e-b74c-4916-86c1-d9fa36ea677b");
  }
  tunnel.routes = read_routes(spec, report);
  read_tls(spec, tunnel, report);
  read_tokens(spec, tunnel, report);
  read_limits(spec, tunnel, report);
  read_offline_page(spec, tunnel, report);
  read_affinity(spec, tunnel, report);
  for (const char* later : {"ports", "proxyProtocol"}) spec.refuse_for_now(later);
  spec.report_unknown();
}

}  // namespace

TunnelObject read_tunnel(Fields& top, Meta meta, Report& report) {
  TunnelObject tunnel;
  tunnel.meta = std::move(meta);
  tunnel.id = default_tunnel_id(tunnel.meta.full_name());
  if (const Node* spec = top.take("spec")) {
    read_spec(*spec, tunnel, report);
  } else {
    top.problem("spec", "is required: at least {routes: [{host: ...}]}");
  }
  top.ignore("status");
  return tunnel;
}

}  // namespace adit::routing
