#include "gateway/visitor.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "gateway/worker.h"
#include "link/handshake.h"
#include "net/address.h"

namespace adit::gateway {
namespace {

constexpr auto kHeadWithin = std::chrono::seconds(10);  // from a head's first byte to its last; TLS handshakes too
constexpr auto kIdle = std::chrono::seconds(75);
constexpr auto kTakeWithin =
    std::chrono::seconds(60);  // a closing visitor that takes no byte of its answer for so long
constexpr auto kLinger =
    std::chrono::seconds(2);  // for its FIN or more bytes, so that our close does not become a reset
constexpr auto kMostLinger = std::chrono::seconds(30);  // of a visitor that goes on sending what nobody wants
constexpr std::size_t kMostUnsent = 64 * 1024;          // a visitor that does not read gets no further request served

}  // namespace

Visitor::Visitor(Worker& worker, net::StreamPtr stream, const net::asio::ip::tcp::endpoint& peer, bool tls,
                 std::uint16_t public_port)
    : worker_(worker),
      stream_(std::move(stream)),
      deadline_(net::Deadline::of<&Visitor::on_deadline>(worker.loop(), this)),
      address_(net::host_text(peer)),
      endpoint_(net::to_text(peer)),
      port_(std::to_string(public_port)),
      tls_(tls) {}

Visitor::~Visitor() { stream_->close(); }

void Visitor::start() {
  established_ = !tls_;
  deadline_.set(net::Loop::now() + kHeadWithin);
  stream_->start(*this);
  if (tls_) return;
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
    case State::pipe:
      return read_pipe();
    case State::closing:
      return discard();
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
  if (!std::exchange(head_begun_, true)) deadline_.set(net::Loop::now() + kHeadWithin);
  stream_->read();
}

void Visitor::take_request(const http::RequestHead& head, std::size_t head_size) {
  begin_record(head);
  const routing::Route* rule = nullptr;
  const int status = route(head, rule);
  if (status != 0) {
    own_answer(status, {}, record_.reason, false);
  } else {
    upstream_ = &worker_.pool().upstream(*rule->tunnel, rule->service);
    record_.tunnel = upstream_->tunnel_name;
    record_.service = upstream_->service;
    http::Origin origin;
    origin.client = address_;
    origin.scheme = tls_ ? "https" : "http";
    origin.port = port_;
    origin.request_id = std::string_view(record_.id.data(), record_.id.size());
    exchange_ = worker_.take_exchange();
    exchange_->begin(*this, head, *upstream_, origin, endpoint_);
  }
  stream_->consume(head_size);  // not earlier: `head` are views into it
  if (state_ != State::exchange) return;
  if (!body_done_) return read_body();
  if (stream_->readable().empty()) stream_->read();  // to hear of the visitor's end
}

void Visitor::begin_record(const http::RequestHead& head) {
  state_ = State::exchange;
  head_begun_ = answered_ = answer_ended_ = false;
  await_visitor(stream_->unsent());
  body_done_ = head.framing == http::Framing::none;
  version_ = head.version;
  head_request_ = head.method == "HEAD";
  close_after_ = !head.keep_alive || worker_.draining();
  record_.id = base::random_id(worker_.random());
  record_.method.assign(head.method);
  record_.host.assign(head.host);
  record_.target.assign(head.target);
  record_.reason.clear();
  record_.tunnel.clear();
  record_.service.clear();
  record_.status = 0;
  record_.bytes_in = record_.bytes_out = 0;
  record_.started = net::Loop::now();
  record_.time = std::chrono::system_clock::now();
}

/// 0 and the rule, or the status of our own answer with the reason in the record.
int Visitor::route(const http::RequestHead& head, const routing::Route*& rule) {
  if (link::asks_for_link(head)) {
    record_.reason = "a link was asked for on a public listener";
    return 404;
  }
  routing::PathRoom room;
  const auto match = worker_.table().match(head.host, head.path, room);
  if (match.is_ambiguous) {
    record_.reason = "a path that can be read in two ways";
    return 400;
  }
  rule = match.route;
  if (rule == nullptr || rule->is_private) {
    record_.reason = rule == nullptr ? "no route" : "the route is private";
    return 404;
  }
  if (tls_ && misdirected(head)) {
    record_.reason = "the TLS server name belongs to another tunnel";
    return 421;
  }
  return 0;
}

/// RFC 9110 §15.5.20: the handshake named a host of another tunnel than the request does. An unknown name is served.
bool Visitor::misdirected(const http::RequestHead& head) {
  const auto name = stream_->tls()->server_name();
  if (name.empty() || base::equals_ignoring_case(name, head.host)) return false;
  const auto named = worker_.table().server_name(name);
  const auto asked = worker_.table().server_name(head.host);
  return named.tunnel && (!asked.tunnel || asked.tunnel->id != named.tunnel->id);
}

void Visitor::read_body() {
  if (!exchange_->takes_more()) return;  // on_takes_more() comes back
  const auto parsed = parser_.parse_body(stream_->readable(), *this);
  stream_->consume(parsed.consumed);
  switch (parsed.progress) {
    case http::Progress::refused:
      worker_.metrics().refused_requests.add();
      record_.reason = parsed.reason;
      exchange_->abort();
      if (!answered_) return own_answer(parsed.status, {}, parsed.reason, true);
      log_request();
      return over();
    case http::Progress::complete:
      if (!body_done_) exchange_->end_body(nullptr);
      body_done_ = true;
      if (stream_->readable().empty()) stream_->read();
      return;
    case http::Progress::need_more:
      if (stream_->at_end()) return on_broken("the visitor ended within its request");
      return stream_->read();
  }
}

void Visitor::on_body(std::span<const char> bytes) {
  record_.bytes_in += bytes.size();
  exchange_->body(bytes);
}

void Visitor::on_trailers(const http::FieldList& trailers) {
  exchange_->end_body(&trailers);
  body_done_ = true;
}

void Visitor::on_takes_more() {
  if (stream_->is_reading()) return;
  if (state_ == State::exchange && !body_done_) read_body();
  if (state_ == State::pipe) read_pipe();
}

void Visitor::on_answer_head(const http::ResponseHead& head) {
  http::ResponseRules rules;
  rules.visitor_version = version_;
  if (head.status < 200 && head.status != 101) {
    if (version_ == 10) return;  // RFC 9110 §15.2: HTTP/1.0 has no interim answers
    http::write_response_head(stream_->out(), head, rules);
    return stream_->flush_soon();
  }
  answered_ = true;
  record_.status = head.status;
  answer_framing_ = http::response_framing(head, version_);
  close_after_ = close_after_ || answer_framing_ == http::Framing::until_close || worker_.draining();
  rules.close = close_after_ && head.status != 101;
  rules.framing = answer_framing_;
  http::write_response_head(stream_->out(), head, rules);
  stream_->flush_soon();
  if (head.status != 101) return;
  state_ = State::pipe;
  worker_.loop().defer(*this);  // what the visitor sent early
}

void Visitor::on_answer_body(std::span<const char> bytes) {
  record_.bytes_out += bytes.size();
  if (answer_framing_ == http::Framing::chunked) {
    http::write_chunk(stream_->out(), bytes);
  } else {
    stream_->out().append(bytes);
  }
  stream_->flush_soon();
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
  if (state_ == State::pipe) return close_gently();
  stream_->abort();  // an answer cut short must not look whole
  over();
}

/// Before the head was understood: nothing is known of the request and nothing was forwarded.
void Visitor::refuse(int status, std::string_view reason) {
  worker_.metrics().refused_requests.add();
  begin_record(http::RequestHead{});
  own_answer(status, {}, reason, true);
}

void Visitor::own_answer(int status, std::string_view extra, std::string_view reason, bool close) {
  // What is left of a body is not worth reading.
  close_after_ = close_after_ || close || !body_done_;
  record_.status = status;
  record_.reason = std::string(reason);
  answered_ = true;
  http::write_own_answer(stream_->out(), status, extra, close_after_, head_request_);
  stream_->flush_soon();
  end_request();
}

void Visitor::end_request() {
  log_request();
  if (exchange_) worker_.give_exchange(std::move(exchange_));
  if (close_after_ || !body_done_) return close_gently();
  state_ = State::head;
  worker_.loop().defer(*this);
}

/// While an answer is under way only the visitor's taking it has a limit here.
void Visitor::await_visitor(std::size_t unsent) {
  deadline_.set(unsent == 0 ? base::kNever : net::Loop::now() + kTakeWithin);
}

void Visitor::at_turn_end() {
  if (state_ == State::pipe && !stream_->is_reading()) return read_pipe();
  if (state_ == State::closing && !stream_->is_reading()) return discard();
  if (state_ != State::head) return;
  if (stream_->unsent() > kMostUnsent) return await_visitor(stream_->unsent());  // on_sent() comes back
  if (worker_.draining() && stream_->readable().empty()) return close_gently();
  deadline_.set(net::Loop::now() + kIdle);
  if (stream_->is_reading()) return;
  read_head();
}

void Visitor::on_sent() {
  const auto unsent = stream_->unsent();
  if (exchange_) exchange_->delivered(unsent);
  if (state_ == State::closing) {
    if (unsent == 0 && stream_->at_end()) return over();
    set_closing_deadline();
  } else if (state_ == State::exchange || state_ == State::pipe || unsent > kMostUnsent) {
    await_visitor(unsent);
  } else if (state_ == State::head && !stream_->is_reading()) {
    worker_.loop().defer(*this);
  }
}

void Visitor::read_pipe() {
  const auto bytes = stream_->readable();
  if (!bytes.empty()) {
    record_.bytes_in += bytes.size();
    exchange_->pipe(bytes);
    stream_->consume(bytes.size());
  }
  if (stream_->at_end()) return exchange_->end_pipe();
  if (exchange_->takes_more()) stream_->read();
}

void Visitor::on_pipe_data(std::span<const char> bytes) {
  record_.bytes_out += bytes.size();
  stream_->out().append(bytes);
  stream_->flush_soon();
}

void Visitor::on_pipe_end() { stream_->finish(); }

void Visitor::close_gently() {
  state_ = State::closing;
  linger_until_ = net::Loop::now() + kMostLinger;
  set_closing_deadline();
  stream_->finish();
  worker_.loop().defer(*this);  // who called may still use what is readable, such as the head of a refused request
}

void Visitor::set_closing_deadline() {
  const auto now = net::Loop::now();
  deadline_.set(stream_->unsent() != 0 ? now + kTakeWithin : std::min(now + kLinger, linger_until_));
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

void Visitor::on_broken(std::string_view why) {
  if (!established_) {
    worker_.metrics().tls_failures.add();
    base::log::debug("TLS handshake failed", {{"visitor", endpoint_}, {"reason", why}});
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
  if (state_ == State::head && !head_begun_) return close_gently();
  close_after_ = true;
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

void Visitor::on_deadline() {
  if (exchange_) return cut_off("it took no byte of its answer for long");
  // Nothing is owed to a visitor that waits: a head that never came, an idle connection, an answer not taken.
  over();
}

void Visitor::over() {
  if (state_ == State::over) return;
  state_ = State::over;
  deadline_.clear();
  stream_->close();
  worker_.forget(*this);
}

void Visitor::log_request() {
  auto& metrics = worker_.metrics();
  const auto now = net::Loop::now();
  const auto took = now - record_.started;
  const auto code = static_cast<std::size_t>(record_.status / 100) % metrics.requests.size();
  metrics.requests[code].add();
  metrics.duration.observe(std::chrono::duration<double>(took).count());
  telemetry::AccessRecord line;
  if (exchange_) {
    auto& cells = *exchange_->upstream().cells;
    cells.requests[code].add();
    cells.bytes_in.add(record_.bytes_in);
    cells.bytes_out.add(record_.bytes_out);
    const auto& summary = exchange_->summary();
    if (summary.first_byte != base::kNever) {
      line.upstream = summary.first_byte - record_.started;
      metrics.first_byte.observe(std::chrono::duration<double>(summary.first_byte - record_.started).count());
    }
    line.attempts = summary.attempts;
    if (summary.link) line.connector = summary.link->connector;
  }
  if (worker_.access_log() == nullptr) return;
  line.time = record_.time;
  line.request_id = std::string_view(record_.id.data(), record_.id.size());
  line.visitor = address_;
  line.method = record_.method;
  line.host = record_.host;
  line.path = record_.target;
  line.status = static_cast<unsigned>(record_.status);
  line.bytes_in = record_.bytes_in;
  line.bytes_out = record_.bytes_out;
  line.duration = took;
  line.tunnel = record_.tunnel;
  line.service = record_.service;
  line.reason = record_.reason;
  worker_.access_log()->write(line);
}

}  // namespace adit::gateway
