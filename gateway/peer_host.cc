#include "gateway/peer_host.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "gateway/peer_session.h"
#include "gateway/remote_stream.h"
#include "net/address.h"

namespace adit::gateway {
namespace {

constexpr std::size_t kMostHandshakes = 256;
constexpr std::size_t kMostGuests = 1000;
constexpr std::size_t kMostRelays = 100'000;
constexpr auto kLogWindow = std::chrono::seconds(10);
constexpr std::size_t kMostLogged = 20;  // refusals, in a window

}  // namespace

PeerHost::PeerHost(net::Loop& loop, Shared& shared, PeerCredentials& credentials, PeerMetrics& metrics,
                   std::function<void(const std::string&)> came)
    : loop_(loop), shared_(shared), credentials_(credentials), metrics_(metrics), came_(std::move(came)) {}

PeerHost::~PeerHost() {
  handshakes_.clear_and_dispose([](PeerHandshake* handshake) { delete handshake; });
  relays_.clear_and_dispose([](PeerRelay* relay) { delete relay; });
}

base::Result<net::asio::ip::tcp::endpoint> PeerHost::listen(const net::asio::ip::tcp::endpoint& where) {
  auto listener = net::Listener::open(loop_, where, false);
  if (!listener) return base::Error{listener.error()};
  listener_ = std::move(*listener);
  listener_->start(
      [this](net::Socket socket, const net::asio::ip::tcp::endpoint& peer) { accept(std::move(socket), peer); });
  return listener_->endpoint();
}

void PeerHost::accept(net::Socket socket, const net::asio::ip::tcp::endpoint& peer) {
  net::SslPtr ssl;
  if (!credentials_.in_the_clear()) {
    const auto* tls = credentials_.tls(net::Loop::now());
    if (tls == nullptr) return on_peer_refused(net::to_text(peer), "there is no certificate to show to peers yet");
    ssl = net::new_mutual_server(*tls, std::string(link::kPeerName));
  }
  const net::StreamPtr stream(new net::Stream(loop_, std::move(socket), std::move(ssl)));
  if (handshakes_.size() >= kMostHandshakes) handshakes_.front().over();
  PeerHandshakeOwner& owner = *this;
  auto handshake = std::make_unique<PeerHandshake>(loop_, owner, stream, net::to_text(peer));
  handshakes_.push_back(*handshake);
  handshake.release()->start();
}

void PeerHost::on_peer_came(const net::StreamPtr& stream, link::PeerHello hello, const std::string& remote) {
  // It has dialled itself, and will find that out from the answer.
  const bool self = hello.gateway == shared_.gateway_id;
  if (self || closing_ || guests_.size() >= kMostGuests) return stream->close();
  base::log::info("peer has dialled in", {{"peer", hello.gateway}, {"version", hello.version}, {"remote", remote}});
  const auto id = hello.gateway;
  PeerGuest::Facts facts{std::move(hello.gateway), std::move(hello.version), remote, std::chrono::system_clock::now()};
  PeerGuestOwner& owner = *this;
  auto guest =
      std::make_unique<PeerGuest>(loop_, stream, std::move(facts), peer_session_options(shared_.buffers), owner);
  PeerGuest& added = *guest;
  guests_.push_back(std::move(guest));
  tell();
  const auto tunnels = presence_.tunnels();
  added.note({tunnels.begin(), tunnels.end()});
  // Behind what there is to be told, so that a gateway that is called ready is known for what it has.
  added.tell(presence_);
  added.say(replica_);
  added.start();
  came_(id);
}

/// Strangers can ask as often as they like, so not every one is logged.
void PeerHost::on_peer_refused(const std::string& remote, std::string_view why) {
  metrics_.handshakes_refused.add();
  const auto now = net::Loop::now();
  if (now - log_window_ >= kLogWindow) {
    log_window_ = now;
    logged_ = 0;
  }
  if (++logged_ <= kMostLogged) base::log::warning("peer refused", {{"remote", remote}, {"reason", why}});
}

void PeerHost::on_handshake_over(PeerHandshake& handshake) {
  handshakes_.erase(handshakes_.iterator_to(handshake));
  handshakes_over_.emplace_back(&handshake);
  loop_.defer(*this);
}

link::StreamHandler* PeerHost::on_guest_stream(link::Stream& stream, const link::Opening& opening) {
  if (closing_ || relays_.size() >= kMostRelays) return nullptr;
  PeerRelayOwner& owner = *this;
  OwnLinks& links = *this;
  auto relay = std::make_unique<PeerRelay>(loop_, owner, links, metrics_, stream, opening);
  if (!relay->start()) return nullptr;
  relays_.push_back(*relay);
  count();
  return relay.release();
}

void PeerHost::on_relay_over(PeerRelay& relay) {
  relays_.erase(relays_.iterator_to(relay));
  relays_over_.emplace_back(&relay);
  count();
  loop_.defer(*this);
}

void PeerHost::on_guest_over(PeerGuest& guest, std::string_view why) {
  base::log::info("peer that had dialled in is gone",
                  {{"peer", guest.facts().id}, {"remote", guest.facts().remote}, {"reason", why}});
  const auto found =
      std::find_if(guests_.begin(), guests_.end(), [&](const auto& held) { return held.get() == &guest; });
  guests_over_.push_back(std::move(*found));
  guests_.erase(found);
  count();
  loop_.defer(*this);
}

link::Stream* PeerHost::open_own(const link::Opening& opening, const std::vector<std::uint64_t>& tried,
                                 link::StreamHandler& handler, std::shared_ptr<const LinkInfo>& link) {
  const auto no_worker = shared_.workers.size();
  link =
      shared_.directory.pick(opening.tunnel, opening.service, no_worker, tried, nullptr, kAnyTrouble, opening.instance);
  if (!link) return nullptr;
  Worker& worker = *shared_.workers[link->worker];
  return open_remote_stream(loop_, worker.loop(), worker.far_links(), RemoteOpening(link->id, opening), handler);
}

void PeerHost::doubt_own(const LinkInfo& link) {
  Worker& worker = *shared_.workers[link.worker];
  suspect_remote_link(worker.loop(), worker.far_links(), link.id);
}

void PeerHost::say(const link::Replica& replica) {
  if (replica.ready == replica_.ready && replica.leaving == replica_.leaving) return;
  replica_ = replica;
  for (const auto& guest : guests_) guest->say(replica);
}

void PeerHost::tell() {
  if (const auto changes = shared_.directory.changes(); changes != std::exchange(changes_, changes)) {
    const auto changed = presence_.update(shared_.directory.all());
    for (const auto& guest : guests_) guest->note(changed);
  }
  for (const auto& guest : guests_) guest->tell(presence_);
}

void PeerHost::shutdown() {
  closing_ = true;
  if (listener_) listener_->close();
  for (const auto& guest : guests_) guest->shutdown();
}

void PeerHost::cut_relays() {
  relays_.clear_and_dispose([](PeerRelay* relay) { delete relay; });
  count();
}

void PeerHost::close(std::string_view why) {
  shutdown();
  while (!handshakes_.empty()) handshakes_.front().over();
  while (!guests_.empty()) guests_.front()->close(why);
  cut_relays();
  at_turn_end();
}

std::vector<PeerGuestStatus> PeerHost::status() const {
  std::vector<PeerGuestStatus> list;
  for (const auto& guest : guests_) list.push_back(guest->status());
  return list;
}

void PeerHost::count() {
  relay_count_.store(relays_.size(), std::memory_order_relaxed);
  metrics_.taken_open.set(static_cast<std::int64_t>(relays_.size()));
  metrics_.accepted.set(static_cast<std::int64_t>(guests_.size()));
}

void PeerHost::at_turn_end() {
  relays_over_.clear();
  handshakes_over_.clear();
  guests_over_.clear();
}

}  // namespace adit::gateway
