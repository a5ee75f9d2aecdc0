#pragma once
// One connector's link on its worker.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/link_directory.h"
#include "net/link_driver.h"

namespace adit::gateway {

class GatewayLink;

/// Who owns the links of a worker.
class GatewayLinkOwner {
 public:
  /// Offers came, or the link became usable or unusable.
  virtual void on_link_changed(GatewayLink& link) = 0;
  /// The link is over; the owner destroys it later in the turn.
  virtual void on_link_over(GatewayLink& link, std::string_view why) = 0;
  /// The gateways that are ready, this one included.
  virtual const link::Gateways& gateways() const = 0;

 protected:
  ~GatewayLinkOwner() = default;
};

/// Lives on its worker's loop. Opens streams to services and keeps what the connector said of itself.
class GatewayLink final : private net::LinkOwner {
 public:
  /// `web_socket`: see net::LinkDriver.
  GatewayLink(net::Loop& loop, net::StreamPtr stream, std::unique_ptr<link::WebSocket> web_socket,
              std::shared_ptr<LinkInfo> info, GatewayLinkOwner& owner, const link::SessionOptions& options);

  void start() { driver_.start(); }
  const std::shared_ptr<LinkInfo>& info() const { return info_; }
  bool offers(std::string_view service) const;
  LinkState state() const;
  /// Of a link that is live or suspect, for a choice; see standing_of().
  LinkStanding standing(std::string_view service, const Ejections* ejections, base::TimePoint now) const;
  const std::vector<std::string>& services() const { return services_; }
  /// Of those that it offers.
  const std::vector<ServiceDown>& services_down() const { return down_; }
  bool is_down(std::string_view service) const;

  /// nullptr when the link takes no more.
  link::Stream* open(const link::Opening& opening, link::StreamHandler& handler);
  /// Something took too long: see link::Session::suspect.
  void suspect() { driver_.suspect(); }
  /// Another link of the same connector is suspect: see link::Session::ask.
  void ask() {
    if (driver_.is_open()) driver_.ask();
  }
  /// The connector has dialled its slot anew, so it may have lost this one: out of rotation and PINGed until it is
  /// heard of, closed if it stays silent.
  void doubt();
  /// Tells the connector, if it has heard of gateways already, of those that are ready now.
  void announce(const link::Gateways& gateways);
  /// Tells the connector that this gateway is about to go.
  void leave(std::string_view reason);
  /// Ends the link as soon as its streams are done.
  void shutdown() { driver_.session().shutdown(); }
  /// Ends the link at once; `cause` says why for the counters, `why` for the log.
  void close(std::string_view why, LinkCause cause = LinkCause::shutdown) {
    closed_for_ = cause;
    driver_.close(why);
  }
  /// Why it is over.
  LinkCause cause() const;
  /// Writes the counters into info(), for other threads.
  void publish();

 private:
  link::StreamHandler* on_open(link::Stream& stream, const link::Opening& opening) override;
  void on_link_ready() override;
  void on_link_control(const link::ControlMessage& message) override;
  void on_link_suspect(bool suspect) override;
  void on_link_closed(std::string_view why) override;
  void take_offers(const link::Offers& offers);
  void take_health(const link::Health& health);
  void changed();
  void look_again();
  void end_doubt();

  std::shared_ptr<LinkInfo> info_;
  GatewayLinkOwner& owner_;
  net::LinkDriver driver_;
  std::vector<std::string> services_;
  std::vector<ServiceDown> down_;
  base::TimePoint health_logged_{};
  LinkCause closed_for_ = LinkCause::shutdown;
  bool ready_ = false;
  bool offered_ = false;
  bool suspect_ = false;
  bool leaving_ = false;
  net::Deadline doubts_;           ///< set while it is doubted
  std::uint64_t bytes_known_ = 0;  ///< received when the doubt began
};

}  // namespace adit::gateway
