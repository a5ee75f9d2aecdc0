#include "gateway/link_acceptor.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "gateway/link_handshake.h"
#include "net/address.h"

namespace adit::gateway {
namespace {

constexpr std::size_t kMostHandshakes = 1024;  // under way at once; more wait in the listener's backlog of the kernel
/// Links of one slot that may be silent at once before the oldest is closed unheard, so that a connector that loses
/// link after link fills no memory. Not fewer: several addresses of a name may lead to this gateway, each with slots of
/// the same numbers.
constexpr std::ptrdiff_t kMostDoubted = 16;
constexpr auto kLogWindow = std::chrono::seconds(10);
constexpr std::size_t kMostLogged = 50;  // in a window

}  // namespace

/// Those under way, oldest first, and those that are over and destroyed at the end of the turn.
struct LinkAcceptor::Handshakes final : net::TurnTask {
  boost::intrusive::list<LinkHandshake> live;
  std::vector<std::unique_ptr<LinkHandshake>> over;
  void at_turn_end() override { over.clear(); }
};

LinkAcceptor::LinkAcceptor(net::Loop& loop, Shared& shared)
    : loop_(loop), shared_(shared), handshakes_(std::make_unique<Handshakes>()) {}

LinkAcceptor::~LinkAcceptor() {
  handshakes_->live.clear_and_dispose([](LinkHandshake* handshake) { delete handshake; });
}

base::Result<net::asio::ip::tcp::endpoint> LinkAcceptor::listen(const net::asio::ip::tcp::endpoint& where) {
  if (!shared_.insecure_links) {
    const net::ServerTls settings{net::TlsUse::link};
    certificates_ = std::make_unique<Certificates>(shared_.table, settings, shared_.link_name);
    auto context = net::make_choosing_context(settings, *certificates_);
    if (!context) return base::Error{"link certificate: " + context.error()};
    tls_ = *context;
  }
  auto listener = net::Listener::open(loop_, where, false);
  if (!listener) return base::Error{listener.error()};
  listener_ = std::move(*listener);
  listener_->start(
      [this](net::Socket socket, const net::asio::ip::tcp::endpoint& peer) { accept(std::move(socket), peer); });
  return listener_->endpoint();
}

void LinkAcceptor::close() {
  closed_ = true;
  if (listener_) listener_->close();
}

void LinkAcceptor::accept(net::Socket socket, const net::asio::ip::tcp::endpoint& peer) {
  net::SslPtr ssl;
  if (tls_) ssl = net::new_server(tls_);
  VisitorEndpoint endpoint;
  endpoint.address = net::ip_address(peer);
  endpoint.host = net::host_text(peer);
  endpoint.tls = ssl != nullptr;
  endpoint.trusted = base::contains(trusted_proxies(), endpoint.address);
  const net::StreamPtr stream(new net::Stream(loop_, std::move(socket), std::move(ssl)));
  add(std::make_unique<LinkHandshake>(*this, stream, std::move(endpoint), net::to_text(peer))).start();
}

void LinkAcceptor::arrive(LinkArrival arrival) {
  loop_.post([this, shared_arrival = std::make_shared<LinkArrival>(std::move(arrival))] {
    auto& [parts, endpoint, peer, place] = *shared_arrival;
    const net::StreamPtr stream(new net::Stream(loop_, std::move(parts)));
    add(std::make_unique<LinkHandshake>(*this, stream, std::move(endpoint), std::move(peer), std::move(place))).go_on();
  });
}

LinkHandshake& LinkAcceptor::add(std::unique_ptr<LinkHandshake> handshake) {
  // The oldest goes first: an attacker that opens and waits must not keep connectors out.
  if (handshakes_->live.size() >= kMostHandshakes) handshakes_->live.front().over();
  handshakes_->live.push_back(*handshake);
  return *handshake.release();
}

void LinkAcceptor::forget(LinkHandshake& handshake) {
  handshakes_->live.erase(handshakes_->live.iterator_to(handshake));
  handshakes_->over.emplace_back(&handshake);
  loop_.defer(*handshakes_);
}

LinkVerdict LinkAcceptor::admit(const link::Hello& hello, const base::IpAddress& from) {
  if (closed_) {
    LinkVerdict verdict;
    verdict.refusal = link::Refusal{503, "the gateway is shutting down", std::chrono::seconds(1)};
    return verdict;
  }
  return admission_.admit(hello, from, *shared_.table.get(), shared_.directory, net::Loop::now());
}

void LinkAcceptor::note_refusal(std::string_view remote, const link::Refusal& refusal) {
  shared_.metrics.link_handshakes_refused.add();
  const auto now = net::Loop::now();
  if (now - log_window_ >= kLogWindow) {
    log_window_ = now;
    logged_ = 0;
  }
  if (logged_ == kMostLogged) {
    ++not_logged_;
    return;
  }
  ++logged_;
  base::log::warning("link refused", {{"remote", remote},
                                      {"status", refusal.status},
                                      {"reason", refusal.reason},
                                      {"not_logged", std::exchange(not_logged_, 0)}});
}

void LinkAcceptor::hand_over(const net::StreamPtr& stream, std::shared_ptr<LinkInfo> info) {
  info->id = shared_.directory.next_id();
  info->worker = shared_.directory.pick_worker(info->tunnel_id, shared_.workers.size());
  doubt_predecessors(*info);
  shared_.directory.add(info);
  Worker& worker = *shared_.workers[info->worker];
  worker.adopt(stream->release(), std::move(info));
}

/// Who dials a slot anew has lost the link that it had, whatever this end believes of it.
void LinkAcceptor::doubt_predecessors(const LinkInfo& info) {
  const auto earlier = shared_.directory.predecessors(info);
  auto silent = std::count_if(earlier.begin(), earlier.end(), [](const auto& link) { return link->doubted.load(); });
  for (const auto& link : earlier) {
    const bool unheard = link->doubted && silent > kMostDoubted;
    if (unheard) --silent;
    shared_.workers[link->worker]->slot_taken(link->id, unheard);
  }
}

}  // namespace adit::gateway
