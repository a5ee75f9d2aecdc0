#pragma once
// One link on its worker, from the handshake to its end.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/health_feed.h"
#include "connector/service_pipes.h"
#include "net/link_driver.h"

namespace adit::connector {

class ConnectorLink;

/// Who owns links.
class ConnectorLinkOwner {
 public:
  /// The gateway says which ones are ready. The first time it has taken the offers: from here on it sends requests.
  virtual void on_gateways(ConnectorLink& link, const std::vector<std::string>& ids) = 0;
  /// The gateway is about to go.
  virtual void on_gateway_leaving(ConnectorLink& link, std::string_view reason) = 0;
  /// The link is over; the owner destroys it later in the turn.
  virtual void on_link_over(ConnectorLink& link, std::string_view why) = 0;

 protected:
  ~ConnectorLinkOwner() = default;
};

/// Offers the services and hands the streams that the gateway opens to the pipes.
class ConnectorLink final : private net::LinkOwner, private HealthListener {
 public:
  /// `web_socket`: see net::LinkDriver. `health`: what the gateway hears of the services, from start() on; nullptr:
  /// nothing.
  ConnectorLink(net::Loop& loop, net::StreamPtr stream, std::unique_ptr<link::WebSocket> web_socket,
                const link::SessionOptions& options, const ServiceMap& services, ServicePipes& pipes,
                ConnectorLinkOwner& owner, HealthFeed* health = nullptr);

  void start();
  const link::SessionStats& stats() { return driver_.session().stats(); }
  bool is_open() const { return driver_.is_open(); }
  /// Known when on_link_over() is called.
  net::LinkEnd how_ended() const { return driver_.how_ended(); }
  bool is_suspect() { return driver_.session().is_suspect(); }
  /// Tells the gateway to open no more streams.
  void leave(std::string_view reason);
  /// Ends the link as soon as its streams are done.
  void shutdown() { driver_.session().shutdown(); }
  void close(std::string_view why) { driver_.close(why); }

 private:
  link::StreamHandler* on_open(link::Stream& stream, const link::Opening& opening) override;
  void on_link_ready() override {}  // the gateway's side only
  void on_link_control(const link::ControlMessage& message) override;
  void on_link_suspect(bool) override {}  // a connector opens nothing, so there is nothing to do elsewhere
  void on_link_closed(std::string_view why) override { owner_.on_link_over(*this, why); }
  void on_health(const link::Health& down) override;

  const ServiceMap& services_;
  ServicePipes& pipes_;
  ConnectorLinkOwner& owner_;
  HealthFeed* health_;
  net::LinkDriver driver_;
};

}  // namespace adit::connector
