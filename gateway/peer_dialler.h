#pragma once
// The links that this gateway keeps to all others.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "gateway/far_links.h"
#include "gateway/peer_slot.h"
#include "gateway/worker.h"

namespace adit::gateway {

/// One slot for each address, one link for each gateway. Streams are opened by the ids of tunnels (PeerDirectory). On
/// its loop only.
class PeerDialler final : public FarLinks, private PeerSlotOwner, private PeerLinkOwner, private net::TurnTask {
 public:
  PeerDialler(net::Loop& loop, Shared& shared, PeerCredentials& credentials, PeerDirectory& directory,
              PeerMetrics& metrics);
  ~PeerDialler();

  /// The addresses there are now: new ones are dialled at once.
  void want(const std::vector<net::Target>& addresses);
  /// Each of them was dialled once.
  bool tried() const;
  bool knows(std::string_view gateway_id) const;
  /// Ids of the gateways that say that they are ready, sorted.
  std::vector<std::string> ready() const;
  /// Ends the links once their streams are done; dials no more.
  void shutdown();
  /// Ends them at once.
  void close(std::string_view why);
  std::size_t links() const;
  std::vector<PeerStatus> status() const;
  void count();

  // FarLinks
  link::Stream* open(std::uint64_t tunnel, const link::Opening& opening, link::StreamHandler& handler) override;
  void suspect(std::uint64_t tunnel) override;
  void on_opened(std::uint64_t tunnel, int status) override;

 private:
  PeerDialResult judge(const std::string& gateway_id) override;
  std::unique_ptr<PeerLink> make_link(PeerSlot& slot, net::StreamPtr stream, std::string gateway_id) override;
  void on_slot_changed(PeerSlot&) override {}
  void on_tunnel(PeerLink& link, const LinkInfo& tunnel) override { by_tunnel_[tunnel.id] = &link; }
  void on_tunnel_changed(const LinkInfo& tunnel) override;
  void on_tunnel_gone(const LinkInfo& tunnel) override { by_tunnel_.erase(tunnel.id); }
  void on_peer_changed(PeerLink& link) override;
  void on_peer_link_over(PeerLink& link, std::string_view why) override;
  void at_turn_end() override;

  net::Loop& loop_;
  Shared& shared_;
  PeerCredentials& credentials_;
  PeerDirectory& directory_;
  PeerMetrics& metrics_;
  const link::PeerHello hello_;
  base::Random random_;
  std::map<std::string, std::unique_ptr<PeerSlot>> slots_;  ///< by address
  std::unordered_map<std::uint64_t, PeerLink*> by_tunnel_;
  std::vector<std::unique_ptr<PeerLink>> over_;  ///< destroyed at the end of the turn
  std::uint64_t ended_bytes_in_ = 0;             ///< of links that are over
  std::uint64_t ended_bytes_out_ = 0;
  bool closing_ = false;
};

}  // namespace adit::gateway
