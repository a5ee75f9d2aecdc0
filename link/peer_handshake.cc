#include "link/peer_handshake.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "link/handshake_syntax.h"

namespace adit::link {
namespace {

using Outcome = PeerHelloReader::Outcome;

Outcome refuse(int status, std::string reason) {
  Outcome outcome;
  outcome.refusal = Refusal{status, std::move(reason)};
  return outcome;
}

/// The value of a field that is there once and valid, or nullptr.
const std::string_view* field_of(const http::RequestHead& head, std::string_view name,
                                 bool (*valid)(std::string_view)) {
  const auto count = std::count_if(head.fields.begin(), head.fields.end(), [&](const http::Field& field) {
    return base::equals_ignoring_case(field.name, name);
  });
  const auto* value = head.fields.find(name);
  return count == 1 && valid(*value) ? value : nullptr;
}

Outcome check(const http::RequestHead& head) {
  if (head.path != kPeerPath) return refuse(404, "gateways dial each other at " + std::string(kPeerPath));
  if (head.method != "GET") return refuse(400, "the method is not GET");
  if (head.version != 11) return refuse(400, "the request is not HTTP/1.1");
  if (head.framing != http::Framing::none) return refuse(400, "the request has a body");
  if (!upgrades_to(head.fields, kPeerUpgradeToken)) {
    return refuse(426, "this gateway speaks " + std::string(kPeerUpgradeToken) + ", which Upgrade does not name");
  }
  if (head.upgrade.empty()) return refuse(400, "Connection does not name Upgrade");
  const auto* gateway = field_of(head, "Adit-Gateway", is_name);
  if (gateway == nullptr) return refuse(400, "Adit-Gateway is not one name of letters, digits, '.', '_' and '-'");
  const auto* version = field_of(head, "Adit-Version", is_version);
  if (version == nullptr) return refuse(400, "Adit-Version is not one version");
  Outcome outcome;
  outcome.hello = PeerHello{std::string(*gateway), std::string(*version)};
  return outcome;
}

}  // namespace

void write_peer_hello(base::Buffer& out, const PeerHello& hello) {
  for (const auto part :
       {std::string_view("GET "), kPeerPath, std::string_view(" HTTP/1.1\r\nHost: "), kPeerName,
        std::string_view("\r\nConnection: Upgrade\r\nUpgrade: "), kPeerUpgradeToken,
        std::string_view("\r\nAdit-Gateway: "), std::string_view(hello.gateway), std::string_view("\r\nAdit-Version: "),
        std::string_view(hello.version), std::string_view("\r\n\r\n")}) {
    out.append(part);
  }
}

void write_peer_welcome(base::Buffer& out, std::string_view gateway_id) {
  for (const auto part : {std::string_view("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "),
                          kPeerUpgradeToken, std::string_view("\r\nAdit-Gateway: "), gateway_id,
                          std::string_view("\r\n\r\n")}) {
    out.append(part);
  }
}

Outcome PeerHelloReader::read(std::span<const char> bytes) {
  http::RequestHead head;
  const auto parsed = parser_.parse_head(bytes, head);
  Outcome outcome;
  if (parsed.progress == http::Progress::need_more) return outcome;
  outcome = parsed.progress == http::Progress::refused ? refuse(parsed.status, parsed.reason) : check(head);
  outcome.consumed = parsed.consumed;
  return outcome;
}

}  // namespace adit::link
