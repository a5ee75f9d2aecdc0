#pragma once
// Which tunnels other gateways have links of, as every thread may see it (docs/peers.md).

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
  /// `services` in any order.
  void put(const std::shared_ptr<LinkInfo>& tunnel, std::vector<std::string> services);
  void remove(const LinkInfo& tunnel);
  /// A peer where `service` is offered and that is not in `tried`: a live one rather than a suspect one, of equal ones
  /// any; nullptr if there is none.
  std::shared_ptr<const LinkInfo> pick(std::string_view tunnel_id, std::string_view service,
                                       const std::vector<std::uint64_t>& tried);

 private:
  struct Entry {
    std::shared_ptr<LinkInfo> tunnel;
    std::vector<std::string> services;  ///< sorted
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::mutex mutex_;
  std::unordered_map<std::string, std::vector<Entry>, Hash, std::equal_to<>> by_tunnel_;
  base::Random random_;
};

}  // namespace adit::gateway
