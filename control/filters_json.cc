#include "control/filters_json.h"

#include <limits>
#include <memory>
#include <utility>

#include "routing/problem.h"

namespace adit::control {
namespace {

using Json = nlohmann::json;
using routing::BasicAuth;
using routing::Filters;
using routing::HeaderChange;
using routing::PathChange;
using routing::Redirect;

// Writing.

const char* name_of(HeaderChange::Kind kind) {
  switch (kind) {
    case HeaderChange::Kind::set:
      return "set";
    case HeaderChange::Kind::add:
      return "add";
    case HeaderChange::Kind::remove:
      return "remove";
  }
  return "";
}

const char* name_of(PathChange::Kind kind) { return kind == PathChange::Kind::full ? "full" : "prefix"; }

Json json_of(const std::vector<HeaderChange>& changes) {
  auto json = Json::array();
  for (const auto& change : changes) {
    auto& item = json.emplace_back(Json{{"change", name_of(change.kind)}, {"name", change.name}});
    if (change.kind != HeaderChange::Kind::remove) item["value"] = change.value;
  }
  return json;
}

Json json_of(const PathChange& path) { return {{name_of(path.kind), path.value}}; }

Json json_of(const Redirect& redirect) {
  Json json = {{"status", redirect.status}};
  if (!redirect.scheme.empty()) json["scheme"] = redirect.scheme;
  if (!redirect.hostname.empty()) json["hostname"] = redirect.hostname;
  if (redirect.port != 0) json["port"] = redirect.port;
  if (redirect.path) json["path"] = json_of(*redirect.path);
  return json;
}

Json json_of(const BasicAuth& auth) {
  auto logins = Json::array();
  for (const auto& login : auth.logins) logins.push_back({{"user", login.user}, {"hash", login.bcrypt}});
  return {{"realm", auth.realm}, {"logins", std::move(logins)}};
}

// Reading.

class Reader {
 public:
  Reader(JsonFields& fields, std::string& fault) : fields_(fields), fault_(fault) {}

  routing::FiltersPtr run() {
    Filters filters;
    if (fields_.has("allowed")) fields_.texts("allowed", [&](const std::string& text) { add_network(filters, text); });
    if (fields_.has("basicAuth")) filters.basic_auth = basic_auth(fields_.object("basicAuth"));
    if (fields_.has("mostBody")) filters.most_body = fields_.number("mostBody");
    if (fields_.has("redirect")) filters.redirect = redirect(fields_.object("redirect"));
    if (fields_.has("path")) filters.path = path(fields_.object("path"));
    filters.host = fields_.text_if_any("host");
    if (fields_.has("requestHeaders")) filters.request_headers = headers("requestHeaders");
    if (fields_.has("responseHeaders")) filters.response_headers = headers("responseHeaders");
    refuse_unknown(
        fields_, {"allowed", "basicAuth", "mostBody", "redirect", "path", "host", "requestHeaders", "responseHeaders"});
    return std::make_shared<const Filters>(std::move(filters));
  }

 private:
  void refuse(const std::string& why) {
    if (fault_.empty()) fault_ = why;
  }

  void refuse_unknown(const JsonFields& fields, std::initializer_list<std::string_view> known) {
    const auto unknown = fields.unknown(known);
    if (!unknown.empty()) refuse("filter " + routing::in_quotes(unknown) + " is not known to this version");
  }

  void add_network(Filters& filters, const std::string& text) {
    const auto network = base::IpNetwork::parse(text);
    if (network) return filters.allowed.push_back(*network);
    refuse("network " + routing::in_quotes(text) + " " + network.error());
  }

  BasicAuth basic_auth(JsonFields fields) {
    BasicAuth auth;
    refuse_unknown(fields, {"realm", "logins"});
    auth.realm = fields.text("realm");
    fields.objects("logins", [&](JsonFields item) {
      auto user = item.text("user");
      auth.logins.push_back({std::move(user), item.text("hash")});
    });
    return auth;
  }

  Redirect redirect(JsonFields fields) {
    Redirect redirect;
    refuse_unknown(fields, {"scheme", "hostname", "port", "path", "status"});
    redirect.scheme = fields.text_if_any("scheme");
    redirect.hostname = fields.text_if_any("hostname");
    if (fields.has("port")) redirect.port = small<std::uint16_t>(fields.number("port"), "port");
    if (fields.has("path")) redirect.path = path(fields.object("path"));
    redirect.status = small<std::int16_t>(fields.number("status"), "status");
    return redirect;
  }

  template <class Number>
  Number small(std::uint64_t number, const char* what) {
    if (number <= static_cast<std::uint64_t>(std::numeric_limits<Number>::max())) return static_cast<Number>(number);
    refuse("redirect has a " + std::string(what) + " that is too large");
    return 0;
  }

  PathChange path(JsonFields fields) {
    refuse_unknown(fields, {fields.has("full") ? "full" : "prefix"});
    const auto kind = fields.has("full") ? PathChange::Kind::full : PathChange::Kind::prefix;
    return {kind, fields.text(name_of(kind))};
  }

  std::vector<HeaderChange> headers(const char* name) {
    std::vector<HeaderChange> changes;
    fields_.objects(name, [&](JsonFields item) {
      HeaderChange change;
      const auto kind = item.text("change");
      change.name = item.text("name");
      if (kind == "add") change.kind = HeaderChange::Kind::add;
      if (kind == "remove") change.kind = HeaderChange::Kind::remove;
      if (change.kind != HeaderChange::Kind::remove) change.value = item.text("value");
      if (kind != name_of(change.kind)) refuse("change " + routing::in_quotes(kind) + " of headers is not known");
      changes.push_back(std::move(change));
    });
    return changes;
  }

  JsonFields& fields_;
  std::string& fault_;
};

}  // namespace

Json write_filters(const Filters& filters) {
  auto json = Json::object();
  for (const auto& network : filters.allowed) json["allowed"].push_back(network.text());
  if (filters.basic_auth) json["basicAuth"] = json_of(*filters.basic_auth);
  if (filters.most_body) json["mostBody"] = *filters.most_body;
  if (filters.redirect) json["redirect"] = json_of(*filters.redirect);
  if (filters.path) json["path"] = json_of(*filters.path);
  if (!filters.host.empty()) json["host"] = filters.host;
  if (!filters.request_headers.empty()) json["requestHeaders"] = json_of(filters.request_headers);
  if (!filters.response_headers.empty()) json["responseHeaders"] = json_of(filters.response_headers);
  return json;
}

routing::FiltersPtr read_filters(JsonFields& fields, std::string& fault) { return Reader(fields, fault).run(); }

}  // namespace adit::control
