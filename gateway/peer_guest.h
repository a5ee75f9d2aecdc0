#pragma once
// A link that another gateway has dialled: it is told what this one has, and opens streams on that.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/own_presence.h"
#include "gateway/peer_metrics.h"
#include "net/link_driver.h"

namespace adit::gateway {

class PeerGuest;

class PeerGuestOwner {
 public:
  /// See link::SessionEvents::on_open.
  virtual link::StreamHandler* on_guest_stream(link::Stream& stream, const link::Opening& opening) = 0;
  /// The link is over; the owner destroys it later in the turn.
  virtual void on_guest_over(PeerGuest& guest, std::string_view why) = 0;

 protected:
  ~PeerGuestOwner() = default;
};

/// On its loop only.
class PeerGuest final : private net::LinkOwner {
 public:
  struct Facts {
    std::string id;
    std::string version;
    std::string remote;  ///< address:port
    std::chrono::system_clock::time_point since;
  };

  PeerGuest(net::Loop& loop, net::StreamPtr stream, Facts facts, const link::SessionOptions& options,
            PeerGuestOwner& owner);

  void start() { driver_.start(); }
  const Facts& facts() const { return facts_; }
  const link::SessionStats& stats() { return driver_.session().stats(); }
  void say(const link::Replica& replica) { driver_.session().send_control(replica); }
  /// It has yet to hear of these tunnels.
  void note(const std::vector<std::string>& tunnels) { untold_.insert(tunnels.begin(), tunnels.end()); }
  /// Tells it of tunnels, as many as its control stream has room for. True: there are more.
  bool tell(const OwnPresence& presence);
  /// Takes no more streams; ends once those that it has are done.
  void shutdown() { driver_.session().shutdown(); }
  void close(std::string_view why) { driver_.close(why); }
  PeerGuestStatus status();

 private:
  link::StreamHandler* on_open(link::Stream& stream, const link::Opening& opening) override {
    return owner_.on_guest_stream(stream, opening);
  }
  void on_link_ready() override {}
  void on_link_control(const link::ControlMessage&) override {}  // it has nothing to say
  void on_link_suspect(bool) override {}                         // it is opened nothing
  void on_link_closed(std::string_view why) override { owner_.on_guest_over(*this, why); }

  const Facts facts_;
  PeerGuestOwner& owner_;
  net::LinkDriver driver_;
  std::set<std::string> untold_;
};

}  // namespace adit::gateway
