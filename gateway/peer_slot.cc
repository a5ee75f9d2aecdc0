#include "gateway/peer_slot.h"

#include <array>
#include <utility>

#include "base/log.h"

namespace adit::gateway {
namespace {

constexpr base::Backoff::Limits kBackoff{std::chrono::milliseconds(250), std::chrono::milliseconds(5'000)};
constexpr auto kStood = std::chrono::seconds(5);       // a link that lasted so long was no failure
constexpr auto kLookAgain = std::chrono::seconds(30);  // an address may come to lead to another gateway

}  // namespace

PeerSlot::PeerSlot(net::Loop& loop, net::Target where, PeerCredentials& credentials, const link::PeerHello& hello,
                   base::Random& random, PeerMetrics& metrics, PeerSlotOwner& owner)
    : where_(std::move(where)),
      metrics_(metrics),
      owner_(owner),
      dial_(loop, credentials, hello, *this),
      backoff_(kBackoff, random),
      deadline_(net::Deadline::of<&PeerSlot::dial>(loop, this)) {}

void PeerSlot::dial() {
  if (link_ || dial_.under_way() || !wanted_) return;
  deadline_.clear();
  state_ = State::dialling;
  dial_.start(where_);
}

void PeerSlot::want(bool wanted) {
  if (std::exchange(wanted_, wanted) == wanted) return;
  if (wanted) return dial();
  dial_.cancel();
  deadline_.clear();
}

void PeerSlot::on_dialled(net::StreamPtr stream, std::string gateway_id) {
  const auto result = owner_.judge(gateway_id);
  metrics_.dials[static_cast<std::size_t>(result)].add();
  id_ = gateway_id;
  error_.clear();
  tried_ = true;
  if (result == PeerDialResult::up) {
    state_ = State::up;
    since_ = std::chrono::system_clock::now();
    up_at_ = net::Loop::now();
    base::log::info("peer link is up", {{"peer", id_}, {"address", where_.text()}});
    link_ = owner_.make_link(*this, std::move(stream), std::move(gateway_id));
    link_->start();
  } else {
    stream->close();
    wait(result == PeerDialResult::self ? State::self : State::duplicate, kLookAgain);
  }
  owner_.on_slot_changed(*this);
}

void PeerSlot::on_dial_failed(PeerDialResult result, std::string_view why) {
  metrics_.dials[static_cast<std::size_t>(result)].add();
  tried_ = true;
  if (std::exchange(error_, std::string(why)) != why) {  // the same again is no news
    base::log::warning("peer cannot be reached", {{"address", where_.text()}, {"result", name_of(result)}, {"reason", why}});
  }
  wait(State::waiting, backoff_.next());
  owner_.on_slot_changed(*this);
}

std::unique_ptr<PeerLink> PeerSlot::on_link_over(std::string_view why) {
  base::log::info("peer link is down", {{"peer", id_}, {"address", where_.text()}, {"reason", why}});
  error_ = why;
  const bool stood = net::Loop::now() - up_at_ >= kStood;
  if (stood) backoff_.reset();
  wait(State::waiting, stood ? base::Duration(0) : base::Duration(backoff_.next()));
  return std::move(link_);
}

void PeerSlot::wait(State state, base::Duration time) {
  state_ = state;
  if (wanted_) deadline_.set(net::Loop::now() + time);
}

PeerStatus PeerSlot::status() const {
  static constexpr std::array<std::string_view, 5> kNames = {"waiting", "dialling", "up", "self", "duplicate"};
  PeerStatus status;
  status.address = where_.text();
  status.state = kNames[static_cast<std::size_t>(state_)];
  status.id = id_;
  status.last_error = error_;
  if (!link_) return status;
  const auto& stats = link_->stats();
  status.since = since_;
  status.ready = link_->ready();
  status.leaving = link_->leaving();
  status.tunnels = link_->tunnels();
  status.streams_open = stats.streams_open;
  status.streams_opened = stats.streams_opened;
  status.bytes_in = stats.bytes_in;
  status.bytes_out = stats.bytes_out;
  return status;
}

}  // namespace adit::gateway
