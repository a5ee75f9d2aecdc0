#include "control/messages.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "control/filters_json.h"
#include "control/json_fields.h"
#include "routing/digest.h"

namespace adit::control {
namespace {

using Json = nlohmann::json;
using routing::TokenHash;

// Writing.

/// Texts that came from elsewhere need not be UTF-8.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json json_of(const Version& version) { return {{"term", version.term}, {"counter", version.counter}}; }

/// `more` is written only when it is true.
Json versioned(const char* type, const Version& version, bool more = false) {
  Json json = {{"type", type}, {"version", json_of(version)}};
  if (more) json["more"] = true;
  return json;
}

Json json_of(const CertificateMessage& message) {
  const auto& certificate = *message.certificate;
  Json json = {{"type", "certificate"},
               {"fingerprint", certificate.fingerprint},
               {"name", certificate.name},
               {"chain", certificate.chain_pem},
               {"key", certificate.key_pem}};
  if (!certificate.ocsp.empty()) json["ocsp"] = routing::encode_base64(certificate.ocsp);
  return json;
}

Json json_of(const routing::TunnelLimits& limits) {
  auto json = Json::object();
  if (limits.connections) json["connections"] = *limits.connections;
  if (limits.requests_per_second) json["requestsPerSecond"] = *limits.requests_per_second;
  return json;
}

Json json_of(const routing::Affinity& affinity) {
  Json json = {{"mode", routing::name_of(affinity.mode)}};
  if (affinity.mode == routing::Affinity::Mode::cookie) json["cookieName"] = affinity.cookie_name;
  if (affinity.max_age.count() != 0) json["maxAge"] = affinity.max_age.count();
  return json;
}

Json json_of(const TunnelMessage& message) {
  auto json = versioned("tunnel", message.version, message.more);
  json["id"] = message.tunnel->id;
  json["name"] = message.tunnel->name;
  auto& tokens = json["tokens"] = Json::array();
  for (const auto& token : message.tunnel->tokens) tokens.push_back(routing::hex(token));
  if (message.tunnel->limits != routing::TunnelLimits{}) json["limits"] = json_of(message.tunnel->limits);
  if (message.tunnel->redirect_to_https) json["redirectToHttps"] = true;
  if (!message.tunnel->offline_page.empty()) json["offlinePage"] = message.tunnel->offline_page;
  if (message.tunnel->affinity.mode != routing::Affinity::Mode::none) {
    json["affinity"] = json_of(message.tunnel->affinity);
  }
  auto& rules = json["rules"] = Json::array();
  for (const auto& rule : message.rules) {
    auto& item = rules.emplace_back(Json{{"host", rule.host}, {"path", rule.path}, {"service", rule.service}});
    if (rule.is_private) item["private"] = true;
    if (rule.weight) item["weight"] = *rule.weight;
    if (rule.filters) item["filters"] = write_filters(*rule.filters);
  }
  auto& certificates = json["certificates"] = Json::object();
  for (const auto& [host, fingerprint] : message.certificates) certificates[host].push_back(fingerprint);
  return json;
}

Json json_of(const RemoveMessage& message) {
  auto json = versioned("remove", message.version, message.more);
  json["id"] = message.id;
  return json;
}

Json json_of(const KeepMessage& message) {
  auto json = versioned("keep", message.version, message.more);
  json["id"] = message.id;
  return json;
}

Json json_of(const SyncedMessage& message) { return versioned("synced", message.version); }

Json json_of(const LinkCertificateMessage& message) {
  return {{"type", "linkCertificate"}, {"chain", message.chain_pem}, {"key", message.key_pem}};
}

Json json_of(const PeerCertificateMessage& message) {
  return {{"type", "peerCertificate"},
          {"chain", message.chain_pem},
          {"key", message.key_pem},
          {"trusted", message.trusted_pem}};
}

Json json_of(const PeersMessage& message) {
  auto gateways = Json::array();
  for (const auto& peer : message.gateways) {
    gateways.push_back({{"gateway", peer.gateway}, {"address", peer.address}});
  }
  return {{"type", "peers"}, {"gateways", std::move(gateways)}};
}

Json json_of(const HelloMessage& message) {
  Json json = {{"type", "hello"}, {"gateway", message.gateway}, {"program", message.program_version}};
  if (message.version) json["version"] = json_of(*message.version);
  if (!message.peer_address.empty()) json["peerAddress"] = message.peer_address;
  return json;
}

Json json_of(const AckMessage& message) { return versioned("ack", message.version); }

Json json_of(const RefusedMessage& message) {
  auto json = versioned("refused", message.version);
  json["id"] = message.id;
  json["reason"] = message.reason;
  return json;
}

Json json_of(const LinksMessage& message) {
  auto connectors = Json::array();
  for (const auto& connector : message.connectors) {
    connectors.push_back(
        {{"instance", connector.instance}, {"name", connector.name}, {"services", connector.services}});
  }
  return {{"type", "links"}, {"id", message.id}, {"connectors", std::move(connectors)}};
}

Json json_of(const TokenMessage& message) { return {{"type", "token"}, {"token", message.token}}; }

// Reading.

Version read_version(JsonFields& fields) {
  auto version = fields.object("version");
  const auto term = version.number("term");
  return {term, version.number("counter")};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<TokenHash> token_hash(std::string_view hex) {
  TokenHash hash;
  if (hex.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const int high = hex_digit(hex[2 * i]);
    const int low = hex_digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return hash;
}

CertificateMessage read_certificate(JsonFields& fields, std::string& error) {
  auto certificate = std::make_shared<routing::Certificate>();
  certificate->fingerprint = fields.text("fingerprint");
  certificate->name = fields.text("name");
  certificate->chain_pem = fields.text("chain");
  certificate->key_pem = fields.text("key");
  const auto ocsp = routing::decode_base64(fields.text_if_any("ocsp"));
  if (ocsp) certificate->ocsp = *ocsp;
  if (!ocsp && error.empty()) error = "certificate: ocsp is not base64";
  return {std::move(certificate)};
}

routing::TunnelLimits read_limits(JsonFields fields, std::string& error) {
  const auto read = [&](const char* name) -> std::optional<std::uint32_t> {
    if (!fields.has(name)) return std::nullopt;
    const auto number = fields.number(name);
    if (number > std::numeric_limits<std::uint32_t>::max() && error.empty()) {
      error = std::string("tunnel: limits: ") + name + " is too large";
    }
    return static_cast<std::uint32_t>(number);
  };
  routing::TunnelLimits limits;
  limits.connections = read("connections");
  limits.requests_per_second = read("requestsPerSecond");
  return limits;
}

/// A mode of later versions is a fault, since visitors would not get what was asked for.
routing::Affinity read_affinity(JsonFields fields, std::string& fault) {
  using Mode = routing::Affinity::Mode;
  routing::Affinity affinity;
  const auto mode = fields.text("mode");
  if (mode == routing::name_of(Mode::cookie)) affinity.mode = Mode::cookie;
  if (mode == routing::name_of(Mode::address)) affinity.mode = Mode::address;
  if (affinity.mode == Mode::none && fault.empty()) fault = "an affinity of unknown mode";
  if (affinity.mode == Mode::cookie) affinity.cookie_name = fields.text("cookieName");
  if (fields.has("maxAge")) {
    const auto most = static_cast<std::uint64_t>(routing::kLongestCookieAge.count());
    const auto age = fields.number("maxAge");
    if (age > most && fault.empty()) fault = "an affinity whose maxAge is more than 366 days";
    affinity.max_age = std::chrono::seconds(std::min(age, most));
  }
  return affinity;
}

routing::Rule read_rule(JsonFields& fields, std::string& fault) {
  routing::Rule rule;
  rule.host = fields.text("host");
  rule.path = fields.text("path");
  rule.service = fields.text("service");
  rule.is_private = fields.flag("private");
  if (fields.has("weight")) {
    const auto weight = fields.number("weight");
    if (weight > routing::kMostWeight && fault.empty()) fault = "a weight of more than 1000";
    rule.weight = static_cast<std::uint32_t>(std::min(weight, routing::kMostWeight));
  }
  if (fields.has("filters")) {
    auto filters = fields.object("filters");
    rule.filters = read_filters(filters, fault);
  }
  return rule;
}

TunnelMessage read_tunnel(JsonFields& fields, std::string& error) {
  TunnelMessage message;
  message.version = read_version(fields);
  message.more = fields.flag("more");
  auto tunnel = std::make_shared<routing::Tunnel>();
  tunnel->id = fields.text("id");
  tunnel->name = fields.text("name");
  fields.texts("tokens", [&](const std::string& text) {
    const auto hash = token_hash(text);
    if (hash) tunnel->tokens.push_back(*hash);
    if (!hash && error.empty()) error = "tunnel: tokens holds what is not a SHA-256 in lower-case hex";
  });
  if (fields.has("limits")) tunnel->limits = read_limits(fields.object("limits"), error);
  tunnel->redirect_to_https = fields.flag("redirectToHttps");
  tunnel->offline_page = fields.text_if_any("offlinePage");
  if (fields.has("affinity")) tunnel->affinity = read_affinity(fields.object("affinity"), message.fault);
  fields.objects("rules", [&](JsonFields item) { message.rules.push_back(read_rule(item, message.fault)); });
  fields.text_lists("certificates", [&](const std::string& host, std::string fingerprint) {
    message.certificates.push_back({host, std::move(fingerprint)});
  });
  message.tunnel = std::move(tunnel);
  return message;
}

/// A remove or a keep.
template <class Message>
Message read_named(JsonFields& fields) {
  Message message;
  message.version = read_version(fields);
  message.more = fields.flag("more");
  message.id = fields.text("id");
  return message;
}

LinkCertificateMessage read_link_certificate(JsonFields& fields) {
  LinkCertificateMessage message;
  message.chain_pem = fields.text("chain");
  message.key_pem = fields.text("key");
  return message;
}

PeerCertificateMessage read_peer_certificate(JsonFields& fields) {
  PeerCertificateMessage message;
  message.chain_pem = fields.text("chain");
  message.key_pem = fields.text("key");
  message.trusted_pem = fields.text("trusted");
  return message;
}

PeersMessage read_peers(JsonFields& fields) {
  PeersMessage message;
  fields.objects("gateways", [&](JsonFields item) {
    PeerGateway peer;
    peer.gateway = item.text("gateway");
    peer.address = item.text("address");
    message.gateways.push_back(std::move(peer));
  });
  return message;
}

HelloMessage read_hello(JsonFields& fields) {
  HelloMessage message;
  message.gateway = fields.text("gateway");
  message.program_version = fields.text("program");
  if (fields.has("version")) message.version = read_version(fields);
  message.peer_address = fields.text_if_any("peerAddress");
  return message;
}

RefusedMessage read_refused(JsonFields& fields) {
  RefusedMessage message;
  message.version = read_version(fields);
  message.id = fields.text("id");
  message.reason = fields.text("reason");
  return message;
}

LinksMessage read_links(JsonFields& fields) {
  LinksMessage message;
  message.id = fields.text("id");
  fields.objects("connectors", [&](JsonFields item) {
    LiveConnector connector;
    connector.instance = item.text("instance");
    connector.name = item.text("name");
    item.texts("services", [&](std::string service) { connector.services.push_back(std::move(service)); });
    message.connectors.push_back(std::move(connector));
  });
  return message;
}

std::optional<OperatorMessage> read_from_operator(const std::string& type, JsonFields& fields, std::string& error) {
  if (type == "certificate") return read_certificate(fields, error);
  if (type == "tunnel") return read_tunnel(fields, error);
  if (type == "remove") return read_named<RemoveMessage>(fields);
  if (type == "keep") return read_named<KeepMessage>(fields);
  if (type == "synced") return SyncedMessage{read_version(fields)};
  if (type == "linkCertificate") return read_link_certificate(fields);
  if (type == "peerCertificate") return read_peer_certificate(fields);
  if (type == "peers") return read_peers(fields);
  return std::nullopt;
}

std::optional<GatewayMessage> read_from_gateway(const std::string& type, JsonFields& fields, std::string&) {
  if (type == "hello") return read_hello(fields);
  if (type == "ack") return AckMessage{read_version(fields)};
  if (type == "refused") return read_refused(fields);
  if (type == "links") return read_links(fields);
  if (type == "token") return TokenMessage{fields.text("token")};
  return std::nullopt;
}

template <class Message, class Read>
base::Result<std::optional<Message>> read_message(std::string_view text, Read read) {
  if (text.size() > kMostMessageBytes) return base::Error{"a message is longer than 4 MiB"};
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return base::Error{"a message is no JSON object"};
  std::string error;
  const auto type = JsonFields(json, "message", error).text("type");
  JsonFields fields(json, type, error);
  auto message = error.empty() ? read(type, fields, error) : std::nullopt;
  if (!error.empty()) return base::Error{error};
  return message;
}

}  // namespace

std::string to_string(const Version& version) {
  return std::to_string(version.term) + "." + std::to_string(version.counter);
}

std::string write(const OperatorMessage& message) {
  return std::visit([](const auto& typed) { return dump(json_of(typed)); }, message);
}

std::string write(const GatewayMessage& message) {
  return std::visit([](const auto& typed) { return dump(json_of(typed)); }, message);
}

base::Result<std::optional<OperatorMessage>> read_operator_message(std::string_view text) {
  return read_message<OperatorMessage>(text, read_from_operator);
}

base::Result<std::optional<GatewayMessage>> read_gateway_message(std::string_view text) {
  return read_message<GatewayMessage>(text, read_from_gateway);
}

}  // namespace adit::control
