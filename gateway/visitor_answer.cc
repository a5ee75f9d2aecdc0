// Visitor: what it writes, and how it ends.

#include <algorithm>
#include <utility>

#include "gateway/visitor.h"
#include "gateway/worker.h"
#include "http/failure_page.h"

namespace adit::gateway {
namespace {

constexpr auto kLinger =
    std::chrono::seconds(2);  // for its FIN or more bytes, so that our close does not become a reset
constexpr auto kMostLinger = std::chrono::seconds(30);  // of a visitor that goes on sending what nobody wants

}  // namespace

void Visitor::on_answer_head(const http::ResponseHead& head) {
  http::ResponseRules rules;
  rules.visitor_version = version_;
  if (head.status < 200 && head.status != 101) {
    body_awaited_ = body_awaited_ && head.status != 100;
    if (version_ == 10) return;  // RFC 9110 §15.2: HTTP/1.0 has no interim answers
    http::write_response_head(stream_->out(), head, rules);
    return stream_->flush_soon();
  }
  answered_ = true;
  record_.status = head.status;
  answer_framing_ = http::response_framing(head, version_);
  close_after_ = close_after_ || answer_framing_ == http::Framing::until_close || worker_.leaving();
  // It may send its body now or leave it out (RFC 9110 §10.1.1): what comes next could be read in two ways.
  close_after_ = close_after_ || (!body_done_ && body_awaited_);
  rules.close = close_after_ && head.status != 101;
  rules.framing = answer_framing_;
  const auto* filters = head.status != 101 ? filters_.get() : nullptr;
  rules.edits = worker_.admission().response_edits(filters, affinity_cookie());
  http::write_response_head(stream_->out(), head, rules);
  stream_->flush_soon();
  if (head.status == 101) begin_pipe(head);
}

/// The Set-Cookie by which the visitor stays with the instance that answers; empty: it is known by the right cookie.
std::string_view Visitor::affinity_cookie() {
  AffinityCookie cookie;
  const AffinityWish& wish = exchange_->wish();
  if (!wish.cookie_for(exchange_->instance(), cookie)) return {};
  auto& metrics = worker_.metrics();
  (wish.is_known() ? metrics.affinity_moved : metrics.affinity_new).add();
  return worker_.admission().set_cookie(tunnel_->affinity, cookie, secure_);
}

void Visitor::on_answer_body(std::span<const char> bytes) {
  record_.sent(bytes.size());
  if (answer_framing_ == http::Framing::chunked) {
    http::write_chunk(stream_->out(), bytes);
    stream_->flush_soon();
  } else {
    stream_->write(bytes);
  }
}

void Visitor::on_answer_trailers(const http::FieldList& trailers) {
  if (answer_framing_ != http::Framing::chunked) return;
  http::write_last_chunk(stream_->out(), &trailers);
  answer_ended_ = true;
}

void Visitor::on_answer_end() {
  if (answer_framing_ == http::Framing::chunked && !answer_ended_) http::write_last_chunk(stream_->out(), nullptr);
  stream_->flush_soon();
  end_request();
}

void Visitor::on_exchange_failed(const ExchangeFailure& failure) {
  if (record_.reason.empty() && state_ != State::pipe) record_.reason = failure.reason;
  if (!answered_) {
    return own_answer(failure.status, failure.retry_after ? "Retry-After: 1\r\n" : "", record_.reason, false);
  }
  log_request();
  worker_.give_exchange(std::move(exchange_));
  if (state_ == State::pipe) {
    if (failure.link_leaving) say_going_away(http::WebSocketEnding::End::visitor);
    return close_gently();
  }
  stream_->abort();  // an answer cut short must not look whole
  over();
}

/// Before the head was understood: nothing is known of the request and nothing was forwarded.
void Visitor::refuse(int status, std::string_view reason) {
  worker_.metrics().refused_requests.add();
  begin_request(http::RequestHead{}, {endpoint_.address, endpoint_.host, {}, {}});
  own_answer(status, {}, reason, true);
}

void Visitor::own_answer(int status, std::string_view fields, std::string_view reason, bool close) {
  // What is left of a body is not worth reading.
  close_after_ = close_after_ || close || !body_done_;
  record_.status = status;
  record_.reason = std::string(reason);
  answered_ = true;
  http::FailurePage page;
  page.status = status;
  page.request_id = record_.id;
  page.fields = fields;
  if (tunnel_ && status == 503) page.html = tunnel_->offline_page;
  page.json = wants_json_;
  page.close = close_after_;
  page.to_head = head_request_;
  http::write_failure(stream_->out(), page);
  stream_->flush_soon();
  end_request();
}

void Visitor::end_request() {
  log_request();
  if (exchange_) worker_.give_exchange(std::move(exchange_));
  filters_.reset();
  tunnel_.reset();
  place_.give_back();
  if (close_after_) return close_gently();
  state_ = body_done_ ? State::head : State::skipping;
  if (!body_done_) {
    skipped_ = 0;
    deadline_.set(net::Loop::now() + worker_.edge().header_timeout);
  }
  worker_.loop().defer(*this);
}

void Visitor::log_request() { record_.finish(exchange_.get(), worker_.metrics(), worker_.access_log()); }

void Visitor::close_gently() {
  state_ = State::closing;
  linger_until_ = net::Loop::now() + kMostLinger;
  set_closing_deadline();
  stream_->finish();
  worker_.loop().defer(*this);  // who called may still use what is readable, such as the head of a refused request
}

void Visitor::set_closing_deadline() {
  const auto now = net::Loop::now();
  deadline_.set(stream_->unsent() != 0 ? now + worker_.edge().body_timeout : std::min(now + kLinger, linger_until_));
}

/// Reads on after our end until the visitor's: closing with bytes unread would reset the connection and with it the
/// answer.
void Visitor::discard() {
  if (!stream_->readable().empty()) {
    stream_->consume(stream_->readable().size());
    set_closing_deadline();
  }
  if (!stream_->at_end()) return stream_->read();
  if (stream_->unsent() == 0) over();
}

}  // namespace adit::gateway
