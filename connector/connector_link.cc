#include "connector/connector_link.h"

namespace adit::connector {

ConnectorLink::ConnectorLink(net::Loop& loop, net::StreamPtr stream, std::unique_ptr<link::WebSocket> web_socket,
                             const link::SessionOptions& options, const ServiceMap& services, ServicePipes& pipes,
                             ConnectorLinkOwner& owner, HealthFeed* health)
    : services_(services),
      pipes_(pipes),
      owner_(owner),
      health_(health),
      driver_(loop, std::move(stream), std::move(web_socket), link::Role::connector, options, *this) {}

void ConnectorLink::start() {
  link::Offers offers;
  for (const auto& service : services_.services()) offers.services.push_back({service.name, "tcp"});
  driver_.session().send_control(offers);
  if (health_ != nullptr) {
    if (!health_->down().services.empty()) on_health(health_->down());
    health_->add(*this);
  }
  driver_.start();
}

void ConnectorLink::on_health(const link::Health& down) {
  if (driver_.is_open()) driver_.session().send_control(down);
}

void ConnectorLink::leave(std::string_view reason) {
  if (driver_.is_open()) driver_.session().send_control(link::Leaving{std::string(reason)});
}

link::StreamHandler* ConnectorLink::on_open(link::Stream& stream, const link::Opening& opening) {
  return pipes_.open(stream, opening);
}

void ConnectorLink::on_link_control(const link::ControlMessage& message) {
  if (const auto* gateways = std::get_if<link::Gateways>(&message)) owner_.on_gateways(*this, gateways->ids);
  if (const auto* leaving = std::get_if<link::Leaving>(&message)) owner_.on_gateway_leaving(*this, leaving->reason);
}

}  // namespace adit::connector
