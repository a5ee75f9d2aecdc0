#include "operator/connector_secret.h"

#include <algorithm>
#include <ctime>

#include "base/utc.h"
#include "routing/digest.h"

namespace adit::controller {
namespace {

using kube::Json;

constexpr std::string_view kRotated = "adit.dev/rotated-token";                     // the value that was acted on
constexpr std::string_view kPreviousUntil = "adit.dev/previous-token-valid-until";  // RFC 3339

std::optional<WallTime> parse_rfc3339(const std::string& text) {
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

bool belongs_to(const Json& secret, const std::string& uid) {
  const Json* owners = kube::find(secret, {"metadata", "ownerReferences"});
  if (owners == nullptr || !owners->is_array()) return false;
  for (const Json& owner : *owners) {
    if (kube::text_at(owner, {"uid"}) == uid) return true;
  }
  return false;
}

/// The keys as stored: base64. Both tokens are passed on as they are, so they are never decoded here.
struct Stored {
  std::string token;
  std::string previous;
  std::string rotated;
  std::optional<WallTime> previous_until;
};

Stored read(const Json& secret) {
  return {kube::text_at(secret, {"data", "token"}), kube::text_at(secret, {"data", "previous-token"}),
          kube::annotation_of(secret, kRotated), parse_rfc3339(kube::annotation_of(secret, kPreviousUntil))};
}

Json owner_reference(const Json& tunnel) {
  return {{"apiVersion", kube::text_at(tunnel, {"apiVersion"})},
          {"kind", kube::text_at(tunnel, {"kind"})},
          {"name", kube::name_of(tunnel).name},
          {"uid", kube::uid_of(tunnel)},
          {"controller", true},
          {"blockOwnerDeletion", false}};
}

Json secret_object(const Json& tunnel, const std::string& tunnel_id, const ConnectorAccess& access,
                   const Stored& tokens) {
  Json data = {{"token", tokens.token},
               {"tunnel", routing::encode_base64(tunnel_id)},
               {"gateway", routing::encode_base64(access.gateway)},
               {"ca.crt", routing::encode_base64(access.ca)}};
  Json annotations = Json::object();
  if (!tokens.rotated.empty()) annotations[std::string(kRotated)] = tokens.rotated;
  if (!tokens.previous.empty()) {
    data["previous-token"] = tokens.previous;
    annotations[std::string(kPreviousUntil)] = base::utc_text(*tokens.previous_until);
  }
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"type", "adit.dev/connector-token"},
          {"metadata",
           {{"name", connector_secret_name(tunnel)},
            {"namespace", kube::name_of(tunnel).space},
            {"labels", {{"app.kubernetes.io/managed-by", "adit-operator"}}},
            {"annotations", annotations},
            {"ownerReferences", Json::array({owner_reference(tunnel)})}}},
          {"data", data}};
}

/// Everything that secret_object() writes is there already. The API server leaves out what is empty.
bool holds(const Json& stored, const Json& wanted) {
  if (!wanted.is_object()) return stored == wanted;
  if (!stored.is_object()) return false;
  for (const auto& [name, value] : wanted.items()) {
    const auto found = stored.find(name);
    if (found == stored.end() ? !value.empty() : !holds(*found, value)) return false;
  }
  return true;
}

std::chrono::seconds until(WallTime then, WallTime now) {
  return std::max(std::chrono::ceil<std::chrono::seconds>(then - now), std::chrono::seconds(1));
}

}  // namespace

std::string connector_secret_name(const Json& tunnel) { return kube::name_of(tunnel).name + "-connector"; }

bool uses_connector_secret(const Json& tunnel) {
  const Json* tokens = kube::find(tunnel, {"spec", "connectorTokens"});
  return tokens == nullptr || !tokens->is_array() || tokens->empty();
}

ConnectorSecretPlan plan_connector_secret(const Json& tunnel, const std::string& tunnel_id, const Json* secret,
                                          const ConnectorAccess& access, const RotationSettings& rotation,
                                          const std::string& new_token, WallTime now) {
  ConnectorSecretPlan plan;
  if (!uses_connector_secret(tunnel)) return plan;
  const std::string asked = kube::annotation_of(tunnel, kRotateToken);
  if (secret == nullptr) {
    const Stored first{routing::encode_base64(new_token), "", asked, std::nullopt};
    plan.write = ConnectorSecretPlan::Write::create;
    plan.object = secret_object(tunnel, tunnel_id, access, first);
    return plan;
  }
  if (!belongs_to(*secret, kube::uid_of(tunnel))) return plan;
  Stored tokens = read(*secret);
  if (tokens.token.empty() || (!asked.empty() && asked != tokens.rotated)) {
    plan.rotated = true;
    // A second rotation during the overlap ends the oldest token: never more than two count.
    tokens.previous = tokens.token;
    tokens.previous_until = now + rotation.overlap;
    tokens.token = routing::encode_base64(new_token);
    if (!asked.empty()) tokens.rotated = asked;
  }
  if (!tokens.previous_until || *tokens.previous_until <= now) tokens.previous.clear();
  if (!tokens.previous.empty()) plan.again = until(*tokens.previous_until, now);
  plan.object = secret_object(tunnel, tunnel_id, access, tokens);
  const bool has_leftover = tokens.previous.empty() && kube::find(*secret, {"data", "previous-token"}) != nullptr;
  if (has_leftover || !holds(*secret, plan.object)) plan.write = ConnectorSecretPlan::Write::apply;
  return plan;
}

}  // namespace adit::controller
