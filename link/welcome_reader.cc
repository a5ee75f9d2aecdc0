#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "http/forwarding.h"
#include "link/handshake.h"
#include "link/handshake_digest.h"
#include "link/handshake_syntax.h"
#include "link/http_date.h"

namespace adit::link {
namespace {

constexpr std::size_t kMostProblem = std::size_t{8} * 1024;
constexpr std::size_t kMostReason = 300;
constexpr std::chrono::seconds kMostRetryAfter{3600};

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

/// What makes a 101 no answer to our WebSocket handshake (RFC 6455 §4.1); empty: nothing.
std::string web_socket_fault(const http::FieldList& fields, std::string_view expected) {
  const auto* accept = fields.find("Sec-WebSocket-Accept");
  if (accept == nullptr || *accept != expected) return "the answer's Sec-WebSocket-Accept is not of this handshake";
  const auto* protocol = fields.find("Sec-WebSocket-Protocol");
  if (protocol == nullptr || *protocol != kSubprotocol) {
    return "the answer's Sec-WebSocket-Protocol is not " + std::string(kSubprotocol);
  }
  if (fields.find("Sec-WebSocket-Extensions") != nullptr)
    return "the answer has a WebSocket extension that nobody asked for";
  return {};
}

}  // namespace

/// Collects the body of a refusal, up to what a gateway would send.
class WelcomeReader::Body final : public http::BodySink {
 public:
  explicit Body(std::string& text) : text_(text) {}
  void on_body(std::span<const char> bytes) override {
    text_.append(bytes.data(), std::min(bytes.size(), kMostProblem - text_.size()));
  }
  void on_trailers(const http::FieldList&) override {}

 private:
  std::string& text_;
};

WelcomeReader::WelcomeReader(Transport transport, std::string_view key)
    : transport_(transport), accept_(transport == Transport::websocket ? web_socket_accept(key) : std::string()) {}

WelcomeReader::WelcomeReader(std::string_view upgrade_token)
    : transport_(Transport::upgrade), upgrade_token_(upgrade_token) {}

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

void WelcomeReader::read_welcome(const http::ResponseHead& head, Outcome& outcome) const {
  const bool web_socket = transport_ == Transport::websocket;
  const auto protocol = web_socket ? kWebSocketToken : upgrade_token_;
  const auto* id = head.fields.find("Adit-Gateway");
  if (!upgrades_to(head.fields, protocol)) {
    outcome.broken = "the answer switches to another protocol than " + std::string(protocol);
    return;
  }
  if (id == nullptr || !is_name(*id)) {
    outcome.broken = "the answer has no valid Adit-Gateway";
    return;
  }
  if (web_socket) outcome.broken = web_socket_fault(head.fields, accept_);
  if (outcome.broken.empty()) outcome.gateway_id = std::string(*id);
}

void WelcomeReader::begin_refusal(const http::ResponseHead& head, std::size_t head_size) {
  refusal_ = Refusal{head.status, {}};
  const auto* id = head.fields.find("Adit-Gateway");
  refusal_->by_gateway = id != nullptr && is_name(*id);
  if (const auto* date = head.fields.find("Date")) refusal_->date = parse_http_date(*date);
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
    const auto parsed = parser_.parse_body(bytes.subspan(read_), body);
    read_ += parsed.consumed;
    if (parsed.progress == http::Progress::need_more && problem_.size() < kMostProblem) return outcome;
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
