#include "gateway/peer_relay.h"

#include <utility>

namespace adit::gateway {

PeerRelay::PeerRelay(net::Loop& loop, PeerRelayOwner& owner, OwnLinks& links, PeerMetrics& metrics, link::Stream& peer,
                     const link::Opening& opening)
    : owner_(owner),
      links_(links),
      metrics_(metrics),
      peer_(&peer),
      tunnel_(opening.tunnel),
      name_(opening.service),
      visitor_(opening.visitor),
      request_id_(opening.request_id),
      instance_(opening.instance),
      deadline_(net::Deadline::of<&PeerRelay::on_deadline>(loop, this)) {}

PeerRelay::~PeerRelay() {
  drop_service();
  if (peer_ != nullptr) std::exchange(peer_, nullptr)->reset();
}

bool PeerRelay::start() {
  if (attempt()) return true;
  metrics_.taken_refused.add();
  peer_ = nullptr;
  return false;
}

/// Opens on a link that was not tried yet; false if there is none.
bool PeerRelay::attempt() {
  if (tried_.size() >= kMostAttempts) return false;
  link::Opening opening;
  opening.service = name_;
  opening.visitor = visitor_;
  opening.request_id = request_id_;
  opening.tunnel = tunnel_;
  opening.instance = instance_;
  service_ = links_.open_own(opening, tried_, back_, link_);
  if (service_ == nullptr) return false;
  tried_.push_back(link_->id);
  await_sign();
  return true;
}

void PeerRelay::answered(int status, std::string_view reason) {
  if (status == 200) {
    answered_ = true;
    deadline_.clear();
    metrics_.taken_served.add();
    peer_->answer(200, {});
    if (ended_) service_->finish();
    return;
  }
  const std::string why(reason);
  drop_service();
  // The service may be reachable from another connector; a time limit that is up leaves no time for it.
  if (status != 504 && attempt()) return;
  metrics_.taken_failed.add();
  deadline_.clear();
  peer_->answer(status, why);  // the rest of its life is heard from on_closed
}

void PeerRelay::on_data(std::span<const char> bytes) {
  metrics_.taken_bytes_in.add(bytes.size());
  if (service_ == nullptr) return peer_->consume(bytes.size());
  const bool was_empty = to_service_.empty();
  to_service_.append(bytes);
  if (was_empty) service_->resume();
}

void PeerRelay::service_took(std::size_t size) {
  to_service_.consume(size);
  if (peer_ != nullptr) peer_->consume(size);
  if (!std::exchange(awaits_, true)) await_sign();
}

void PeerRelay::to_peer(std::span<const char> bytes) {
  awaits_ = false;
  metrics_.taken_bytes_out.add(bytes.size());
  if (peer_ == nullptr) return service_->consume(bytes.size());
  const bool was_empty = to_peer_.empty();
  to_peer_.append(bytes);
  if (was_empty) peer_->resume();
}

void PeerRelay::on_sent(std::size_t size) {
  to_peer_.consume(size);
  if (service_ != nullptr) service_->consume(size);
  if (broken_ && to_peer_.empty()) over();
}

void PeerRelay::on_end() {
  ended_ = true;
  if (service_ != nullptr && answered_) service_->finish();
}

void PeerRelay::Back::on_end() {
  if (relay_.peer_ != nullptr) relay_.peer_->finish();
}

void PeerRelay::on_closed(link::Closed why) {
  peer_ = nullptr;
  if (why != link::Closed::finished || service_ == nullptr) return over();
  lingers_ = true;
  deadline_.set(net::Loop::now() + kLingerLimit);
}

void PeerRelay::back_closed(link::Closed why) {
  service_ = nullptr;
  if (!answered_) {
    if (!attempt()) refuse();
    return;
  }
  deadline_.clear();
  if (why == link::Closed::finished && peer_ != nullptr) return;  // its own end follows
  // What the service said before it broke off is passed on first: often it is the whole answer.
  broken_ = true;
  if (peer_ == nullptr || to_peer_.empty()) over();
}

/// No byte has left, so the peer may try elsewhere.
void PeerRelay::refuse() {
  metrics_.taken_refused.add();
  std::exchange(peer_, nullptr)->refuse();
  over();
}

void PeerRelay::await_sign() {
  if (lingers_) return;
  probed_ = false;
  deadline_.set(net::Loop::now() + kAcceptWithin);
}

void PeerRelay::on_deadline() {
  if (lingers_) return over();
  if (service_ == nullptr || (answered_ && !awaits_)) return;
  if (!std::exchange(probed_, true)) {
    links_.doubt_own(*link_);  // nothing came for a while: is it the link?
    return deadline_.set(net::Loop::now() + kVerdictWithin);
  }
  if (!answered_ && link_->state.load(std::memory_order_relaxed) != LinkState::live) {
    drop_service();
    if (!attempt()) refuse();
    return;
  }
  // Bytes that have left cannot be sent again from here: a link that stays silent is closed, and the peer hears of it.
  await_sign();
}

void PeerRelay::drop_service() {
  if (service_ != nullptr) std::exchange(service_, nullptr)->reset();
}

void PeerRelay::over() {
  if (std::exchange(over_, true)) return;
  deadline_.clear();
  drop_service();
  if (peer_ != nullptr) std::exchange(peer_, nullptr)->reset();
  owner_.on_relay_over(*this);
}

}  // namespace adit::gateway
