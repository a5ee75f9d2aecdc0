#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "control/filters_json.h"
#include "routing/filter_values.h"
#include "routing/problem.h"
#include "routing/url_path.h"

namespace adit::control {
namespace {

using routing::in_quotes;

std::string wrong_headers(const std::vector<routing::HeaderChange>& changes) {
  if (changes.size() > 3 * routing::kMostHeaderChanges) return "more than 48 changes of headers";
  for (const auto& change : changes) {
    if (auto fault = routing::header_name_fault(change.name); !fault.empty()) {
      return "header " + in_quotes(change.name) + " " + fault;
    }
    if (change.kind == routing::HeaderChange::Kind::remove) continue;
    if (auto fault = routing::header_value_fault(change.value); !fault.empty()) {
      return "the value of header " + change.name + " " + fault;
    }
  }
  return {};
}

std::string wrong_path(const routing::PathChange& path) {
  const bool is_full = path.kind == routing::PathChange::Kind::full;
  const auto canonical = is_full ? routing::full_path(path.value) : routing::rule_path(path.value);
  return canonical && *canonical == path.value ? "" : "replacement " + in_quotes(path.value) + " is not canonical";
}

std::string wrong_host(const std::string& host) {
  if (host.empty()) return {};
  const auto canonical = routing::exact_host(host);
  return canonical && *canonical == host ? "" : "host " + in_quotes(host) + " of a filter is not canonical";
}

std::string wrong_redirect(const routing::Redirect& redirect) {
  if (!redirect.scheme.empty() && redirect.scheme != "http" && redirect.scheme != "https") {
    return "redirect to the scheme " + in_quotes(redirect.scheme);
  }
  if (redirect.status < 0 || !routing::is_redirect_status(static_cast<std::uint64_t>(redirect.status))) {
    return "redirect with status " + std::to_string(redirect.status);
  }
  if (auto why = wrong_host(redirect.hostname); !why.empty()) return why;
  return redirect.path ? wrong_path(*redirect.path) : "";
}

std::string wrong_basic_auth(const routing::BasicAuth& auth) {
  if (const auto fault = routing::realm_fault(auth.realm); !fault.empty()) return "realm " + fault;
  if (auth.logins.size() > routing::kMostLogins) return "more than 1000 logins";
  std::unordered_set<std::string_view> users;
  for (const auto& login : auth.logins) {
    if (!routing::is_user_name(login.user)) return "login " + in_quotes(login.user) + " is no name of a user";
    if (!routing::is_bcrypt_hash(login.bcrypt)) return "login " + in_quotes(login.user) + " has no bcrypt hash";
    if (!users.insert(login.user).second) return "login " + in_quotes(login.user) + " is there twice";
  }
  return {};
}

}  // namespace

std::string wrong_filters(const routing::Filters& filters) {
  if (filters.allowed.size() > routing::kMostAllowedNetworks) return "more than 256 allowed networks";
  if (filters.redirect && (filters.path || !filters.host.empty())) return "both a redirect and a rewrite";
  std::vector<std::string> faults = {wrong_headers(filters.request_headers), wrong_headers(filters.response_headers),
                                     wrong_host(filters.host)};
  if (filters.basic_auth) faults.push_back(wrong_basic_auth(*filters.basic_auth));
  if (filters.redirect) faults.push_back(wrong_redirect(*filters.redirect));
  if (filters.path) faults.push_back(wrong_path(*filters.path));
  const auto first = std::find_if(faults.begin(), faults.end(), [](const auto& fault) { return !fault.empty(); });
  return first == faults.end() ? std::string() : *first;
}

}  // namespace adit::control
