#pragma once
// The kinds that Adit reads, as typed values, and the readers of YAML manifests and of an API server's objects.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "routing/filters.h"
#include "routing/problem.h"
#include "routing/table.h"

namespace adit::routing {

/// Where a value stands, for problems. There are several in each object, so the places of a file share its name.
class Place {
 public:
  Place() = default;
  Place(std::shared_ptr<const std::string> file, int line_in) : line(line_in), file_(std::move(file)) {}
  /// Empty: the value is of no file.
  std::string file() const { return file_ ? *file_ : std::string(); }
  /// "shop.yaml line 3", or "another object".
  std::string text() const;

  int line = 0;

 private:
  std::shared_ptr<const std::string> file_;
};

struct Meta {
  std::string space = "default";  ///< metadata.namespace
  std::string name;
  std::string created;          ///< metadata.creationTimestamp (RFC 3339, sorts as text); empty in most files
  std::string uid;              ///< metadata.uid of an API server's object; empty for one of a file
  std::int64_t generation = 0;  ///< metadata.generation of an API server's object; 0 for one of a file
  Place place;
  std::string full_name() const { return space + "/" + name; }
};

/// A Secret that a field names.
struct SecretField {
  std::string name;   ///< of the Secret, in the Tunnel's namespace; empty: none is named
  std::string field;  ///< "spec.routes[1].filters[0].basicAuth.secretName"
  Place place;
};

struct RouteSpec {
  std::string host;           ///< canonical
  std::string path;           ///< canonical
  bool is_exact = false;      ///< for this path alone, and not for what is below; it may have a final slash then
  bool is_one_label = false;  ///< of a wildcard host: "*" stands for one label, not for more
  std::string service = "default";
  bool is_private = false;
  std::optional<std::uint32_t> weight;  ///< absent: the rule shares its host and path with no other object's
  FiltersPtr filters;                   ///< nullptr: none. BasicAuth is without its logins
  SecretField logins;                   ///< of BasicAuth
  Place place;                          ///< of the list entry
};

/// kind: Tunnel, apiVersion: adit.dev/v1alpha1.
struct TunnelObject {
  Meta meta;
  std::string id;             ///< given, or metadata.uid, or for want of one the UUIDv5 of namespace/name
  bool has_given_id = false;  ///< it is spec.id
  std::vector<RouteSpec> routes;
  std::vector<std::string> tls_secrets;  ///< spec.tls.secretName or secretNames; empty: no TLS of its own
  Place tls_place;
  std::vector<std::string> token_secrets;  ///< default: NAME-connector
  Place tokens_place;
  TunnelLimits limits;
  bool redirect_to_https = false;
  std::string offline_page;
  Affinity affinity;
};

/// "spec.tls.secretName" or "spec.tls.secretNames[1]", where tls_secrets[index] stands.
std::string tls_field(const TunnelObject& tunnel, std::size_t index);

/// The names of all Secrets that a Tunnel names, each once, sorted.
std::set<std::string> secrets_of(const TunnelObject& tunnel);

/// kind: Secret, apiVersion: v1: data decoded from base64, stringData merged over it.
struct SecretObject {
  Meta meta;
  std::string type;
  std::map<std::string, std::string> data;
};

struct Objects {
  std::vector<TunnelObject> tunnels;
  std::vector<SecretObject> secrets;
};

struct ParsedManifest {
  Objects objects;                ///< empty when there are problems: a file is taken whole or not at all
  std::vector<Problem> problems;  ///< all that could be found, not only the first
};

/// Reads one file's text: any number of YAML documents. Unknown kinds and unknown fields are problems. Never throws.
ParsedManifest parse_manifest(std::string_view text, const std::string& file);

/// Reads one object as an API server gives it: a Tunnel or a Secret. As parse_manifest(), but what the server writes
/// (metadata other than the names, status) and people's labels and annotations are not looked at, and problems have no
/// file and line. Never throws.
ParsedManifest parse_object(const nlohmann::json& object);

}  // namespace adit::routing
