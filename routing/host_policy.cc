#include "routing/host_policy.h"

#include <algorithm>

#include "routing/host_name.h"

namespace adit::routing {
namespace {

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

base::Result<void> HostPolicy::add(std::string_view item) {
  const auto equals = item.find('=');
  const auto fault = [](const std::string& why) {
    return base::Error{"must be NAMESPACE=SUFFIX, such as team-a=team-a.example.com or *=apps.example.com: " + why};
  };
  if (equals == std::string_view::npos || equals == 0) return fault("there is no namespace");
  const auto suffix = canonical_host(item.substr(equals + 1));
  if (!suffix) return fault(suffix.error());
  if (suffix->starts_with("*.")) return fault("the names below a suffix are meant without \"*.\" before it");
  suffixes_[std::string(item.substr(0, equals))].push_back(*suffix);
  return {};
}

const std::vector<std::string>* HostPolicy::suffixes_of(const std::string& space) const {
  for (const auto& name : {space, std::string("*")}) {
    const auto found = suffixes_.find(name);
    if (found != suffixes_.end()) return &found->second;
  }
  return nullptr;
}

bool HostPolicy::allows(const std::string& space, std::string_view host) const {
  const auto* suffixes = suffixes_of(space);
  if (suffixes == nullptr) return true;
  return std::any_of(suffixes->begin(), suffixes->end(), [host](const std::string& suffix) {
    if (suffix == "*" || host == suffix) return true;
    return host.size() > suffix.size() && host.ends_with(suffix) && host[host.size() - suffix.size() - 1] == '.';
  });
}

std::vector<Problem> HostPolicy::enforce(TunnelObject& tunnel) const {
  std::vector<Problem> problems;
  std::vector<RouteSpec> allowed;
  for (std::size_t i = 0; i < tunnel.routes.size(); ++i) {
    auto& route = tunnel.routes[i];
    if (allows(tunnel.meta.space, route.host)) {
      allowed.push_back(std::move(route));
      continue;
    }
    Problem problem;
    problem.file = route.place.file();
    problem.line = route.place.line;
    problem.object = "Tunnel " + tunnel.meta.full_name();
    problem.field = "spec.routes[" + std::to_string(i) + "].host";
    problem.reason = route.host + " is not for the namespace " + tunnel.meta.space + ", which may claim " +
                     join(*suffixes_of(tunnel.meta.space)) + " and what is below";
    problem.kind = ProblemKind::host_forbidden;
    problems.push_back(std::move(problem));
  }
  tunnel.routes = std::move(allowed);
  return problems;
}

}  // namespace adit::routing
