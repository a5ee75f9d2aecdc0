#pragma once
// Which hosts a namespace may claim at all, whoever holds them: the edge owner's rule over its tenants. Pure.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "routing/manifest.h"
#include "routing/problem.h"

namespace adit::routing {

/// By namespace a list of suffixes. "apps.example.com" stands for that name, for every name below it, and for the
/// wildcards "*.…" of these; "*" for every host. A namespace that is not named is bound by the suffixes of "*", and
/// unbound if there are none.
class HostPolicy {
 public:
  /// Adds "NAMESPACE=SUFFIX".
  base::Result<void> add(std::string_view item);

  /// `host` in canonical form.
  bool allows(const std::string& space, std::string_view host) const;

  /// Takes the rules out of `tunnel` that are not allowed; a problem for each.
  std::vector<Problem> enforce(TunnelObject& tunnel) const;

 private:
  const std::vector<std::string>* suffixes_of(const std::string& space) const;

  std::map<std::string, std::vector<std::string>> suffixes_;
};

}  // namespace adit::routing
