#include "gateway/peers.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "gateway/peer_dialler.h"
#include "gateway/peer_host.h"
#include "gateway/peer_names.h"
#include "gateway/remote_stream.h"

namespace adit::gateway {
namespace {

constexpr auto kTick = std::chrono::milliseconds(50);

}  // namespace

Peers::Peers(Shared& shared, PeerFiles files)
    : shared_(shared),
      credentials_(std::move(files)),
      dialler_(std::make_unique<PeerDialler>(loop_, shared, credentials_, directory_, metrics_)),
      host_(std::make_unique<PeerHost>(loop_, shared, credentials_, metrics_,
                                       [this](const std::string& gateway_id) { came(gateway_id); })),
      names_(std::make_unique<PeerNames>(
          loop_, [this](const std::vector<net::Target>& addresses) { dialler_->want(addresses); })),
      tick_(net::Deadline::of<&Peers::tick>(loop_, this)) {}

Peers::~Peers() { stop(); }

base::Result<net::asio::ip::tcp::endpoint> Peers::listen(const net::asio::ip::tcp::endpoint& where) {
  return host_->listen(where);
}

void Peers::run(std::function<bool()> ready) {
  ready_ = std::move(ready);
  tick();
  thread_ = std::jthread([this] { loop_.run(); });
}

void Peers::stop() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
  names_->set({});
  dialler_->close("the gateway has ended");
  host_->close("the gateway has ended");
}

/// Looks at everything that others say by storing it somewhere, and passes on what has changed.
void Peers::tick() {
  if (const auto version = addresses_.version(); version != std::exchange(addresses_seen_, version)) {
    names_->set(*addresses_.get());
  }
  const bool tried = names_->tried() && dialler_->tried();
  if (tried) tried_.store(true, std::memory_order_release);  // for good: a later one must not make this one unready
  host_->say({tried_ && ready_() && !leaving_, leaving_});
  host_->tell();
  announce();
  dialler_->count();
  links_.store(dialler_->links() + host_->links(), std::memory_order_relaxed);
  PeersStatus status{dialler_->status(), host_->status()};
  {
    const std::lock_guard lock(mutex_);
    std::swap(status_, status);
  }
  tick_.set(net::Loop::now() + kTick);
}

/// A gateway that leaves is not among those to which links shall be kept, unless it is the only one.
void Peers::announce() {
  auto ready = dialler_->ready();
  if (ready == announced_ && leaving_ == announced_leaving_) return;
  announced_ = ready;
  announced_leaving_ = leaving_;
  if (!leaving_ || ready.empty()) ready.insert(ready.begin(), shared_.gateway_id);
  base::log::info("ready gateways", {{"count", ready.size()}});
  const auto gateways = std::make_shared<const link::Gateways>(link::Gateways{std::move(ready)});
  for (Worker* worker : shared_.workers) worker->announce(gateways);
}

/// One that is not known yet has just come to be: its address may be new in the names.
void Peers::came(const std::string& gateway_id) {
  if (!dialler_->knows(gateway_id)) names_->look_soon();
}

void Peers::leave() {
  loop_.post([this] {
    leaving_ = true;
    tick();
  });
}

void Peers::finish() {
  loop_.post([this] {
    dialler_->shutdown();
    host_->shutdown();
  });
}

void Peers::cut_relays() {
  loop_.post([this] { host_->cut_relays(); });
}

std::size_t Peers::relays() const { return host_->relays(); }

PeersStatus Peers::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

link::Stream* Peers::open(net::Loop& near, const link::Opening& opening, const LinkInfo& tunnel,
                          link::StreamHandler& handler) {
  RemoteOpening remote(tunnel.id, opening);
  remote.tunnel = tunnel.tunnel_id;
  return open_remote_stream(near, loop_, *dialler_, std::move(remote), handler);
}

void Peers::doubt(const LinkInfo& tunnel) { suspect_remote_link(loop_, *dialler_, tunnel.id); }

}  // namespace adit::gateway
