#pragma once
// Short ways to write objects for tests of the compiler.

#include <string>
#include <string_view>
#include <vector>

#include "routing/compile.h"
#include "routing/uuid.h"

namespace adit::routing {

/// "shop.example.com/api" → a rule for that host and path; a final "!" makes it Private.
inline RouteSpec rule(std::string_view text, std::string service = "default") {
  RouteSpec route;
  route.is_private = text.ends_with('!');
  if (route.is_private) text.remove_suffix(1);
  const auto slash = text.find('/');
  route.host = text.substr(0, slash);
  route.path = slash == std::string_view::npos ? "/" : text.substr(slash);
  route.service = std::move(service);
  return route;
}

/// `name` is "namespace/name"; the service of each rule is that name, so that a test can see whose rule won.
inline TunnelObject tunnel(const std::string& name, const std::vector<std::string>& rules, std::string created = {}) {
  TunnelObject object;
  object.meta.space = name.substr(0, name.find('/'));
  object.meta.name = name.substr(name.find('/') + 1);
  object.meta.created = std::move(created);
  object.id = default_tunnel_id(name);
  for (const auto& text : rules) object.routes.push_back(rule(text, name));
  return object;
}

inline SecretObject secret(const std::string& name, std::string type, std::map<std::string, std::string> data) {
  SecretObject object;
  object.meta.space = name.substr(0, name.find('/'));
  object.meta.name = name.substr(name.find('/') + 1);
  object.type = std::move(type);
  object.data = std::move(data);
  return object;
}

struct CompiledTable : Compiled {
  std::shared_ptr<const Table> table;
};

/// Compiles and builds the table, as a gateway with manifests does.
inline CompiledTable compile_table(const Objects& objects, const Holders& before) {
  CompiledTable result{compile(objects, before), {}};
  result.table = build_table(configurations(result));
  return result;
}

inline std::vector<std::string> texts(const std::vector<Problem>& problems) {
  std::vector<std::string> all;
  for (const auto& problem : problems) all.push_back(problem.text());
  return all;
}

}  // namespace adit::routing
