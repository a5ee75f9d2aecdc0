#include "link/handshake.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "http/forwarding.h"

namespace adit::link {
namespace {

constexpr std::string_view kFamily = "adit-link";  // of our upgrade tokens and WebSocket subprotocols, any version
constexpr std::size_t kMostName = 253;
constexpr std::size_t kMostToken = 4096;
constexpr std::size_t kMostProblem = 8 * 1024;
constexpr std::size_t kMostReason = 300;
constexpr std::chrono::seconds kMostRetryAfter{3600};

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool consists_of(std::string_view text, std::size_t most, std::string_view others) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alphanumeric(c) || others.find(c) != others.npos;
  });
}

bool is_name(std::string_view text) { return consists_of(text, kMostName, "._-"); }
bool is_version(std::string_view text) { return consists_of(text, kMostName, "._-+~"); }
/// b64token of RFC 6750 §2.1.
bool is_token(std::string_view text) { return consists_of(text, kMostToken, "-._~+/="); }

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = base::to_lower(text[i]);
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return base::equals_ignoring_case(text.substr(0, start.size()), start);
}

/// True when a field of that name, in any of its lines, has an item for which `wanted` holds.
template <class Wanted>
bool any_item(const http::FieldList& fields, std::string_view name, Wanted wanted) {
  bool found = false;
  for (const auto& field : fields) {
    if (!base::equals_ignoring_case(field.name, name)) continue;
    base::for_each_item(field.value, [&](std::string_view item) { found = found || wanted(item); });
  }
  return found;
}

bool is_ours(std::string_view item) { return starts_with_ignoring_case(item, kFamily); }

bool is_link_path(std::string_view path) {
  return path.size() >= kLinkPath.size() &&
         base::equals_ignoring_case(path.substr(path.size() - kLinkPath.size()), kLinkPath);
}

/// Checks a head field by field; the first fault is the one that is told.
class HelloCheck {
 public:
  explicit HelloCheck(const http::RequestHead& head) : head_(head) {}

  HelloReader::Outcome run() {
    Hello hello;
    check_request();
    if (!refusal_) hello.token = authorization();
    if (!refusal_) hello.tunnel_id = base::lower_case(field("Adit-Tunnel", is_uuid, "a UUID"));
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
    const auto is_current = [](std::string_view item) { return base::equals_ignoring_case(item, kUpgradeToken); };
    if (!any_item(head_.fields, "Upgrade", is_current)) {
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

/// "Name: value" and the end of line; bytes that would end the line early are left out.
void write_field(base::Buffer& out, std::string_view name, std::string_view value) {
  out.append(name);
  out.append(std::string_view(": "));
  for (const char c : value) {
    if (c >= 0x20 && c != 0x7f) out.append(c);
  }
  out.append(std::string_view("\r\n"));
}

std::string printable(std::string_view text) {
  std::string clean(text.substr(0, kMostReason));
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return c < 0x20 || c == 0x7f; }, '?');
  return clean;
}

/// The "detail" or "title" of a problem (RFC 9457 §3.1), or nothing.
std::string problem_text(std::string_view body) {
  const auto problem = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!problem.is_object()) return {};
  for (const char* member : {"detail", "title"}) {
    const auto found = problem.find(member);
    if (found == problem.end()) continue;
    if (const auto* text = found->get_ptr<const std::string*>()) return printable(*text);
  }
  return {};
}

}  // namespace

bool asks_for_link(const http::RequestHead& head) {
  return is_link_path(head.path) || any_item(head.fields, "Upgrade", is_ours) ||
         any_item(head.fields, "Sec-WebSocket-Protocol", is_ours);
}

void write_hello(base::Buffer& out, const Hello& hello, std::string_view host, std::string_view prefix) {
  out.append(std::string_view("GET "));
  out.append(prefix);
  out.append(kLinkPath);
  out.append(std::string_view(" HTTP/1.1\r\n"));
  write_field(out, "Host", host);
  write_field(out, "Connection", "Upgrade");
  write_field(out, "Upgrade", kUpgradeToken);
  write_field(out, "Authorization", "Bearer " + hello.token);
  write_field(out, "Adit-Tunnel", hello.tunnel_id);
  write_field(out, "Adit-Connector", hello.connector);
  write_field(out, "Adit-Instance", hello.instance);
  write_field(out, "Adit-Version", hello.version);
  out.append(std::string_view("\r\n"));
}

void write_welcome(base::Buffer& out, std::string_view gateway_id) {
  out.append(std::string_view("HTTP/1.1 101 Switching Protocols\r\n"));
  write_field(out, "Connection", "Upgrade");
  write_field(out, "Upgrade", kUpgradeToken);
  write_field(out, "Adit-Gateway", gateway_id);
  out.append(std::string_view("\r\n"));
}

void write_refusal(base::Buffer& out, const Refusal& refusal) {
  const auto title = http::reason_phrase(refusal.status);
  const auto status = std::to_string(refusal.status);
  std::string body = R"({"type":"about:blank","title":")";
  base::append_json_escaped(body, title);
  body += R"(","status":)" + status + R"(,"detail":")";
  base::append_json_escaped(body, refusal.reason);
  body += "\"}\n";

  const std::string status_line = "HTTP/1.1 " + status + " " + std::string(title) + "\r\n";
  out.append(std::string_view(status_line));
  write_field(out, "Content-Type", "application/problem+json");
  write_field(out, "Content-Length", std::to_string(body.size()));
  if (refusal.retry_after.count() > 0) write_field(out, "Retry-After", std::to_string(refusal.retry_after.count()));
  if (refusal.status == 401) write_field(out, "WWW-Authenticate", "Bearer");
  if (refusal.status == 426) write_field(out, "Upgrade", kUpgradeToken);
  write_field(out, "Connection", refusal.status == 426 ? "Upgrade, close" : "close");
  out.append(std::string_view("\r\n"));
  out.append(std::string_view(body));
}

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

/// Collects the body of a refusal.
class WelcomeReader::Body final : public http::BodySink {
 public:
  explicit Body(std::string& text) : text_(text) {}
  void on_body(std::span<const char> bytes) override { text_.append(bytes.data(), bytes.size()); }
  void on_trailers(const http::FieldList&) override {}

 private:
  std::string& text_;
};

WelcomeReader::Outcome WelcomeReader::read(std::span<const char> bytes) {
  if (refusal_) return read_problem(bytes);
  http::ResponseHead head;
  const auto parsed = parser_.parse_head(bytes, false, head);
  Outcome outcome;
  if (parsed.progress == http::Progress::need_more) return outcome;
  outcome.consumed = parsed.consumed;
  if (parsed.progress == http::Progress::refused) {
    outcome.broken = std::string("the answer is not HTTP: ") + parsed.reason;
  } else if (head.status == 101) {
    read_welcome(head, outcome);
  } else if (head.status < 400) {
    outcome.broken = "the answer is " + std::to_string(head.status) + " where a gateway says 101 or why not";
  } else {
    begin_refusal(head, parsed.consumed);
    return read_problem(bytes);
  }
  return outcome;
}

void WelcomeReader::read_welcome(const http::ResponseHead& head, Outcome& outcome) {
  const auto is_current = [](std::string_view item) { return base::equals_ignoring_case(item, kUpgradeToken); };
  const auto* id = head.fields.find("Adit-Gateway");
  if (!any_item(head.fields, "Upgrade", is_current)) {
    outcome.broken = "the answer switches to another protocol than " + std::string(kUpgradeToken);
  } else if (id == nullptr || !is_name(*id)) {
    outcome.broken = "the answer has no valid Adit-Gateway";
  } else {
    outcome.gateway_id = std::string(*id);
  }
}

void WelcomeReader::begin_refusal(const http::ResponseHead& head, std::size_t head_size) {
  refusal_ = Refusal{head.status, {}};
  if (const auto* value = head.fields.find("Retry-After")) {
    const auto seconds = base::parse_decimal(*value).value_or(0);
    refusal_->retry_after = std::chrono::seconds(std::min<std::uint64_t>(seconds, kMostRetryAfter.count()));
  }
  const auto* type = head.fields.find("Content-Type");
  const bool is_problem = type != nullptr && starts_with_ignoring_case(*type, "application/problem+json");
  const bool has_end = head.framing == http::Framing::length || head.framing == http::Framing::chunked;
  body_ends_ = !is_problem || !has_end;
  read_ = head_size;
}

WelcomeReader::Outcome WelcomeReader::read_problem(std::span<const char> bytes) {
  Outcome outcome;
  if (!body_ends_) {
    Body body(problem_);
    // No more than kMostProblem is decoded: a longer text is not what a gateway sends.
    const auto left = bytes.subspan(read_);
    const auto parsed = parser_.parse_body(left.first(std::min(left.size(), kMostProblem)), body);
    read_ += parsed.consumed;
    if (parsed.progress == http::Progress::need_more && read_ < 2 * kMostProblem) return outcome;
    body_ends_ = true;
  }
  outcome.consumed = read_;
  outcome.refusal = refusal_;
  outcome.refusal->reason = problem_text(problem_);
  if (outcome.refusal->reason.empty()) {
    outcome.refusal->reason =
        "HTTP status " + std::to_string(refusal_->status) + " " + std::string(http::reason_phrase(refusal_->status));
  }
  return outcome;
}

}  // namespace adit::link
