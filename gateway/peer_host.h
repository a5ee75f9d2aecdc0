#pragma once
// Where other gateways come in, what they are told, and what they open.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/own_presence.h"
#include "gateway/peer_credentials.h"
#include "gateway/peer_guest.h"
#include "gateway/peer_handshake.h"
#include "gateway/peer_relay.h"
#include "gateway/worker.h"
#include "net/listener.h"

namespace adit::gateway {

/// Takes links of peers, keeps them at the truth about this gateway's own links, and relays the streams that they open to
/// those. On its loop only, but for relays().
class PeerHost final : private PeerHandshakeOwner,
                       private PeerGuestOwner,
                       private PeerRelayOwner,
                       private OwnLinks,
                       private net::TurnTask {
 public:
  /// `came`: told of each gateway that comes in.
  PeerHost(net::Loop& loop, Shared& shared, PeerCredentials& credentials, PeerMetrics& metrics,
           std::function<void(const std::string& gateway_id)> came);
  ~PeerHost();

  base::Result<net::asio::ip::tcp::endpoint> listen(const net::asio::ip::tcp::endpoint& where);
  /// How this gateway stands, for all peers, later ones too.
  void say(const link::Replica& replica);
  /// Tells peers what has changed; to be called every so often.
  void tell();
  void cut_relays();
  /// Takes no more links and streams; links end once their streams are done.
  void shutdown();
  /// Ends them at once.
  void close(std::string_view why);
  std::size_t links() const { return guests_.size(); }
  /// Streams of peers that are under way. Any thread.
  std::size_t relays() const { return relay_count_.load(std::memory_order_relaxed); }
  std::vector<PeerGuestStatus> status() const;

 private:
  using Handshakes = boost::intrusive::list<PeerHandshake>;
  using Relays = boost::intrusive::list<PeerRelay>;

  void accept(net::Socket socket, const net::asio::ip::tcp::endpoint& peer);
  // PeerHandshakeOwner
  const std::string& gateway_id() const override { return shared_.gateway_id; }
  void on_peer_came(const net::StreamPtr& stream, link::PeerHello hello, const std::string& remote) override;
  void on_peer_refused(const std::string& remote, std::string_view why) override;
  void on_handshake_over(PeerHandshake& handshake) override;
  // PeerGuestOwner
  link::StreamHandler* on_guest_stream(link::Stream& stream, const link::Opening& opening) override;
  void on_guest_over(PeerGuest& guest, std::string_view why) override;
  // PeerRelayOwner
  void on_relay_over(PeerRelay& relay) override;
  // OwnLinks
  link::Stream* open_own(const link::Opening& opening, const std::vector<std::uint64_t>& tried,
                         link::StreamHandler& handler, std::shared_ptr<const LinkInfo>& link) override;
  void doubt_own(const LinkInfo& link) override;

  void at_turn_end() override;
  void count();

  net::Loop& loop_;
  Shared& shared_;
  PeerCredentials& credentials_;
  PeerMetrics& metrics_;
  std::function<void(const std::string&)> came_;
  std::unique_ptr<net::Listener> listener_;
  Handshakes handshakes_;  ///< under way, oldest first
  std::vector<std::unique_ptr<PeerGuest>> guests_;
  Relays relays_;
  OwnPresence presence_;
  std::uint64_t changes_ = 0;  ///< of the directory that presence_ knows of
  link::Replica replica_;
  std::atomic<std::size_t> relay_count_{0};
  // Destroyed at the end of the turn:
  std::vector<std::unique_ptr<PeerHandshake>> handshakes_over_;
  std::vector<std::unique_ptr<PeerGuest>> guests_over_;
  std::vector<std::unique_ptr<PeerRelay>> relays_over_;
  bool closing_ = false;
  base::TimePoint log_window_;  ///< when it began
  std::size_t logged_ = 0;      ///< refusals, in the window
};

}  // namespace adit::gateway
