#pragma once
// Which tunnels other gateways have links of, as every thread may see it (docs/peers.md).

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "gateway/link_directory.h"

namespace adit::gateway {

/// A tunnel at a peer stands for all links that the peer has of it: it is one LinkInfo, with an id of its own and the
/// state that the peer and the link to it allow. Any thread; a lock, asked only where no link of one's own serves.
class PeerDirectory {
 public:
  /// Instances that each offer all of some services.
  struct Group {
    std::vector<link::InstanceKey> instances;
    std::vector<std::string> services;
  };
  /// All in any order. `services` are those of the groups, and those of instances that are not named.
  void put(const std::shared_ptr<LinkInfo>& tunnel, std::vector<std::string> services, std::vector<Group> groups = {});
  void remove(const LinkInfo& tunnel);
  /// A peer where `service` is offered and that is not in `tried`: a live one rather than a suspect one, then one that
  /// stays rather than one that leaves, of equal ones any; nullptr if there is none. `only`: where that instance offers
  /// it; 0: where any does.
  std::shared_ptr<const LinkInfo> pick(std::string_view tunnel_id, std::string_view service,
                                       const std::vector<std::uint64_t>& tried, link::InstanceKey only = 0);
  /// Adds the instances that offer `service` to the tunnel.
  void instances(std::string_view tunnel_id, std::string_view service, std::vector<InstanceStanding>& found);
  /// Grows whenever instances() may have changed. The state of a tunnel at a peer has changed: touch().
  std::uint64_t changes() const { return changes_.load(std::memory_order_acquire); }
  void touch() { changes_.fetch_add(1, std::memory_order_release); }

 private:
  struct Entry {
    std::shared_ptr<LinkInfo> tunnel;
    std::vector<std::string> services;  ///< sorted
    std::vector<Group> groups;          ///< all sorted

    bool offers(std::string_view service, link::InstanceKey only) const;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::mutex mutex_;
  std::unordered_map<std::string, std::vector<Entry>, Hash, std::equal_to<>> by_tunnel_;
  base::Random random_;
  std::atomic<std::uint64_t> changes_{0};
};

}  // namespace adit::gateway
