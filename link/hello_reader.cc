#include <algorithm>
#include <utility>

#include "base/text.h"
#include "link/handshake.h"
#include "link/handshake_syntax.h"

namespace adit::link {
namespace {

/// Checks a head field by field; the first fault is the one that is told.
class HelloCheck {
 public:
  explicit HelloCheck(const http::RequestHead& head) : head_(head) {}

  HelloReader::Outcome run() {
    Hello hello;
    check_request();
    if (!refusal_) hello.token = authorization();
    if (!refusal_ && head_.fields.find("Adit-Tunnel") != nullptr) {
      hello.tunnel_id = base::lower_case(field("Adit-Tunnel", is_uuid, "a UUID"));
    }
    if (!refusal_) hello.connector = field("Adit-Connector", is_name, "a name of letters, digits, '.', '_' and '-'");
    if (!refusal_) hello.instance = field("Adit-Instance", is_name, "a name of letters, digits, '.', '_' and '-'");
    if (!refusal_) hello.version = field("Adit-Version", is_version, "a version");
    HelloReader::Outcome outcome;
    if (refusal_) {
      outcome.refusal = std::move(refusal_);
    } else {
      outcome.hello = std::move(hello);
    }
    return outcome;
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
    if (!upgrades_to_link(head_.fields)) {
      return refuse(426, "this gateway speaks " + std::string(kUpgradeToken) + ", which Upgrade does not name");
    }
    if (head_.upgrade.empty()) return refuse(400, "Connection does not name Upgrade");
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

  const http::RequestHead& head_;
  std::optional<Refusal> refusal_;
};

}  // namespace

HelloReader::Outcome HelloReader::read(std::span<const char> bytes) {
  http::RequestHead head;
  const auto parsed = parser_.parse_head(bytes, head);
  Outcome outcome;
  if (parsed.progress == http::Progress::need_more) return outcome;
  if (parsed.progress == http::Progress::refused) {
    outcome.refusal = Refusal{parsed.status, parsed.reason};
  } else {
    outcome = HelloCheck(head).run();
  }
  outcome.consumed = parsed.consumed;
  return outcome;
}

}  // namespace adit::link
