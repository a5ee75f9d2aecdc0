#include "gateway/visitor.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "gateway/worker.h"
#include "http/failure_page.h"

namespace adit::gateway {
namespace {

constexpr std::size_t kWorthHandingOver = 16 * 1024;  // of a block that may be four times as large
constexpr std::size_t kMostUnsent = 64 * 1024;        // a visitor that does not read gets no further request served
constexpr auto kFirstRequestWithin = std::chrono::seconds(1);  // while the gateway drains
constexpr std::size_t kMostSkipped = 256 * 1024;  // of a body that nobody wants any more; then closing is cheaper

}  // namespace

Visitor::Visitor(Worker& worker, net::StreamPtr stream, VisitorEndpoint endpoint, std::string peer)
    : worker_(worker),
      stream_(std::move(stream)),
      parser_(worker.edge().head),
      deadline_(net::Deadline::of<&Visitor::on_deadline>(worker.loop(), this)),
      endpoint_(std::move(endpoint)),
      peer_(std::move(peer)) {}

Visitor::~Visitor() { stream_->close(); }

void Visitor::start() {
  established_ = !endpoint_.tls;
  const base::Duration limit = worker_.edge().header_timeout;
  deadline_.set(net::Loop::now() + (worker_.draining() ? std::min<base::Duration>(limit, kFirstRequestWithin) : limit));
  stream_->start(*this);
  if (!established_) return;
  if (!stream_->readable().empty()) return on_readable();  // it came with a PROXY header
  stream_->read();
}

void Visitor::on_established() {
  established_ = true;
  if (stream_->readable().empty()) stream_->read();
}

void Visitor::on_readable() {
  switch (state_) {
    case State::head:
      return read_head();
    case State::exchange:
      if (!body_done_) read_body();
      return;  // a pipelined request waits its turn; the end of the visitor's half shows when that comes
    case State::skipping:
      return skip_body();
    case State::pipe:
      return read_pipe();
    case State::closing:
      return discard();
    case State::password:
    case State::link:
    case State::over:
      return;
  }
}

void Visitor::read_head() {
  if (stream_->readable().empty()) {
    return stream_->at_end() ? end_of_requests() : stream_->read();
  }
  auto& head = worker_.request_scratch();
  const auto parsed = parser_.parse_head(stream_->readable(), head);
  switch (parsed.progress) {
    case http::Progress::need_more:
      return stream_->at_end() ? end_of_requests() : await_head();
    case http::Progress::refused:
      return refuse(parsed.status, parsed.reason);
    case http::Progress::complete:
      return take_request(head, parsed.consumed);
  }
}

void Visitor::await_head() {
  if (!std::exchange(head_begun_, true)) deadline_.set(net::Loop::now() + worker_.edge().header_timeout);
  stream_->read();
}

void Visitor::take_request(const http::RequestHead& head, std::size_t head_size) {
  const auto origin = origin_of(endpoint_, head, worker_.edge().trusted_proxies);
  if (worker_.opens_link(head, origin)) {
    state_ = State::link;
    deadline_.set(net::Loop::now() + worker_.edge().header_timeout);
    return hand_over_link();
  }
  auto* tls = stream_->tls();
  const auto server_name = tls != nullptr ? tls->server_name() : std::string_view();
  if (!lot_) lot_ = worker_.lots().draw();
  const Request request{head, origin, endpoint_, server_name, *lot_};
  auto verdict = worker_.admission().admit(request, worker_.table(), net::Loop::now());
  const bool waits = verdict.kind == Verdict::Kind::wait;
  if (waits && await_password(std::move(verdict.question), origin)) return;
  begin_request(head, origin);
  if (verdict.route != nullptr) {
    record_.tunnel = verdict.route->tunnel->name;
    record_.service = verdict.route->service;
    if (verdict.limited) worker_.metrics().limited(*verdict.route->tunnel, *verdict.limited);
  }
  if (waits) {
    own_answer(503, "Retry-After: 1\r\n", "too many passwords to check", false);
  } else if (verdict.kind == Verdict::Kind::answer) {
    own_answer(verdict.status, verdict.fields, verdict.reason, verdict.status == 400);
  } else {
    if (verdict.share_moved) worker_.metrics().shares_moved.add();
    forward(head, verdict);
  }
  stream_->consume(head_size);  // not earlier: `head` are views into it
  if (state_ != State::exchange) return;
  if (!body_done_) return read_body();
  if (stream_->readable().empty()) stream_->read();  // to hear of the visitor's end
}

/// The head stays where it is: the acceptor reads it anew, with the rules of links.
void Visitor::hand_over_link() {
  if (stream_->unsent() != 0) return stream_->flush_soon();  // on_sent() comes back
  state_ = State::over;
  deadline_.clear();
  worker_.hand_to_acceptor(*this, stream_->release());
}

/// The head stays where it is and is read again when the password was checked.
bool Visitor::await_password(Verdict::Question question, const RequestOrigin& origin) {
  waiting_ = std::make_shared<Visitor*>(this);
  auto source = FailureLimiter::source_of(origin.address);
  if (!worker_.check_password(std::move(question), std::move(source), waiting_)) return false;
  state_ = State::password;
  deadline_.clear();
  return true;
}

void Visitor::password_checked() {
  waiting_.reset();
  if (state_ != State::password) return;
  state_ = State::head;
  read_head();
}

void Visitor::begin_request(const http::RequestHead& head, const RequestOrigin& origin) {
  state_ = State::exchange;
  has_asked_ = true;
  lot_.reset();
  head_begun_ = answered_ = answer_ended_ = body_too_large_ = false;
  body_done_ = head.framing == http::Framing::none;
  body_awaited_ = head.expect_continue;
  most_body_ = ~std::uint64_t{0};
  version_ = head.version;
  head_request_ = head.method == "HEAD";
  const auto* accept = head.fields.find("Accept");
  wants_json_ = accept != nullptr && accept->find("json") != std::string_view::npos && http::prefers_json(*accept);
  close_after_ = !head.keep_alive || worker_.leaving();
  record_.begin(head);
  record_.visitor.assign(origin.host);
  secure_ = origin.scheme == "https";
  if (origin.request_id.empty()) {
    const auto id = base::random_id(worker_.random());
    record_.id.assign(id.data(), id.size());
  } else {
    record_.id.assign(origin.request_id);
  }
  body_pace_.begin(pace());
  await_visitor();
}

void Visitor::forward(const http::RequestHead& head, Verdict& verdict) {
  const auto& route = *verdict.route;
  filters_ = route.filters;
  if (!route.tunnel->offline_page.empty() || verdict.wish.mode() == routing::Affinity::Mode::cookie) {
    tunnel_ = route.tunnel;
  }
  place_ = std::move(verdict.place);
  most_body_ = verdict.most_body;
  http::Origin origin;
  origin.client = endpoint_.host;
  origin.scheme = endpoint_.tls ? "https" : "http";
  origin.port = endpoint_.port;
  origin.request_id = record_.id;
  origin.trusted = endpoint_.trusted;
  auto& upstream = worker_.pool().upstream(*route.tunnel, route.service);
  record_.cells = upstream.cells.get();
  exchange_ = worker_.take_exchange();
  exchange_->begin(*this, {head, verdict.edits, origin, peer_, verdict.wish}, upstream);
}

void Visitor::read_body() {
  if (!exchange_->takes_more()) {  // on_takes_more() comes back
    body_pace_.pause(net::Loop::now());
    return set_deadline();
  }
  const auto parsed = parser_.parse_body(stream_->readable(), *this);
  if (!std::exchange(body_handed_over_, false)) stream_->consume(parsed.consumed);
  if (body_too_large_) return refuse_body(413, "the body is larger than the route allows");
  switch (parsed.progress) {
    case http::Progress::refused:
      worker_.metrics().refused_requests.add();
      return refuse_body(parsed.status, parsed.reason);
    case http::Progress::complete:
      if (!body_done_) exchange_->end_body(nullptr);
      body_done_ = true;
      if (body_pace_.is_waiting()) {
        body_pace_.pause(net::Loop::now());
        set_deadline();
      }
      if (state_ == State::exchange && stream_->readable().empty()) stream_->read();
      return;
    case http::Progress::need_more:
      if (stream_->at_end()) return on_broken("the visitor ended within its request");
      const auto now = net::Loop::now();
      body_pace_.moved(pace(), now, parsed.consumed);
      body_pace_.wait(now);
      set_deadline();
      return stream_->read();
  }
}

/// The request cannot go on; nothing of its answer can be trusted to fit.
void Visitor::refuse_body(int status, std::string_view reason) {
  record_.reason = reason;
  exchange_->abort();
  if (!answered_) return own_answer(status, {}, reason, true);
  cut_off(reason);
}

void Visitor::on_body(std::span<const char> bytes) {
  if (state_ == State::skipping) {
    skipped_ += bytes.size();
    return;
  }
  record_.received(bytes.size());
  body_awaited_ = false;
  body_too_large_ = record_.bytes_in > most_body_;
  if (body_too_large_) return;
  // All that was read, and nothing else: bulk goes on without a copy.
  body_handed_over_ = bytes.size() >= kWorthHandingOver && bytes.size() == stream_->readable().size();
  body_handed_over_ ? exchange_->body(stream_->take()) : exchange_->body(bytes);
}

void Visitor::on_trailers(const http::FieldList& trailers) {
  if (state_ == State::skipping) return;
  exchange_->end_body(&trailers);
  body_done_ = true;
}

void Visitor::on_takes_more() {
  if (stream_->is_reading()) return;
  if (state_ == State::exchange && !body_done_) read_body();
  if (state_ == State::pipe) read_pipe();
}

/// Throws away the rest of a request that was answered early, so that the connection can carry the next one.
void Visitor::skip_body() {
  const auto parsed = parser_.parse_body(stream_->readable(), *this);
  stream_->consume(parsed.consumed);
  if (parsed.progress == http::Progress::complete) {
    state_ = State::head;
    return worker_.loop().defer(*this);
  }
  const bool hopeless =
      parsed.progress == http::Progress::refused || stream_->at_end() || skipped_ > kMostSkipped || worker_.draining();
  hopeless ? close_gently() : stream_->read();
}

void Visitor::at_turn_end() {
  if (state_ == State::pipe && !stream_->is_reading()) return read_pipe();
  if (state_ == State::closing && !stream_->is_reading()) return discard();
  if (state_ == State::skipping && !stream_->is_reading()) return skip_body();
  if (state_ != State::head) return;
  if (stream_->unsent() > kMostUnsent) return await_visitor();  // on_sent() comes back
  if (worker_.draining() && stream_->readable().empty()) return close_gently();
  deadline_.set(net::Loop::now() + worker_.edge().idle_timeout);
  if (stream_->is_reading()) return;
  read_head();
}

void Visitor::on_sent() {
  if (state_ == State::link) return hand_over_link();
  const auto unsent = stream_->unsent();
  if (exchange_) exchange_->delivered(unsent);
  if (state_ == State::closing) {
    if (unsent == 0 && stream_->at_end()) return over();
    set_closing_deadline();
  } else if (state_ == State::exchange || state_ == State::pipe || unsent > kMostUnsent) {
    await_visitor();
  } else if (state_ == State::head && !stream_->is_reading()) {
    worker_.loop().defer(*this);
  }
}

const PaceLimits& Visitor::pace() const { return worker_.pace(); }

/// While an answer is under way: the visitor has as long to take it as its pace allows.
void Visitor::await_visitor() {
  const bool waits = stream_->unsent() != 0;
  if (waits || answer_pace_.is_waiting()) {
    const auto now = net::Loop::now();
    if (waits && !answer_pace_.is_waiting()) {
      answer_pace_.begin(pace());
      answer_pace_.wait(now);
    }
    const auto sent = stream_->bytes_out();
    answer_pace_.moved(pace(), now, sent - std::exchange(sent_, sent));
    if (!waits) answer_pace_.pause(now);
  }
  set_deadline();
}

void Visitor::set_deadline() {
  deadline_.set(std::min({body_pace_.deadline(pace()), answer_pace_.deadline(pace()), going_until_}));
}

void Visitor::on_deadline() {
  const auto now = net::Loop::now();
  if (exchange_ && going_until_ <= now) return web_socket_time_is_up();
  if (exchange_ && state_ == State::exchange && body_pace_.deadline(pace()) <= now) {
    return refuse_body(408, "the body came too slowly");
  }
  if (exchange_ && answer_pace_.deadline(pace()) > now) return set_deadline();
  if (exchange_) return cut_off("the visitor took its answer too slowly");
  if (!established_) return on_broken("the handshake took too long");
  if (state_ == State::head && head_begun_ && stream_->unsent() == 0) return refuse(408, "the head came too slowly");
  if (state_ == State::skipping) return close_gently();
  // Nothing is owed to a visitor that waits: a handshake that never came, an idle connection, an answer not taken.
  over();
}

void Visitor::on_broken(std::string_view why) {
  if (!established_) {
    worker_.metrics().tls_failures.add();
    base::log::debug("TLS handshake failed", {{"visitor", peer_}, {"reason", why}});
  }
  if (exchange_ && state_ != State::over) {
    if (record_.reason.empty()) record_.reason = std::string("cut off: ") + std::string(why);
    log_request();
    exchange_->abort();
    worker_.give_exchange(std::move(exchange_));
  }
  over();
}

void Visitor::drain() {
  close_after_ = true;
  if (state_ != State::head || head_begun_) return;
  if (has_asked_) return close_gently();
  // Who has just come is about to ask.
  deadline_.set(std::min(deadline_.when(), net::Loop::now() + kFirstRequestWithin));
}

/// The visitor has ended its half, and there is no whole request left of it.
void Visitor::end_of_requests() {
  if (stream_->unsent() != 0) return close_gently();  // it may still read what it asked for
  over();
}

void Visitor::cut_off(std::string_view why) {
  if (exchange_) stream_->abort();  // an answer cut short must not look whole
  on_broken(why);
}

void Visitor::over() {
  if (state_ == State::over) return;
  state_ = State::over;
  deadline_.clear();
  place_.give_back();
  if (waiting_) *waiting_ = nullptr;
  stream_->close();
  worker_.forget(*this);
}

}  // namespace adit::gateway
