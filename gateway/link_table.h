#pragma once
// The links that one worker owns.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/published.h"
#include "base/random.h"
#include "gateway/buffer_budgets.h"
#include "gateway/far_links.h"
#include "gateway/gateway_link.h"
#include "gateway/link_directory.h"
#include "routing/table.h"

namespace adit::gateway {

/// Owns links from their hand-over to their end, and picks among them. On the worker's loop only.
class LinkTable final : public FarLinks, private GatewayLinkOwner, private net::TurnTask {
 public:
  /// Called when a link takes no new streams any more.
  using Leaving = std::function<void(std::uint64_t link_id)>;
  /// Called when a link is suspect: its connector may be dead, and so all its links.
  using Doubtful = std::function<void(const LinkInfo& link)>;

  LinkTable(net::Loop& loop, LinkDirectory& directory, BufferBudgets& buffers, std::string gateway_id, Leaving leaving,
            Doubtful doubtful = {});
  ~LinkTable();

  /// Takes over a connection whose handshake is done; the directory knows the link already.
  void adopt(net::StreamPtr stream, const std::shared_ptr<LinkInfo>& info);

  /// The best link (gateway/link_choice.h) that offers `service`, none of `tried`; nullptr if there is none.
  /// `ejections`: of that service; nullptr: none. `only`: of that instance; 0: of any.
  GatewayLink* pick(std::string_view tunnel_id, std::string_view service, const std::vector<std::uint64_t>& tried,
                    const Ejections* ejections = nullptr, link::InstanceKey only = 0);
  /// Whether a live link offers `service`.
  bool serves(std::string_view tunnel_id, std::string_view service) const;
  GatewayLink* find(std::uint64_t id);
  // FarLinks
  link::Stream* open(std::uint64_t link_id, const link::Opening& opening, link::StreamHandler& handler) override;
  void suspect(std::uint64_t link_id) override;

  /// A link of the same slot has come: see GatewayLink::doubt. `unheard`: there are too many of that slot, so it is
  /// closed.
  void slot_taken(std::uint64_t id, bool unheard);
  /// A link of that connector is suspect: the others are asked for a sign of life.
  void ask(std::string_view tunnel_id, std::string_view instance);
  /// Closes the links whose token the table no longer lists.
  void revoke(const routing::Table& table);
  void leave(std::string_view reason);
  /// The ready gateways, for the connectors of all links, of later ones too.
  void announce(link::Gateways gateways);
  /// Ends the links once their streams are done.
  void shutdown();
  /// Ends the links at once.
  void close(std::string_view why);
  void publish();
  std::size_t size() const { return by_id_.size(); }
  bool draining() const { return draining_; }

 private:
  void on_link_changed(GatewayLink& link) override;
  void on_link_over(GatewayLink& link, std::string_view why) override;
  const link::Gateways& gateways() const override { return gateways_; }
  void at_turn_end() override { over_.clear(); }

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  net::Loop& loop_;
  LinkDirectory& directory_;
  BufferBudgets& buffers_;
  link::Gateways gateways_;
  Leaving leaving_;
  Doubtful doubtful_;
  base::Random random_;
  std::unordered_map<std::uint64_t, std::unique_ptr<GatewayLink>> by_id_;
  std::unordered_map<std::string, std::vector<GatewayLink*>, Hash, std::equal_to<>> by_tunnel_;
  std::vector<std::unique_ptr<GatewayLink>> over_;  ///< destroyed at the end of the turn
  std::size_t turn_ = 0;                            ///< of pick()
  bool draining_ = false;
};

}  // namespace adit::gateway
