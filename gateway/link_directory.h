#pragma once
// All links of this gateway, as every thread may see them.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "gateway/affinity.h"
#include "gateway/ejections.h"
#include "gateway/link_choice.h"
#include "gateway/link_history.h"
#include "gateway/unserved.h"
#include "link/control.h"
#include "link/handshake.h"
#include "routing/table.h"

namespace adit::gateway {

/// May a link get new streams?
enum class LinkState : std::uint8_t {
  starting,  ///< no offers yet: no
  live,      ///< yes
  suspect,   ///< only if there is no live one
  over,      ///< leaving or gone: no
};

/// One link. The identity never changes; the cells are written by the link's worker and read by anyone.
struct LinkInfo {
  std::uint64_t id = 0;
  std::size_t worker = 0;  ///< index of the worker that owns the link
  std::string tunnel_id;
  std::string tunnel_name;
  std::string connector;
  std::string instance;
  link::InstanceKey instance_key = 0;  ///< of the instance; 0: it has no id, or the link is a peer's
  std::string version;
  std::optional<std::uint32_t> slot;
  std::string remote;  ///< address:port
  std::string peer;  ///< id of the gateway whose links these are, seen from here (gateway/peer_directory.h); else empty
  link::Transport transport = link::Transport::upgrade;
  routing::TokenHash token{};
  std::chrono::system_clock::time_point since;

  std::atomic<std::uint64_t> bytes_in{0};
  std::atomic<std::uint64_t> bytes_out{0};
  std::atomic<std::uint64_t> streams_opened{0};
  std::atomic<std::uint32_t> streams_open{0};
  std::atomic<std::int64_t> round_trip_us{0};
  std::atomic<base::TimePoint> last_received{};  ///< the last sign of life
  std::atomic<base::TimePoint> last_ping{};      ///< the last answer to a PING; epoch: none came yet
  std::atomic<std::uint64_t> buffered{0};        ///< bytes received and not yet delivered
  std::atomic<std::uint64_t> window_bytes{0};    ///< by which windows have grown
  std::atomic<bool> credit_withheld{false};      ///< the connector must wait: too much is buffered
  std::atomic<LinkState> state{LinkState::starting};
  std::atomic<bool> connector_leaves{false};       ///< the connector has said "leaving"
  std::atomic<bool> doubted{false};                ///< its slot was dialled anew, and nothing was heard of it since
  std::atomic<base::TimePoint> serves_since{};     ///< its first offers; epoch: always
  std::atomic<std::uint32_t> services_down{0};     ///< of those that it offers, as its connector says
  mutable std::atomic<std::uint32_t> requests{0};  ///< under way on it; counted by every worker that sends some
};

/// By which links of one connector know one another: what one could not reach, the others cannot either.
std::uint64_t connector_key(const LinkInfo& link);
/// `down`: of the service that is asked for. `ejections`: of that service; nullptr: none.
LinkStanding standing_of(const LinkInfo& link, bool down, const Ejections* ejections, base::TimePoint now);

/// A service that cannot be reached, as the connector says.
using ServiceDown = link::Health::Service;

/// Which links there are, by tunnel. Any thread; a lock, so it is not asked while a worker has a link of its own.
class LinkDirectory {
 public:
  std::uint64_t next_id() { return next_id_.fetch_add(1, std::memory_order_relaxed); }

  void add(std::shared_ptr<LinkInfo> link);
  /// What the link offers now; also to be called when its state has changed.
  void offers(std::uint64_t id, const std::string& tunnel_id, std::vector<std::string> services);
  /// Which services of the link are down now.
  void health(std::uint64_t id, const std::string& tunnel_id, std::vector<ServiceDown> down);
  void remove(std::uint64_t id, const std::string& tunnel_id);

  /// The worker with the fewest links of that tunnel, and of those the one with the fewest links at all.
  std::size_t pick_worker(std::string_view tunnel_id, std::size_t workers) const;
  /// The best link (gateway/link_choice.h) of another worker than `not_worker` that offers `service`, is not in `tried`
  /// and has less trouble than `limit`; nullptr if there is none. `only`: of that instance; 0: of any.
  std::shared_ptr<const LinkInfo> pick(std::string_view tunnel_id, std::string_view service, std::size_t not_worker,
                                       const std::vector<std::uint64_t>& tried, const Ejections* ejections = nullptr,
                                       Trouble limit = kAnyTrouble, link::InstanceKey only = 0) const;
  /// Whether a live link offers `service`.
  bool serves(std::string_view tunnel_id, std::string_view service) const;
  /// Appends the instances that offer `service` to the tunnel, each once.
  void instances(std::string_view tunnel_id, std::string_view service, std::vector<InstanceStanding>& found) const;
  /// Does the connector of that link say that the service is down?
  bool is_down(const LinkInfo& link, std::string_view service) const;
  /// Why no link of the tunnel can be had for a service.
  Unserved why_unserved(const std::string& tunnel_id) const;

  struct Count {
    std::size_t of_tunnel = 0;
    std::size_t of_instance = 0;
  };
  /// Links that are there, those that are ending included.
  Count count(std::string_view tunnel_id, std::string_view instance) const;
  /// Older links of the same tunnel, instance and slot, oldest first; none for a link without a slot.
  std::vector<std::shared_ptr<const LinkInfo>> predecessors(const LinkInfo& link) const;

  struct Entry {
    std::shared_ptr<LinkInfo> link;
    std::vector<std::string> services;
    std::vector<ServiceDown> down = {};
  };
  std::vector<Entry> all() const;
  /// What became of links. add() notes their begin there, who ends one its end.
  LinkHistory& history() { return history_; }
  const LinkHistory& history() const { return history_; }
  /// Grows whenever all() may have changed, the state of a link included.
  std::uint64_t changes() const { return changes_.load(std::memory_order_acquire); }

 private:
  Entry* find(std::uint64_t id, const std::string& tunnel_id);

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::vector<Entry>, Hash, std::equal_to<>> by_tunnel_;
  LinkHistory history_;
  std::atomic<std::uint64_t> next_id_{1};
  std::atomic<std::uint64_t> changes_{0};  ///< written under the lock
  mutable std::size_t turn_ = 0;           ///< of pick(); under the lock
};

}  // namespace adit::gateway
