#include "gateway/worker.h"

#include "base/log.h"
#include "base/text.h"
#include "gateway/link_acceptor.h"
#include "gateway/visitor.h"
#include "net/address.h"

namespace adit::gateway {
namespace {

constexpr auto kTick = std::chrono::milliseconds(500);  // counters of links, log lines
constexpr std::size_t kMostSpareExchanges = 1024;
constexpr std::string_view kTooMany =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
constexpr std::string_view kTooManyOfAddress =
    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

}  // namespace

/// The visitors of a worker, and those that are over and destroyed at the end of the turn.
struct Worker::VisitorList final : net::TurnTask {
  boost::intrusive::list<Visitor> live;
  std::vector<std::unique_ptr<Visitor>> over;
  void at_turn_end() override { over.clear(); }
};

Worker::Worker(Shared& shared, std::size_t index)
    : shared_(shared),
      index_(index),
      metrics_(*shared.metrics.workers[index]),
      table_(shared.table),
      pace_{shared.edge.body_timeout, shared.edge.min_body_rate_grace, shared.edge.min_body_rate},
      admission_(shared.admission, shared.edge, *this),
      tickets_(shared.ticket_keys),
      certificates_(shared.table, server_tls(), shared.link_name),
      proxy_arrivals_(loop_, shared.edge, metrics_,
                      [this](const net::StreamPtr& stream, const net::asio::ip::tcp::endpoint& visitor, bool tls,
                             std::uint16_t port) { admit(stream, visitor, tls, port); }),
      links_(
          loop_, shared.directory, shared.buffers, shared.gateway_id,
          [this](std::uint64_t link_id) { link_is_leaving(link_id); },
          [this](const LinkInfo& link) { connector_is_doubtful(link); }),
      pool_(loop_, *this, metrics_.tunnels),
      visitors_(std::make_unique<VisitorList>()),
      tick_(net::Deadline::of<&Worker::tick>(loop_, this)) {
  if (shared.access_log) access_log_ = std::make_unique<telemetry::AccessLogBuffer>(*shared.access_log);
  tick_.set(net::Loop::now() + kTick);
}

Worker::~Worker() {
  visitors_->live.clear_and_dispose([](Visitor* visitor) { delete visitor; });
}

base::Result<net::asio::ip::tcp::endpoint> Worker::listen(const net::asio::ip::tcp::endpoint& where, bool tls) {
  if (tls && !tls_) {
    auto context = net::make_choosing_context(server_tls(), certificates_);
    if (!context) return base::Error{context.error()};
    tls_ = *context;
  }
  auto listener = net::Listener::open(loop_, where, true);
  if (!listener) return base::Error{listener.error()};
  const auto bound = (*listener)->endpoint();
  (*listener)->start([this, tls, port = bound.port()](net::Socket socket, const net::asio::ip::tcp::endpoint& peer) {
    accept(std::move(socket), peer, tls, port);
  });
  listeners_.push_back(std::move(*listener));
  return bound;
}

net::ServerTls Worker::server_tls() {
  const auto& edge = shared_.edge;
  return {net::TlsUse::public_edge, {edge.tls_min_version, edge.tls_ciphers, edge.tls_cipher_suites}, &tickets_};
}

void Worker::run() {
  thread_ = std::jthread([this] { loop_.run(); });
}

void Worker::stop() {
  shared_.admission.passwords.stop();  // it tells workers
  loop_.stop();
  if (thread_.joinable()) thread_.join();
  // Not left to the destructor: streams that cross to other workers tell these, which must still be there.
  proxy_arrivals_.clear();
  while (!visitors_->live.empty()) visitors_->live.front().cut_off("the gateway has ended");
  visitors_->over.clear();
  pool_.clear();
  links_.close("the gateway has ended");
  if (access_log_) access_log_->flush();
}

void Worker::accept(net::Socket socket, const net::asio::ip::tcp::endpoint& peer, bool tls, std::uint16_t port) {
  const net::StreamPtr stream(new net::Stream(loop_, std::move(socket), nullptr));
  if (proxy_arrivals_.expects(peer, tls)) return proxy_arrivals_.add(stream, peer, tls, port);
  admit(stream, peer, tls, port);
}

/// A visitor has come, directly or through a proxy that told its address.
void Worker::admit(const net::StreamPtr& stream, const net::asio::ip::tcp::endpoint& peer, bool tls,
                   std::uint16_t port) {
  VisitorEndpoint visitor;
  visitor.address = net::ip_address(peer);
  visitor.host = net::host_text(peer);
  visitor.port = std::to_string(port);
  visitor.tls = tls;
  visitor.trusted = base::contains(shared_.edge.trusted_proxies, visitor.address);
  if (!count_in(*stream, visitor)) return;
  if (tls) stream->begin_tls(net::new_server(tls_));
  auto made = std::make_unique<Visitor>(*this, stream, std::move(visitor), net::to_text(peer));
  metrics_.connections.add();
  metrics_.connections_open.add();
  visitors_->live.push_back(*made);
  made.release()->start();
}

/// False: there are too many. Who speaks plain HTTP is told so, if that can be done at once.
bool Worker::count_in(net::Stream& stream, const VisitorEndpoint& visitor) {
  const auto answer = shared_.connections.enter(visitor.address);
  if (answer == ConnectionLimiter::Answer::admitted) return true;
  metrics_.connections_refused.add();
  if (!visitor.tls) {
    stream.out().append(answer == ConnectionLimiter::Answer::too_many ? kTooMany : kTooManyOfAddress);
    stream.flush();
  }
  stream.close();
  return false;
}

bool Worker::check_password(Verdict::Question question, std::string visitor, std::shared_ptr<Visitor*> who) {
  return shared_.admission.passwords.check(
      std::move(question.password), std::move(question.bcrypt),
      [this, key = question.key, visitor = std::move(visitor), who = std::move(who)](bool right) {
        loop_.post([this, key, visitor, who, right] {
          admission_.password_checked(key, visitor, right, net::Loop::now());
          if (*who != nullptr) (*who)->password_checked();
        });
      });
}

bool Worker::opens_link(const http::RequestHead& head, const RequestOrigin& origin) const {
  // The host first: the forms are looked for in every field.
  return shared_.link_acceptor != nullptr && base::equals_ignoring_case(head.host, shared_.link_name.host) &&
         (shared_.insecure_links || origin.scheme == "https") && link::asks_for_link(head);
}

void Worker::hand_to_acceptor(Visitor& visitor, net::Stream::Parts parts) {
  const auto& endpoint = visitor.endpoint();
  shared_.link_acceptor->arrive(
      {std::move(parts), endpoint, visitor.peer(), ConnectionPlace(shared_.connections, endpoint.address)});
  remove(visitor);
}

void Worker::forget(Visitor& visitor) {
  shared_.connections.leave(visitor.endpoint().address);
  remove(visitor);
}

void Worker::remove(Visitor& visitor) {
  metrics_.connections_open.subtract();
  visitors_->live.erase(visitors_->live.iterator_to(visitor));
  visitors_->over.emplace_back(&visitor);
  loop_.defer(*visitors_);
}

std::unique_ptr<Exchange> Worker::take_exchange() {
  if (!exchanges_.empty()) {
    auto exchange = std::move(exchanges_.back());
    exchanges_.pop_back();
    return exchange;
  }
  const ExchangeContext context{loop_, pool_, metrics_, response_scratch_, shared_.answer_timeout};
  return std::make_unique<Exchange>(context);
}

void Worker::give_exchange(std::unique_ptr<Exchange> exchange) {
  // Never destroyed here: this may be called from within it.
  exchanges_.push_back(std::move(exchange));
}

void Worker::table_changed() {
  loop_.post([this] {
    links_.revoke(table());
    admission_.forget_gone(table());
    metrics_.tunnels.forget_gone(table());
    if (index_ == 0) shared_.directory.history().forget_gone(table());
  });
}

void Worker::drain() {
  loop_.post([this] {
    leaving_ = draining_ = true;
    for (auto& listener : listeners_) listener->finish();
    links_.leave("gateway is shutting down");
    for (auto next = visitors_->live.begin(); next != visitors_->live.end();) (next++)->drain();
  });
}

void Worker::go_away() {
  loop_.post([this] {
    for (auto next = visitors_->live.begin(); next != visitors_->live.end();) (next++)->go_away();
  });
}

void Worker::leave() {
  loop_.post([this] {
    leaving_ = true;
    links_.leave("gateway is shutting down");
  });
}

void Worker::finish() {
  loop_.post([this] {
    proxy_arrivals_.clear();
    pool_.clear();
    links_.shutdown();
  });
}

void Worker::tick() {
  metrics_.loop_delay.observe(std::chrono::duration<double>(loop_.take_longest_delay()).count());
  links_.publish();
  if (index_ == 0) shared_.ticket_keys.advance(net::Loop::now());
  tickets_.refresh();
  links_open_.store(links_.size(), std::memory_order_relaxed);
  if (access_log_) access_log_->flush();
  if (exchanges_.size() > kMostSpareExchanges) exchanges_.resize(kMostSpareExchanges);
  tick_.set(net::Loop::now() + kTick);
}

}  // namespace adit::gateway
