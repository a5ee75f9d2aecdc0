#include "gateway/gateway_link.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace adit::gateway {
namespace {

constexpr auto kAgain = std::chrono::milliseconds(1100);  // a little more than link::SessionOptions::suspect_after
constexpr auto kHealthLogs = std::chrono::seconds(1);     // between lines of one link: its connector chooses when
constexpr std::size_t kMostLogged = 200;

}  // namespace

GatewayLink::GatewayLink(net::Loop& loop, net::StreamPtr stream, std::unique_ptr<link::WebSocket> web_socket,
                         std::shared_ptr<LinkInfo> info, GatewayLinkOwner& owner, const link::SessionOptions& options)
    : info_(std::move(info)),
      owner_(owner),
      driver_(loop, std::move(stream), std::move(web_socket), link::Role::gateway, options, *this),
      doubts_(net::Deadline::of<&GatewayLink::look_again>(loop, this)) {}

bool GatewayLink::offers(std::string_view service) const {
  return std::find(services_.begin(), services_.end(), service) != services_.end();
}

LinkState GatewayLink::state() const {
  if (leaving_ || !driver_.is_open()) return LinkState::over;
  if (!ready_ || !offered_) return LinkState::starting;
  return suspect_ || doubts_.is_set() ? LinkState::suspect : LinkState::live;
}

link::Stream* GatewayLink::open(const link::Opening& opening, link::StreamHandler& handler) {
  return driver_.is_open() ? driver_.session().open(opening, handler) : nullptr;
}

link::StreamHandler* GatewayLink::on_open(link::Stream&, const link::Opening&) {
  return nullptr;  // only gateways open streams to services
}

void GatewayLink::on_link_ready() {
  ready_ = true;
  changed();
}

void GatewayLink::on_link_control(const link::ControlMessage& message) {
  if (const auto* offers = std::get_if<link::Offers>(&message)) {
    take_offers(*offers);
  } else if (const auto* health = std::get_if<link::Health>(&message)) {
    take_health(*health);
  } else if (const auto* leaving = std::get_if<link::Leaving>(&message)) {
    base::log::info("connector is leaving", {{"tunnel", info_->tunnel_name},
                                             {"connector", info_->connector},
                                             {"instance", info_->instance},
                                             {"reason", leaving->reason}});
    leaving_ = true;
    info_->connector_leaves = true;
    changed();
  }
}

void GatewayLink::take_offers(const link::Offers& offers) {
  services_.clear();
  for (const auto& service : offers.services) services_.push_back(service.name);
  std::erase_if(down_, [this](const ServiceDown& item) { return !this->offers(item.name); });
  info_->services_down = static_cast<std::uint32_t>(down_.size());
  const bool first = !std::exchange(offered_, true);
  if (first) info_->serves_since = net::Loop::now();
  changed();
  if (!first) return;
  // Said once streams can come, so that a connector that has heard it knows that it is served.
  driver_.session().send_control(owner_.gateways());
}

/// What is not offered is nobody's business, so no more is kept than there are offers.
void GatewayLink::take_health(const link::Health& health) {
  std::vector<ServiceDown> down;
  std::string names;
  for (const auto& service : health.services) {
    const auto same = [&](const ServiceDown& item) { return item.name == service.name; };
    if (service.healthy || !offers(service.name) || std::any_of(down.begin(), down.end(), same)) continue;
    down.push_back(service);
    if (names.size() < kMostLogged) names += (names.empty() ? "" : ", ") + service.name;
  }
  const auto name_only = [](const ServiceDown& a, const ServiceDown& b) { return a.name == b.name; };
  const bool same = std::equal(down.begin(), down.end(), down_.begin(), down_.end(), name_only);
  down_ = std::move(down);
  info_->services_down = static_cast<std::uint32_t>(down_.size());
  const auto now = net::Loop::now();
  if (!same && now - health_logged_ >= kHealthLogs) {
    health_logged_ = now;
    base::log::info("connector's services have changed", {{"tunnel", info_->tunnel_name},
                                                          {"connector", info_->connector},
                                                          {"instance", info_->instance},
                                                          {"down", names}});
  }
  changed();
}

bool GatewayLink::is_down(std::string_view service) const {
  return std::any_of(down_.begin(), down_.end(), [&](const ServiceDown& item) { return item.name == service; });
}

LinkStanding GatewayLink::standing(std::string_view service, const Ejections* ejections, base::TimePoint now) const {
  auto standing = standing_of(*info_, is_down(service), ejections, now);
  standing.suspect = state() == LinkState::suspect;
  return standing;
}

void GatewayLink::on_link_suspect(bool suspect) {
  suspect_ = suspect;
  if (!suspect) end_doubt();
  // A slow service on a quiet link is enough for a moment's doubt, so this is no warning; a dead link's end is logged.
  if (suspect) base::log::debug("link is suspect", {{"tunnel", info_->tunnel_name}, {"remote", info_->remote}});
  changed();
}

void GatewayLink::doubt() {
  if (!driver_.is_open() || doubts_.is_set()) return;
  base::log::info("link is doubted: its slot was dialled anew", {{"tunnel", info_->tunnel_name},
                                                                 {"connector", info_->connector},
                                                                 {"instance", info_->instance},
                                                                 {"remote", info_->remote}});
  bytes_known_ = driver_.session().stats().bytes_in;
  info_->doubted = true;
  doubts_.set(net::Loop::now() + kAgain);
  changed();
  driver_.suspect();
}

/// A link that was heard just before the doubt began is not PINGed then (link/liveness.h): so again.
void GatewayLink::look_again() {
  if (!driver_.is_open()) return;
  if (driver_.session().stats().bytes_in != bytes_known_) {
    end_doubt();
    return changed();
  }
  doubts_.set(net::Loop::now() + kAgain);
  driver_.suspect();
}

void GatewayLink::end_doubt() {
  doubts_.clear();
  info_->doubted = false;
}

void GatewayLink::on_link_closed(std::string_view why) {
  publish();
  doubts_.clear();
  info_->state = LinkState::over;
  owner_.on_link_over(*this, why);
}

LinkCause GatewayLink::cause() const {
  switch (driver_.how_ended()) {
    case net::LinkEnd::finished:
      return LinkCause::finished;
    case net::LinkEnd::silent:
      return info_->doubted ? LinkCause::replaced : LinkCause::silent;
    case net::LinkEnd::misbehaved:
      return LinkCause::misbehaved;
    case net::LinkEnd::closed:
      return closed_for_;
    default:
      return LinkCause::lost;
  }
}

void GatewayLink::announce(const link::Gateways& gateways) {
  if (offered_ && driver_.is_open()) driver_.session().send_control(gateways);
}

void GatewayLink::leave(std::string_view reason) { driver_.session().send_control(link::Leaving{std::string(reason)}); }

void GatewayLink::changed() {
  info_->state = state();
  owner_.on_link_changed(*this);
}

void GatewayLink::publish() {
  const auto& stats = driver_.session().stats();
  info_->bytes_in.store(stats.bytes_in, std::memory_order_relaxed);
  info_->bytes_out.store(stats.bytes_out, std::memory_order_relaxed);
  info_->streams_opened.store(stats.streams_opened, std::memory_order_relaxed);
  info_->streams_open.store(static_cast<std::uint32_t>(stats.streams_open), std::memory_order_relaxed);
  info_->last_received.store(stats.last_received, std::memory_order_relaxed);
  info_->last_ping.store(stats.last_ping, std::memory_order_relaxed);
  info_->buffered.store(stats.buffered, std::memory_order_relaxed);
  info_->window_bytes.store(stats.window_bytes, std::memory_order_relaxed);
  info_->credit_withheld.store(stats.credit_withheld, std::memory_order_relaxed);
  info_->round_trip_us.store(std::chrono::duration_cast<std::chrono::microseconds>(stats.round_trip).count(),
                             std::memory_order_relaxed);
}

}  // namespace adit::gateway
