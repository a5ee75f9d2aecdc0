#include "gateway/worker.h"

#include "base/log.h"
#include "base/text.h"
#include "gateway/link_acceptor.h"
#include "gateway/peers.h"
#include "gateway/remote_stream.h"
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
      admission_(shared.admission, shared.edge),
      tickets_(shared.ticket_keys),
      certificates_(shared.table, server_tls(), shared.link_name),
      proxy_arrivals_(loop_, shared.edge, metrics_,
                      [this](const net::StreamPtr& stream, const net::asio::ip::tcp::endpoint& visitor, bool tls,
                             std::uint16_t port) { admit(stream, visitor, tls, port); }),
      links_(loop_, shared.directory, shared.buffers, shared.gateway_id,
             [this](std::uint64_t link_id) { link_is_leaving(link_id); }),
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

link::Stream* Worker::open_stream(const Upstream& upstream, const link::Opening& opening,
                                  const std::vector<std::uint64_t>& tried, link::StreamHandler& handler,
                                  std::shared_ptr<const LinkInfo>& link) {
  GatewayLink* own = links_.pick(upstream.tunnel_id, opening.service, tried, &upstream.ejections);
  if (const Trouble trouble = trouble_of(own, upstream); trouble != kNoTrouble) {
    // A link of one's own is better, but not if it has trouble that the other has not.
    const auto other =
        shared_.directory.pick(upstream.tunnel_id, opening.service, index_, tried, &upstream.ejections, trouble);
    const bool lives =
        trouble < kMayBeDead || (other && other->state.load(std::memory_order_relaxed) == LinkState::live);
    if (!lives) {
      const bool live_only = own != nullptr || other != nullptr;
      if (auto* stream = open_at_peer(upstream, opening, tried, handler, live_only, link)) return stream;
    }
    if (other) {
      link = other;
      return open_far(opening, *other, handler);
    }
  }
  if (own == nullptr) return nullptr;
  if (auto* stream = own->open(opening, handler)) {
    link = own->info();
    metrics_.streams_opened.add();
    return stream;
  }
  auto others = tried;  // it takes no more: full, or its stream ids are used up
  others.push_back(own->info()->id);
  return open_stream(upstream, opening, others, handler, link);
}

link::Stream* Worker::open_far(const link::Opening& opening, const LinkInfo& link, link::StreamHandler& handler) {
  metrics_.streams_opened.add();
  metrics_.remote_streams.add();
  Worker& far = *shared_.workers[link.worker];
  return open_remote_stream(loop_, far.loop_, far.links_, RemoteOpening(link.id, opening), handler);
}

/// Where no link of this gateway's own serves, another gateway's may.
link::Stream* Worker::open_at_peer(const Upstream& upstream, const link::Opening& opening,
                                   const std::vector<std::uint64_t>& tried, link::StreamHandler& handler,
                                   bool live_only, std::shared_ptr<const LinkInfo>& link) {
  if (shared_.peers == nullptr) return nullptr;
  const auto peer = shared_.peers->pick(upstream.tunnel_id, opening.service, tried);
  if (!peer || (live_only && peer->state.load(std::memory_order_relaxed) != LinkState::live)) return nullptr;
  link = peer;
  metrics_.streams_opened.add();
  return shared_.peers->open(loop_, opening, *peer, handler);
}

void Worker::doubt(const LinkInfo& link) {
  if (!link.peer.empty()) return shared_.peers->doubt(link);
  if (link.worker != index_) {
    Worker& far = *shared_.workers[link.worker];
    return suspect_remote_link(far.loop_, far.links_, link.id);
  }
  if (GatewayLink* own = links_.find(link.id)) own->suspect();
}

bool Worker::has_nearer_link(const Upstream& upstream, const LinkInfo& link) {
  if (!link.peer.empty()) {
    if (link.connector_leaves) return true;
    return shared_.directory.pick(upstream.tunnel_id, upstream.service, shared_.workers.size(), {}, &upstream.ejections,
                                  kMayBeDead) != nullptr;
  }
  if (link.worker == index_) return false;
  return trouble_of(links_.pick(upstream.tunnel_id, upstream.service, {}, &upstream.ejections), upstream) == kNoTrouble;
}

/// Of a link that was picked; nullptr: the most that there is.
Trouble Worker::trouble_of(const GatewayLink* link, const Upstream& upstream) {
  if (link == nullptr) return kAnyTrouble;
  return link->standing(upstream.service, &upstream.ejections, net::Loop::now()).trouble();
}

bool Worker::has_sound_link(const Upstream& upstream, const std::vector<std::uint64_t>& tried) {
  const auto* own = links_.pick(upstream.tunnel_id, upstream.service, tried, &upstream.ejections);
  if (trouble_of(own, upstream) == kNoTrouble) return true;
  constexpr Trouble kLeast = 1;
  if (shared_.directory.pick(upstream.tunnel_id, upstream.service, index_, tried, &upstream.ejections, kLeast))
    return true;
  return trouble_of(own, upstream) >= kMayBeDead && shared_.peers != nullptr &&
         shared_.peers->pick(upstream.tunnel_id, upstream.service, tried) != nullptr;
}

bool Worker::is_down(const Upstream& upstream, const LinkInfo& link) {
  if (link.worker != index_) return shared_.directory.is_down(link, upstream.service);
  const GatewayLink* own = links_.find(link.id);
  return own != nullptr && own->is_down(upstream.service);
}

Unserved Worker::why_unserved(const Upstream& upstream) { return shared_.directory.why_unserved(upstream.tunnel_id); }

void Worker::adopt(net::Stream::Parts parts, std::shared_ptr<LinkInfo> info) {
  auto shared_parts = std::make_shared<net::Stream::Parts>(std::move(parts));
  loop_.post([this, shared_parts, info = std::move(info)] {
    const net::StreamPtr stream(new net::Stream(loop_, std::move(*shared_parts)));
    links_.adopt(stream, info);
    links_.revoke(table());  // its token may have been revoked on the way
    links_open_.store(links_.size(), std::memory_order_relaxed);
  });
}

void Worker::slot_taken(std::uint64_t link_id, bool unheard) {
  loop_.post([this, link_id, unheard] { links_.slot_taken(link_id, unheard); });
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
    for (auto& listener : listeners_) listener->close();
    proxy_arrivals_.clear();
    links_.leave("gateway is shutting down");
    for (auto next = visitors_->live.begin(); next != visitors_->live.end();) (next++)->drain();
  });
}

void Worker::go_away() {
  loop_.post([this] {
    for (auto next = visitors_->live.begin(); next != visitors_->live.end();) (next++)->go_away();
  });
}

/// Streams on this worker's link may be idle at any worker.
void Worker::link_is_leaving(std::uint64_t link_id) {
  for (Worker* worker : shared_.workers) worker->drop_idle(link_id);
}

void Worker::drop_idle(std::uint64_t link_id) {
  loop_.post([this, link_id] { pool_.drop_idle(link_id); });
}

void Worker::drop_idle_of(std::string peer) {
  loop_.post([this, peer = std::move(peer)] { pool_.drop_idle_of(peer); });
}

void Worker::announce(std::shared_ptr<const link::Gateways> gateways) {
  loop_.post([this, gateways = std::move(gateways)] { links_.announce(*gateways); });
}

void Worker::leave() {
  loop_.post([this] {
    leaving_ = true;
    links_.leave("gateway is shutting down");
  });
}

void Worker::finish() {
  loop_.post([this] {
    pool_.clear();
    links_.shutdown();
  });
}

void Worker::tick() {
  links_.publish();
  if (index_ == 0) shared_.ticket_keys.advance(net::Loop::now());
  tickets_.refresh();
  links_open_.store(links_.size(), std::memory_order_relaxed);
  if (access_log_) access_log_->flush();
  if (exchanges_.size() > kMostSpareExchanges) exchanges_.resize(kMostSpareExchanges);
  tick_.set(net::Loop::now() + kTick);
}

}  // namespace adit::gateway
