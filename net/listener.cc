#include "net/listener.h"

#include <netinet/tcp.h>

#include "base/log.h"
#include "net/address.h"

namespace adit::net {
namespace {

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
using KeepAliveIdle = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;  // seconds
using KeepAliveInterval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
using KeepAliveProbes = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
using NotSent = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;  // bytes

// Of what a peer has yet to make room for, the kernel takes no more than this; by itself it would take megabytes, which
// cost memory for each peer that reads slowly and make it look quick.
constexpr int kMostNotSent = 256 * 1024;
constexpr int kBacklog = 4096;
constexpr auto kPause = std::chrono::milliseconds(100);

}  // namespace

Listener::Listener(Loop& loop) : loop_(loop), acceptor_(loop.context()), pause_(loop, this, &Listener::resume) {}

base::Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const asio::ip::tcp::endpoint& where, bool share) {
  std::unique_ptr<Listener> listener(new Listener(loop));
  if (auto bound = listener->bind(where, share); !bound) return base::Error{bound.error()};
  return listener;
}

base::Result<void> Listener::bind(asio::ip::tcp::endpoint where, bool share) {
  Error error;
  acceptor_.open(where.protocol(), error);
  if (error == asio::error::address_family_not_supported && where.address().is_v6() &&
      where.address().is_unspecified()) {
    where = asio::ip::tcp::endpoint(asio::ip::tcp::v4(), where.port());
    acceptor_.open(where.protocol(), error);
  }
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && share) acceptor_.set_option(ReusePort(true), error);
  if (!error && where.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(false), error);
  // What is accepted inherits these from here (Linux). A peer that is gone while nothing is sent to it shows by
  // keepalive only: its FIN may mean that it still waits for its answer.
  if (!error) acceptor_.set_option(asio::ip::tcp::no_delay(true), error);
  if (!error) acceptor_.set_option(asio::socket_base::keep_alive(true), error);
  if (!error) acceptor_.set_option(KeepAliveIdle(30), error);
  if (!error) acceptor_.set_option(KeepAliveInterval(10), error);
  if (!error) acceptor_.set_option(KeepAliveProbes(3), error);
  if (!error) acceptor_.set_option(NotSent(kMostNotSent), error);
  if (!error) acceptor_.bind(where, error);
  if (!error) acceptor_.listen(kBacklog, error);
  if (!error) acceptor_.non_blocking(true, error);
  if (!error) endpoint_ = acceptor_.local_endpoint(error);
  if (error) return base::Error{"cannot listen on " + to_text(where) + ": " + error.message()};
  return {};
}

void Listener::start(Accepted accepted) {
  accepted_ = std::move(accepted);
  accept();
}

void Listener::close() {
  open_.reset();
  pause_.clear();
  Error ignored;
  acceptor_.close(ignored);
}

void Listener::finish() {
  const std::weak_ptr<const bool> open = open_;
  Error error;
  while (true) {
    Connection connection(loop_.context());
    asio::ip::tcp::endpoint peer;
    acceptor_.accept(connection, peer, error);
    if (error) break;
    accepted_(Socket(std::move(connection)), peer);
    if (open.expired()) return;
  }
  pause_.clear();
  acceptor_.close(error);  // one that accept() took before is yet to be handed over, so the token stays
}

void Listener::accept() {
  // No HandlerSlot: the handler of a closed acceptor runs later, when the listener may be gone. The token tells.
  acceptor_.async_accept(loop_.context(), peer_,
                         [this, open = std::weak_ptr<const bool>(open_)](Error error, Connection socket) {
                           if (open.expired() || error == asio::error::operation_aborted) return;
                           if (error) return pause(error);
                           accepted_(Socket(std::move(socket)), peer_);
                           if (!open.expired() && acceptor_.is_open()) accept();
                         });
}

void Listener::pause(Error error) {
  // A connection that ended in the backlog is no trouble of ours; being out of descriptors or memory is.
  if (error == asio::error::connection_aborted) return accept();
  base::log::warning("accepting paused", {{"listener", to_text(endpoint_)}, {"reason", error.message()}});
  pause_.set(Loop::now() + kPause);
}

void Listener::resume(void* self) { static_cast<Listener*>(self)->accept(); }

}  // namespace adit::net
