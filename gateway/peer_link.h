#pragma once
// A link that this gateway has dialled to another one, and what that says of itself.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/peer_directory.h"
#include "net/link_driver.h"

namespace adit::gateway {

class PeerLink;

class PeerLinkOwner {
 public:
  /// A tunnel of the peer has come: streams are opened by its id until on_tunnel_gone().
  virtual void on_tunnel(PeerLink& link, const LinkInfo& tunnel) = 0;
  /// Idle streams of that tunnel shall be let go: the peer has lost links of it.
  virtual void on_tunnel_changed(const LinkInfo& tunnel) = 0;
  virtual void on_tunnel_gone(const LinkInfo& tunnel) = 0;
  /// The peer has said how it stands.
  virtual void on_peer_changed(PeerLink& link) = 0;
  /// The link is over; the owner destroys it later in the turn.
  virtual void on_peer_link_over(PeerLink& link, std::string_view why) = 0;

 protected:
  ~PeerLinkOwner() = default;
};

/// Keeps the directory at what the peer says. On its loop only.
class PeerLink final : private net::LinkOwner {
 public:
  /// Of one peer; tunnels for which there is no room are left out.
  static constexpr std::size_t kMostTunnels = 100'000;
  static constexpr std::size_t kMostText = std::size_t{64} << 20U;  ///< bytes of the services' names

  /// `stream` has done its handshake. `next_id`: where ids of tunnels come from.
  PeerLink(net::Loop& loop, net::StreamPtr stream, std::string gateway_id, const link::SessionOptions& options,
           PeerDirectory& directory, LinkDirectory& next_id, PeerLinkOwner& owner);
  ~PeerLink();

  void start() { driver_.start(); }
  const std::string& gateway_id() const { return gateway_id_; }
  bool ready() const { return ready_ && !leaving_; }
  bool leaving() const { return leaving_; }
  std::size_t tunnels() const { return tunnels_.size(); }
  const link::SessionStats& stats() { return driver_.session().stats(); }

  /// nullptr: the link takes no more.
  link::Stream* open(const link::Opening& opening, link::StreamHandler& handler);
  void suspect() { driver_.suspect(); }
  /// Ends the link as soon as its streams are done.
  void shutdown() { driver_.session().shutdown(); }
  void close(std::string_view why) { driver_.close(why); }

 private:
  struct Tunnel {
    std::shared_ptr<LinkInfo> info;
    std::vector<std::string> services;
    std::vector<PeerDirectory::Group> groups;
    std::size_t text = 0;
    bool suspect = false;
  };

  link::StreamHandler* on_open(link::Stream&, const link::Opening&) override { return nullptr; }
  void on_link_ready() override {}
  void on_link_control(const link::ControlMessage& message) override;
  void on_link_suspect(bool suspect) override;
  void on_link_closed(std::string_view why) override;
  void take(const link::Presence& presence);
  bool has_room(const link::Presence& presence) const;
  void withdraw(const std::string& tunnel_id);
  void forget(LinkInfo& tunnel);
  void clear();
  LinkState state_of(const Tunnel& tunnel) const;
  void refresh();

  const std::string gateway_id_;
  PeerDirectory& directory_;
  LinkDirectory& next_id_;
  PeerLinkOwner& owner_;
  net::LinkDriver driver_;
  std::map<std::string, Tunnel> tunnels_;  ///< by id
  std::size_t text_ = 0;
  bool ready_ = false;
  bool leaving_ = false;
  bool suspect_ = false;
  bool full_ = false;  ///< some tunnel was left out
};

}  // namespace adit::gateway
