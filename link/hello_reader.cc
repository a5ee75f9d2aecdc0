#include <algorithm>
#include <utility>

#include "base/text.h"
#include "link/handshake.h"
#include "link/handshake_syntax.h"

namespace adit::link {
namespace {

constexpr std::uint64_t kMostSlot = 9999;

/// Checks a head field by field; the first fault is the one that is told.
class HelloCheck {
 public:
  explicit HelloCheck(const http::RequestHead& head) : head_(head) {}

  HelloReader::Outcome run() {
    Hello hello;
    check_request();
    if (!refusal_ && outcome_.transport == Transport::websocket) check_web_socket();
    if (!refusal_) hello.token = authorization();
    if (!refusal_ && head_.fields.find("Adit-Tunnel") != nullptr) {
      hello.tunnel_id = base::lower_case(field("Adit-Tunnel", is_uuid, "a UUID"));
    }
    if (!refusal_) hello.connector = field("Adit-Connector", is_name, "a name of letters, digits, '.', '_' and '-'");
    if (!refusal_) hello.instance = field("Adit-Instance", is_name, "a name of letters, digits, '.', '_' and '-'");
    if (!refusal_) hello.version = field("Adit-Version", is_version, "a version");
    if (!refusal_ && head_.fields.find("Adit-Slot") != nullptr) hello.slot = slot();
    if (refusal_) {
      outcome_.refusal = std::move(refusal_);
    } else {
      outcome_.hello = std::move(hello);
    }
    return std::move(outcome_);
  }

 private:
  void refuse(int status, std::string reason) {
    if (!refusal_) refusal_ = Refusal{status, std::move(reason)};
  }

  void check_request() {
    if (!is_link_path(head_.path)) return refuse(404, "links are opened at " + std::string(kLinkPath));
    if (head_.method != "GET") return refuse(400, "the method is not GET");
    if (head_.version != 11) return refuse(400, "the request is not HTTP/1.1");
    if (head_.framing != http::Framing::none) return refuse(400, "the request has a body");
    if (upgrades_to(head_.fields, kUpgradeToken)) {
      outcome_.transport = Transport::upgrade;
    } else if (upgrades_to(head_.fields, kWebSocketToken)) {
      outcome_.transport = Transport::websocket;
    } else if (head_.fields.find("Upgrade") == nullptr) {
      return refuse(426, "the request has no Upgrade: a proxy on the way may have removed it");
    } else {
      return refuse(426, "this gateway speaks " + std::string(kUpgradeToken) + ", which Upgrade does not name");
    }
    if (head_.upgrade.empty()) return refuse(400, "Connection does not name Upgrade");
  }

  /// RFC 6455 §4.2.1.
  void check_web_socket() {
    const auto version = field("Sec-WebSocket-Version", is_name, "a number");
    if (!refusal_ && version != kWebSocketVersion) refuse(426, "Sec-WebSocket-Version is not 13");
    if (!refusal_) outcome_.key = field("Sec-WebSocket-Key", is_web_socket_key, "16 bytes in base64");
    if (!refusal_ && !names_subprotocol(head_.fields)) {
      refuse(426, "this gateway speaks " + std::string(kSubprotocol) + ", which Sec-WebSocket-Protocol does not name");
    }
  }

  /// The value of a field that must be there once and be valid.
  std::string field(std::string_view name, bool (*valid)(std::string_view), std::string_view what) {
    const auto count = std::count_if(head_.fields.begin(), head_.fields.end(), [&](const http::Field& field) {
      return base::equals_ignoring_case(field.name, name);
    });
    if (count != 1) {
      refuse(400, std::string(name) + (count == 0 ? " is missing" : " is there more than once"));
      return {};
    }
    const std::string_view value = *head_.fields.find(name);
    if (!valid(value)) refuse(400, std::string(name) + " is not " + std::string(what));
    return std::string(value);
  }

  std::string authorization() {
    if (head_.fields.find("Authorization") == nullptr) {
      refuse(401, "Authorization is missing");
      return {};
    }
    const auto any = [](std::string_view) { return true; };
    const std::string value = field("Authorization", any, "");
    constexpr std::string_view kScheme = "Bearer ";
    if (!starts_with_ignoring_case(value, kScheme)) {
      refuse(401, "Authorization is not of the scheme Bearer");
      return {};
    }
    const auto token = base::trim(std::string_view(value).substr(kScheme.size()));
    if (!is_token(token)) refuse(401, "Authorization carries no valid token");
    return std::string(token);
  }

  std::uint32_t slot() {
    const auto any = [](std::string_view) { return true; };
    const auto number = base::parse_decimal(field("Adit-Slot", any, ""));
    if (!number || *number > kMostSlot) refuse(400, "Adit-Slot is not a number from 0 to " + std::to_string(kMostSlot));
    return static_cast<std::uint32_t>(number.value_or(0));
  }

  const http::RequestHead& head_;
  HelloReader::Outcome outcome_;
  std::optional<Refusal> refusal_;
};

}  // namespace

HelloReader::Outcome check_hello(const http::RequestHead& head) { return HelloCheck(head).run(); }

HelloReader::Outcome HelloReader::read(std::span<const char> bytes) {
  http::RequestHead head;
  const auto parsed = parser_.parse_head(bytes, head);
  Outcome outcome;
  if (parsed.progress == http::Progress::need_more) return outcome;
  if (parsed.progress == http::Progress::refused) {
    outcome.refusal = Refusal{parsed.status, parsed.reason};
  } else {
    outcome = check_hello(head);
  }
  outcome.consumed = parsed.consumed;
  return outcome;
}

}  // namespace adit::link
