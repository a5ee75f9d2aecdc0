#include "gateway/exchange.h"

#include <algorithm>
#include <array>

namespace adit::gateway {
namespace {

/// RFC 9110 §9.2.2, those that occur without a body.
bool is_idempotent(std::string_view method) {
  static constexpr std::array<std::string_view, 5> kMethods = {"GET", "HEAD", "OPTIONS", "DELETE", "PUT"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

}  // namespace

Exchange::Exchange(ExchangeContext context)
    : context_(context), deadline_(net::Deadline::of<&Exchange::on_deadline>(context.loop, this)) {}

Exchange::~Exchange() { abort(); }

void Exchange::begin(Responder& responder, const Request& request, Upstream& upstream) {
  const auto& head = request.head;
  responder_ = &responder;
  upstream_ = &upstream;
  upstream_->users += 1;
  request_framing_ = head.framing;
  request_ended_ = head.framing == http::Framing::none;
  repeatable_ = request_ended_ && head.upgrade.empty() && is_idempotent(head.method);
  to_head_ = head.method == "HEAD";
  upgrade_ = !head.upgrade.empty();
  repeated_ = head_done_ = answer_keeps_ = left_ = link_failed_ = false;
  sent_ = undelivered_ = 0;
  tried_.clear();
  visitor_ = request.visitor;
  request_id_ = request.origin.request_id;
  wish_ = request.wish;
  summary_ = Summary{};
  parser_.reset();  // exchanges are used again, and the last may have ended within an answer
  http::write_request_head(to_service_, head, request.origin, request.edits);
  upstream.budget->on_request();
  choose_instance();
  if (ServiceStream* idle = context_.pool.take(upstream, *this, instance_)) {
    stream_ = idle;
    context_.metrics.streams_reused.add();
    summary_.attempts = 1;
    summary_.link = idle->link();
    instance_ = idle->instance();
    state_ = State::sending;
    wait_at_most(context_.answer_timeout);
    return resume();
  }
  attempt();
}

/// On behalf of who brings bytes of the request.
void Exchange::resume() {
  being_fed_ = true;
  stream_->resume();
  being_fed_ = false;
}

void Exchange::on_sent(std::size_t size) {
  left_ = true;
  if (repeatable_) {
    sent_ += size;
    return;
  }
  const bool was_full = !takes_more();
  to_service_.consume(size);
  if (to_service_.empty() && !next_.empty()) to_service_ = std::move(next_);
  // A long upload is no late answer: the service's time begins anew with each piece.
  if (state_ == State::sending) give_up_ = net::Loop::now() + context_.answer_timeout;
  // Who brings bytes right now looks at takes_more() afterwards; asked from within, it would bring the same again.
  if (was_full && takes_more() && !being_fed_) responder_->on_takes_more();
}

void Exchange::body(std::span<const char> bytes) {
  const bool was_empty = to_send().empty();
  if (request_framing_ == http::Framing::chunked) {
    http::write_chunk(last_buffer(), bytes);
  } else {
    last_buffer().append(bytes);
  }
  if (was_empty && stream_ != nullptr && state_ != State::opening) resume();
}

void Exchange::body(base::Buffer bytes) {
  if (request_framing_ == http::Framing::chunked || !next_.empty()) return body(bytes.readable());
  (to_service_.empty() ? to_service_ : next_) = std::move(bytes);
  if (stream_ != nullptr && state_ != State::opening) resume();
}

void Exchange::end_body(const http::FieldList* trailers) {
  if (request_framing_ == http::Framing::chunked) {
    http::write_last_chunk(last_buffer(), trailers);
    if (stream_ != nullptr && state_ != State::opening) resume();
  }
  request_ended_ = true;
  if (state_ == State::sending) wait_at_most(context_.answer_timeout);
}

void Exchange::pipe(std::span<const char> bytes) {
  const bool was_empty = to_send().empty();
  last_buffer().append(bytes);
  if (was_empty) resume();
}

void Exchange::end_pipe() { stream_->finish(); }

void Exchange::complete() {
  const bool keep = answer_keeps_ && request_ended_ && to_send().empty();
  if (keep && undelivered_ != 0) stream_->consume(std::exchange(undelivered_, 0));
  release_stream(keep);
  Responder& responder = *responder_;
  end();
  responder.on_answer_end();
}

void Exchange::fail(int status, std::string_view reason, bool retry_after) {
  if (!active()) return;
  if (left_) context_.metrics.interrupted.add();
  if (status != 503 && !head_done_) context_.metrics.service_failures.add();
  if (summary_.reason.data() != reason.data()) summary_.reason = reason;
  release_stream(false);
  Responder& responder = *responder_;
  end();
  ExchangeFailure failure;
  failure.status = status;
  failure.retry_after = retry_after;
  failure.reason = summary_.reason;
  failure.link_leaving = summary_.link && summary_.link->connector_leaves.load(std::memory_order_relaxed);
  responder.on_exchange_failed(failure);
}

void Exchange::abort() {
  if (!active()) return;
  release_stream(false);
  end();
}

void Exchange::end() {
  responder_ = nullptr;
  upstream_->users -= 1;
  state_ = State::idle;
  deadline_.clear();
  to_service_.clear();
  next_.clear();
  answer_.clear();
}

void Exchange::release_stream(bool keep) {
  auto* stream = std::exchange(stream_, nullptr);
  if (stream == nullptr) return;
  if (keep) {
    context_.pool.give_back(*stream);
  } else {
    context_.pool.drop(*stream);
  }
}

void Exchange::delivered(std::size_t unsent) {
  if (stream_ == nullptr || undelivered_ <= unsent) return;
  stream_->consume(undelivered_ - unsent);
  undelivered_ = unsent;
}

}  // namespace adit::gateway
