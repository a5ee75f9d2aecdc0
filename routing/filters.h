#pragma once
// What a rule does beside routing: the filters of its route, with the fields of Gateway API's HTTPRouteFilter where
// that has them. Values only; the gateway carries them out.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_network.h"

namespace adit::routing {

/// RequestHeaderModifier and ResponseHeaderModifier. Names and values are valid (RFC 9110 §5.5), and never of fields
/// that the edge writes itself: framing, Connection and its kin, Host, X-Forwarded-*, Forwarded, Via, X-Request-Id.
struct HeaderChange {
  enum class Kind : std::uint8_t {
    set,     ///< instead of all fields of that name
    add,     ///< beside them
    remove,  ///< `value` is empty
  };
  Kind kind = Kind::set;
  std::string name;
  std::string value;

  friend bool operator==(const HeaderChange&, const HeaderChange&) = default;
};

/// HTTPPathModifier.
struct PathChange {
  enum class Kind : std::uint8_t {
    full,    ///< ReplaceFullPath; the query stays
    prefix,  ///< ReplacePrefixMatch: instead of the rule's path, on whole segments
  };
  Kind kind = Kind::full;
  std::string value;  ///< begins with "/"

  friend bool operator==(const PathChange&, const PathChange&) = default;
};

/// RequestRedirect. What is empty stays as it was asked for.
struct Redirect {
  std::string scheme;  ///< "http" or "https"
  std::string hostname;
  std::uint16_t port = 0;  ///< 0: that of the scheme if one is given, else that of the request
  std::optional<PathChange> path;
  int status = 302;  ///< 301, 302, 303, 307 or 308

  friend bool operator==(const Redirect&, const Redirect&) = default;
};

/// BasicAuth (RFC 7617).
struct BasicAuth {
  struct Login {
    std::string user;
    std::string bcrypt;  ///< "$2b$10$…" (also 2a, 2y): 60 characters

    friend bool operator==(const Login&, const Login&) = default;
  };
  std::string realm;
  std::vector<Login> logins;  ///< empty: nobody gets in, such as while the Secret is missing

  friend bool operator==(const BasicAuth&, const BasicAuth&) = default;
};

/// All filters of one route, in the order in which they are carried out. Immutable once made.
struct Filters {
  std::vector<base::IpNetwork> allowed;  ///< IPAllowList; empty: everybody. Others get 403
  std::optional<BasicAuth> basic_auth;
  std::optional<std::uint64_t> most_body;  ///< RequestBodySize, bytes; more gets 413
  std::optional<Redirect> redirect;
  std::optional<PathChange> path;  ///< URLRewrite
  std::string host;                ///< URLRewrite: the Host that the service sees; empty: the visitor's
  std::vector<HeaderChange> request_headers;
  std::vector<HeaderChange> response_headers;

  friend bool operator==(const Filters&, const Filters&) = default;
};

using FiltersPtr = std::shared_ptr<const Filters>;

}  // namespace adit::routing
