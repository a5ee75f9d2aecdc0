#include "gateway/exchange.h"

#include <algorithm>
#include <array>

namespace adit::gateway {
namespace {

constexpr unsigned kMostAttempts = 3;
constexpr auto kAcceptWithin = std::chrono::seconds(1);          // then the link is asked whether it lives
constexpr auto kVerdictWithin = std::chrono::milliseconds(250);  // and given this long to show it
constexpr auto kOpenWithin = std::chrono::seconds(15);           // longer than a connector's own dial limit of 10 s

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
  summary_ = Summary{};
  parser_.reset();  // exchanges are used again, and the last may have ended within an answer
  http::write_request_head(to_service_, head, request.origin, request.edits);
  if (ServiceStream* idle = context_.pool.take(upstream, *this)) {
    stream_ = idle;
    context_.metrics.streams_reused.add();
    summary_.attempts = 1;
    summary_.link = idle->link();
    state_ = State::sending;
    wait_at_most(context_.answer_timeout);
    return resume();
  }
  attempt();
}

/// A phase begins that may take `limit`.
void Exchange::wait_at_most(base::Duration limit) {
  const auto now = net::Loop::now();
  give_up_ = now + limit;
  deadline_.set(std::min(give_up_, now + kAcceptWithin));
  probed_ = false;
}

/// On behalf of who brings bytes of the request.
void Exchange::resume() {
  being_fed_ = true;
  stream_->resume();
  being_fed_ = false;
}

/// Opens a fresh stream on a link that was not tried yet.
void Exchange::attempt() {
  link::Opening opening;
  opening.service = upstream_->service;
  opening.visitor = visitor_;
  opening.request_id = request_id_;
  state_ = State::opening;
  left_ = false;
  stream_ = context_.pool.open(*upstream_, opening, tried_, *this);
  if (stream_ == nullptr) {
    if (tried_.empty()) return fail_unserved("no connector offers the service");
    if (link_failed_) return fail_unserved(std::string(summary_.reason));
    return fail(502, summary_.reason.empty() ? "no other link to try" : std::string(summary_.reason));
  }
  if (summary_.attempts != 0) context_.metrics.retries.add();
  summary_.attempts += 1;
  summary_.link = stream_->link();
  tried_.push_back(stream_->link()->id);
  wait_at_most(kOpenWithin);
}

/// Another attempt after the stream was lost or given up; false if this request cannot have one.
bool Exchange::retry(std::string_view why) {
  if (summary_.first_byte != base::kNever || summary_.attempts >= kMostAttempts) return false;
  if (left_ && (!repeatable_ || repeated_)) return false;
  if (left_) repeated_ = true;
  summary_.reason = why;
  sent_ = 0;
  attempt();
  return true;
}

void Exchange::on_answer(int status, std::string_view reason) {
  if (status == 200) {
    state_ = State::sending;
    wait_at_most(context_.answer_timeout);
    if (!to_send().empty()) stream_->resume();
    return;
  }
  const std::string why(reason.empty() ? std::string_view("the connector refused the stream") : reason);
  link_failed_ = false;
  release_stream(false);
  if (status != 504 && retry(why)) return;
  fail(status == 504 ? 504 : 502, why);
}

void Exchange::on_sent(std::size_t size) {
  left_ = true;
  if (repeatable_) {
    sent_ += size;
    return;
  }
  const bool was_full = !takes_more();
  to_service_.consume(size);
  // A long upload is no late answer: the service's time begins anew with each piece.
  if (state_ == State::sending) give_up_ = net::Loop::now() + context_.answer_timeout;
  // Who brings bytes right now looks at takes_more() afterwards; asked from within, it would bring the same again.
  if (was_full && takes_more() && !being_fed_) responder_->on_takes_more();
}

void Exchange::body(std::span<const char> bytes) {
  const bool was_empty = to_send().empty();
  if (request_framing_ == http::Framing::chunked) {
    http::write_chunk(to_service_, bytes);
  } else {
    to_service_.append(bytes);
  }
  if (was_empty && stream_ != nullptr && state_ != State::opening) resume();
}

void Exchange::body(base::Buffer bytes) {
  if (request_framing_ == http::Framing::chunked || !to_service_.empty()) return body(bytes.readable());
  to_service_ = std::move(bytes);
  if (stream_ != nullptr && state_ != State::opening) resume();
}

void Exchange::end_body(const http::FieldList* trailers) {
  if (request_framing_ == http::Framing::chunked) {
    http::write_last_chunk(to_service_, trailers);
    if (stream_ != nullptr && state_ != State::opening) resume();
  }
  request_ended_ = true;
  if (state_ == State::sending) wait_at_most(context_.answer_timeout);
}

void Exchange::pipe(std::span<const char> bytes) {
  const bool was_empty = to_send().empty();
  to_service_.append(bytes);
  if (was_empty) resume();
}

void Exchange::end_pipe() { stream_->finish(); }

void Exchange::on_data(std::span<const char> bytes) {
  undelivered_ += bytes.size();
  if (summary_.first_byte == base::kNever) summary_.first_byte = net::Loop::now();
  if (state_ == State::piping) return responder_->on_pipe_data(bytes);
  if (answer_.empty()) {
    const std::size_t used = parse(bytes);
    if (active() && used < bytes.size()) answer_.append(bytes.subspan(used));
  } else {
    answer_.append(bytes);
    const std::size_t used = parse(answer_.readable());
    if (active()) answer_.consume(used);
  }
  // A head has its own limit, and what is kept of it is delivered to nobody: it must not use up the window.
  if (active() && !head_done_) delivered(0);
}

/// Takes what can be understood of the answer and returns how much that was. The exchange may be over afterwards.
std::size_t Exchange::parse(std::span<const char> bytes) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    const auto rest = bytes.subspan(used);
    const auto parsed =
        head_done_ ? parser_.parse_body(rest, *this) : parser_.parse_head(rest, to_head_, context_.scratch);
    used += parsed.consumed;
    if (parsed.progress == http::Progress::need_more) break;
    if (parsed.progress == http::Progress::refused) {
      fail(502, parsed.reason);
      break;
    }
    if (head_done_) {
      answer_keeps_ = answer_keeps_ && used == bytes.size();  // bytes after the end: nobody asked for them
      complete();
      break;
    }
    if (!take_head(context_.scratch)) break;
    if (state_ == State::piping) {
      if (used < bytes.size()) responder_->on_pipe_data(bytes.subspan(used));
      return bytes.size();
    }
    if (head_done_ && parser_.parse_body({}, *this).progress == http::Progress::complete) {  // none, or of length 0
      answer_keeps_ = answer_keeps_ && used == bytes.size();
      complete();
      break;
    }
  }
  return used;
}

/// False when the exchange is over.
bool Exchange::take_head(const http::ResponseHead& head) {
  if (head.status == 101) {
    if (!upgrade_) {
      fail(502, "101 without a request to upgrade");
      return false;
    }
    state_ = State::piping;
    deadline_.clear();
    head_done_ = true;
    to_service_.consume(std::exchange(sent_, 0));
    repeatable_ = false;
    responder_->on_answer_head(head);
    return true;
  }
  if (head.status < 200) {
    responder_->on_answer_head(head);
    return true;
  }
  state_ = State::answering;
  deadline_.clear();
  head_done_ = true;
  answer_keeps_ = head.keep_alive && head.framing != http::Framing::until_close;
  responder_->on_answer_head(head);
  return true;
}

void Exchange::on_end() {
  if (state_ == State::piping) return responder_->on_pipe_end();
  if (head_done_ && parser_.finish().progress == http::Progress::complete) return complete();
  if (head_done_) return fail(502, "the service closed within its answer");
  release_stream(false);
  if (!retry("the service closed before it answered")) fail(502, "the service closed before it answered");
}

void Exchange::on_closed(link::Closed why) {
  stream_ = nullptr;
  const bool lost = why == link::Closed::link_lost;
  const std::string_view reason = lost                            ? "the link was lost"
                                  : why == link::Closed::refused  ? "the connector took no more streams"
                                  : why == link::Closed::finished ? "the stream ended"
                                                                  : "the service reset the connection";
  link_failed_ = !left_ && (lost || why == link::Closed::refused);
  if (retry(reason)) return;
  if (link_failed_) return fail_unserved(reason);
  if (state_ == State::piping && why == link::Closed::finished) left_ = false;  // both halves ended: nothing is cut off
  fail(502, reason);
}

void Exchange::complete() {
  const bool keep = answer_keeps_ && request_ended_ && to_send().empty();
  if (keep && undelivered_ != 0) stream_->consume(std::exchange(undelivered_, 0));
  release_stream(keep);
  Responder& responder = *responder_;
  end();
  responder.on_answer_end();
}

/// The last attempt brought nothing to the service, and no link is left that could.
void Exchange::fail_unserved(std::string_view reason) {
  context_.metrics.no_connector.add();
  fail(503, reason, true);
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

void Exchange::on_deadline() {
  // Neither link nor service owes anything as long as the visitor brings nothing; its pace is watched elsewhere.
  const bool awaits_visitor = state_ == State::sending && !request_ended_ && to_send().empty();
  if (awaits_visitor) return wait_at_most(context_.answer_timeout);
  const auto now = net::Loop::now();
  if (now >= give_up_) {
    return fail(504,
                state_ == State::opening ? "the connector did not accept the stream" : "the service did not answer");
  }
  if (!probed_) {
    probed_ = true;
    context_.pool.doubt(*stream_);  // nothing came for a while: is it the link?
    return deadline_.set(std::min(give_up_, now + kVerdictWithin));
  }
  // The link had its chance to show a byte. A slow service is no fault of the link, so on a live one we wait on.
  const bool movable = (!left_ || repeatable_) && summary_.attempts < kMostAttempts;
  if (movable && stream_->link()->state.load(std::memory_order_relaxed) != LinkState::live) {
    release_stream(false);
    link_failed_ = !left_;
    if (retry("the link went silent")) return;
    return link_failed_ ? fail_unserved("the link went silent") : fail(502, "the link went silent");
  }
  deadline_.set(std::min(give_up_, now + kAcceptWithin));
  probed_ = false;
}

}  // namespace adit::gateway
