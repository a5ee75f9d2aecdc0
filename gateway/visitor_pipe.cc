// Visitor: what follows a 101.

#include <utility>

#include "base/text.h"
#include "gateway/visitor.h"
#include "gateway/worker.h"

namespace adit::gateway {
namespace {

// For the rest of a frame under way, and for the answers of both ends. Within what the end of the gateway waits.
constexpr auto kGoingAwayWithin = std::chrono::milliseconds(1500);

using End = http::WebSocketEnding::End;

}  // namespace

void Visitor::begin_pipe(const http::ResponseHead& head) {
  state_ = State::pipe;
  const auto* token = head.fields.find("Upgrade");
  if (token != nullptr && base::equals_ignoring_case(*token, "websocket")) {
    web_socket_ = std::make_unique<http::WebSocketEnding>();
  }
  worker_.loop().defer(*this);  // what the visitor sent early
}

void Visitor::read_pipe() {
  const auto bytes = stream_->readable();
  if (!bytes.empty()) {
    record_.received(bytes.size());
    http::WebSocketEnding::Step step{bytes.size()};
    if (web_socket_) step = web_socket_->take(End::visitor, bytes);
    if (step.passes != 0) exchange_->pipe(bytes.first(step.passes));
    if (step.then_close) say_close(End::service);
    stream_->consume(bytes.size());
    end_web_socket();
  }
  if (stream_->at_end()) return exchange_->end_pipe();
  if (exchange_->takes_more()) stream_->read();
}

void Visitor::on_pipe_data(std::span<const char> bytes) {
  record_.sent(bytes.size());
  http::WebSocketEnding::Step step{bytes.size()};
  if (web_socket_) step = web_socket_->take(End::service, bytes);
  stream_->write(bytes.first(step.passes));
  if (step.then_close) say_close(End::visitor);
  if (step.passes < bytes.size()) exchange_->delivered(stream_->unsent());  // the rest was for nobody
  end_web_socket();
}

void Visitor::on_pipe_end() { stream_->finish(); }

/// At a boundary of what `to` is being sent.
void Visitor::say_close(End to) {
  if (to == End::visitor) {
    stream_->out().append(http::going_away().view());
    stream_->flush_soon();
  } else {
    exchange_->pipe(http::going_away(static_cast<std::uint32_t>(worker_.random()())).view());
  }
}

void Visitor::say_going_away(End to) {
  if (web_socket_ && web_socket_->begin(to)) say_close(to);
}

void Visitor::go_away() {
  if (state_ != State::pipe || !web_socket_ || going_until_ != base::kNever) return;
  record_.reason = "the gateway is shutting down";
  going_until_ = net::Loop::now() + kGoingAwayWithin;
  say_going_away(End::service);
  say_going_away(End::visitor);
  end_web_socket();
  set_deadline();
}

/// Once both ends have answered there is nothing left to say; the service closes first if it is quick, as it should
/// (RFC 6455 §7.1.1).
void Visitor::end_web_socket() {
  if (going_until_ == base::kNever || !web_socket_->done()) return;
  exchange_->end_pipe();
  stream_->finish();
}

/// An end did not answer, or a frame did not end.
void Visitor::web_socket_time_is_up() {
  going_until_ = base::kNever;
  if (!web_socket_->told(End::visitor)) return cut_off("the gateway has ended within a frame");
  log_request();
  exchange_->abort();
  worker_.give_exchange(std::move(exchange_));
  close_gently();
}

}  // namespace adit::gateway
