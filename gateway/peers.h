#pragma once
// Other replicas of this gateway: the bridge over a missing link, and who of them is ready (docs/peers.md).

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/published.h"
#include "gateway/peer_credentials.h"
#include "gateway/peer_directory.h"
#include "gateway/peer_metrics.h"
#include "link/session.h"
#include "net/address.h"
#include "net/loop.h"

namespace adit::gateway {

struct Shared;
class PeerDialler;
class PeerHost;
class PeerNames;

/// Where gateways are: names, of which each may stand for many replicas, this one among them, or addresses.
using PeerAddresses = std::vector<net::Target>;

/// A thread of its own, on which all links to and from peers are. It is made before the workers and outlives them.
class Peers final {
 public:
  /// `clear`: see PeerCredentials.
  Peers(Shared& shared, PeerFiles files, bool clear);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  // Before run(), by the thread that owns it.
  base::Result<void> load() { return credentials_.load(); }
  base::Result<net::asio::ip::tcp::endpoint> listen(const net::asio::ip::tcp::endpoint& where);
  /// `ready`: whether the rest of this gateway can serve; called by the peers' thread.
  void run(std::function<bool()> ready);
  /// Ends the thread, and all links. Before the workers are destroyed.
  void stop();

  // Any thread.
  /// Who publishes here is followed within a moment: the command line, or an operator.
  base::Published<PeerAddresses>& addresses() { return addresses_; }
  base::Published<PeerKeys>& keys() { return keys_; }
  /// Addresses were published, and each peer was tried once, so there is nothing more to wait for.
  bool tried() const { return tried_.load(std::memory_order_acquire); }
  /// Tells peers that this gateway is about to go; it serves them as ever.
  void leave();
  /// Ends the streams of peers that are under way here: the time to leave is up.
  void cut_relays();
  /// Ends links once their streams are done; no more streams either way.
  void finish();
  std::size_t links() const { return links_.load(std::memory_order_relaxed); }
  /// Streams of peers that are under way here.
  std::size_t relays() const;
  PeersStatus status() const;
  const PeerMetrics& metrics() const { return metrics_; }

  // For workers, on their threads.
  std::shared_ptr<const LinkInfo> pick(std::string_view tunnel_id, std::string_view service,
                                       const std::vector<std::uint64_t>& tried, link::InstanceKey only = 0) {
    return directory_.pick(tunnel_id, service, tried, only);
  }
  void instances(std::string_view tunnel_id, std::string_view service, std::vector<InstanceStanding>& found) {
    directory_.instances(tunnel_id, service, found);
  }
  std::uint64_t changes() const { return directory_.changes(); }
  /// Opens a stream at that tunnel of a peer. The Stream lives on `near`.
  link::Stream* open(net::Loop& near, const link::Opening& opening, const LinkInfo& tunnel,
                     link::StreamHandler& handler);
  void doubt(const LinkInfo& tunnel);

 private:
  void tick();
  void announce();
  void came(const std::string& gateway_id);

  Shared& shared_;
  net::Loop loop_;
  base::Published<PeerKeys> keys_{nullptr};
  PeerCredentials credentials_;
  PeerMetrics metrics_;
  PeerDirectory directory_;
  base::Published<PeerAddresses> addresses_{nullptr};
  std::uint64_t addresses_seen_ = 0;
  std::unique_ptr<PeerDialler> dialler_;
  std::unique_ptr<PeerHost> host_;
  std::unique_ptr<PeerNames> names_;
  std::function<bool()> ready_;
  std::vector<std::string> announced_;  ///< to connectors: ids of peers that are ready
  net::Deadline tick_;
  bool leaving_ = false;
  bool announced_leaving_ = false;
  std::atomic<bool> tried_{false};
  std::atomic<std::size_t> links_{0};
  mutable std::mutex mutex_;
  PeersStatus status_;  ///< under the lock
  std::jthread thread_;
};

}  // namespace adit::gateway
