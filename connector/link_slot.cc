#include "connector/link_slot.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace adit::connector {
namespace {

/// Links of gateways that leave and do not end; one more ends the oldest.
constexpr std::size_t kMostRetiring = 4;

std::int64_t milliseconds_until(base::TimePoint when) {
  if (when == base::kNever) return 0;
  const auto left = std::max(when - net::Loop::now(), base::Duration(0));
  return std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
}

}  // namespace

LinkSlot::LinkSlot(const SlotContext& context, std::uint32_t number, std::shared_ptr<LinkReport> report)
    : context_(context), number_(number), report_(std::move(report)) {
  status_.slot = number;
  enter("waiting");
}

LinkSlot::~LinkSlot() = default;

void LinkSlot::dial(GatewayContext& gateway, net::DialOrder order) {
  gateway_ = &gateway;
  status_.gateway = gateway.address.text();
  GatewayDialOwner& owner = *this;
  dial_ = std::make_unique<GatewayDial>(context_.dial, gateway.address, number_, context_.transport, gateway.transport,
                                        owner);
  enter("dialing");
  dial_->start(std::move(order));
}

void LinkSlot::on_dialed(Dialed dialed) {
  context_.metrics.dials_up.add();
  gateway_->filter.reset();
  if (!context_.coordinator.on_up(number_, dialed.gateway_id, dialed.path)) {
    dialed.stream->close();
    return enter("waiting");
  }
  status_.gateway_id = std::move(dialed.gateway_id);
  status_.remote = std::move(dialed.remote);
  status_.transport = link::name_of(dialed.transport);
  std::unique_ptr<link::WebSocket> web_socket;
  if (dialed.transport == link::Transport::websocket) {
    web_socket = std::make_unique<link::WebSocket>(link::WebSocketEnd::client, context_.dial.random);
  }
  ConnectorLinkOwner& owner = *this;
  link_ = std::make_unique<ConnectorLink>(context_.dial.loop, std::move(dialed.stream), std::move(web_socket),
                                          context_.session, context_.services, context_.pipes, owner, context_.health);
  enter("opening");
  link_->start();
}

void LinkSlot::on_gateways(ConnectorLink& link, const std::vector<std::string>& ids) {
  if (link_.get() != &link) return;
  if (status_.state != "up") {
    base::log::info("link is up", {{"gateway", status_.gateway},
                                   {"gateway_id", status_.gateway_id},
                                   {"remote", status_.remote},
                                   {"transport", status_.transport}});
    enter("up");
  }
  context_.coordinator.on_gateways(number_, ids);
}

void LinkSlot::on_dial_failed(const DialProblem& problem, const link::DialPath& path) {
  const auto& info = info_of(problem.cause);
  context_.metrics.dial_failed(problem.cause).add();
  const auto text = problem.text();
  note_error(std::string(name_of(problem.step)) + ": " + text, std::string(info.name), info.fix);
  enter("waiting");
  const auto next = context_.coordinator.on_failed(number_, problem.retry_after, path);
  const auto held_back = gateway_->filter.pass(problem.stable_text(), net::Loop::now());
  if (!held_back) return;
  base::log::warning("link can't be opened", {{"gateway", status_.gateway},
                                              {"step", name_of(problem.step)},
                                              {"cause", info.name},
                                              {"reason", text},
                                              {"fix", info.fix},
                                              {"retry_in_ms", milliseconds_until(next)},
                                              {"not_logged", *held_back}});
}

void LinkSlot::on_gateway_leaving(ConnectorLink& link, std::string_view reason) {
  base::log::info("gateway is leaving",
                  {{"gateway", status_.gateway}, {"gateway_id", status_.gateway_id}, {"reason", reason}});
  if (link_.get() != &link) return;
  context_.metrics.lost(LinkLoss::gateway_leaving).add();
  retire();
  enter("waiting");
  context_.coordinator.on_leaving(number_);
}

/// The link goes on without the slot: a gateway that leaves ends it when the visitors that it still has are served.
void LinkSlot::retire() {
  retiring_.push_back(std::move(link_));
  if (retiring_.size() > kMostRetiring) retiring_.front()->shutdown();
}

void LinkSlot::on_link_over(ConnectorLink& link, std::string_view why) {
  const bool current = link_.get() == &link;
  forget(link);
  if (!current) return publish();
  const auto loss = loss_of(link.how_ended());
  context_.metrics.lost(loss).add();
  const auto cause = kLinkLossNames[static_cast<std::size_t>(loss)];
  note_error("link: " + std::string(why), "link_" + std::string(cause), {});
  base::log::warning(
      "link is down",
      {{"gateway", status_.gateway}, {"gateway_id", status_.gateway_id}, {"cause", cause}, {"reason", why}});
  enter("waiting");
  context_.coordinator.on_lost(number_);
}

void LinkSlot::forget(ConnectorLink& link) {
  if (link_.get() == &link) {
    over_.push_back(std::move(link_));
  } else {
    const auto found =
        std::find_if(retiring_.begin(), retiring_.end(), [&](const auto& held) { return held.get() == &link; });
    over_.push_back(std::move(*found));
    retiring_.erase(found);
  }
  context_.dial.loop.defer(*this);
}

void LinkSlot::release() {
  released_ = true;
  leave("this link is surplus");
  shutdown();
}

void LinkSlot::leave(std::string_view reason) {
  if (dial_) dial_->cancel();
  if (link_) retiring_.push_back(std::move(link_));
  for (const auto& link : retiring_) link->leave(reason);
  enter("stopped");
}

void LinkSlot::shutdown() {
  for (const auto& link : retiring_) link->shutdown();
}

void LinkSlot::note_error(std::string text, std::string cause, std::string_view fix) {
  status_.last_error = std::move(text);
  status_.last_cause = std::move(cause);
  status_.last_fix = fix;
  status_.last_error_at = std::chrono::system_clock::now();
}

void LinkSlot::enter(std::string_view state) {
  if (status_.state != state) {
    status_.state = state;
    status_.since = std::chrono::system_clock::now();
  }
  publish();
}

void LinkSlot::publish() {
  status_.retiring = retiring_.size();
  const link::SessionStats stats = link_ ? link_->stats() : link::SessionStats();
  status_.bytes_in = stats.bytes_in;
  status_.bytes_out = stats.bytes_out;
  status_.streams_opened = stats.streams_opened;
  status_.streams_open = stats.streams_open;
  status_.buffered = stats.buffered;
  status_.credit_withheld = stats.credit_withheld;
  status_.round_trip = std::chrono::duration_cast<std::chrono::microseconds>(stats.round_trip);
  if (!link_) {
    status_.gateway_id.clear();
    status_.remote.clear();
    status_.transport.clear();
  }
  report_->set(status_);
}

}  // namespace adit::connector
