#pragma once
// What a gateway's own links offer, as its peers are told.

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gateway/link_directory.h"
#include "link/control.h"

namespace adit::gateway {

/// Keeps what every tunnel looked like last. Sans-io.
class OwnPresence {
 public:
  /// The links there are now. Returns the ids of the tunnels of which peers must hear: what is offered, or whether it
  /// is suspect, or by which instances it is offered, has changed, or a link of it is no more. (Then too, so that peers
  /// let go of streams that are idle on it.)
  std::vector<std::string> update(const std::vector<LinkDirectory::Entry>& links);
  /// All tunnels.
  std::set<std::string> tunnels() const;
  /// The lines that tell of a tunnel: one, unless its services have no room in it. Services beyond 256 KiB of names are
  /// left out, and so are instances beyond 1,000, or for which there is no room.
  std::vector<link::Presence> lines(const std::string& tunnel_id) const;

 private:
  struct Tunnel {
    std::set<std::string> services;
    std::map<link::InstanceKey, std::set<std::string>> instances;  ///< what each offers that its connector can reach
    std::set<std::uint64_t> links;
    bool suspect = true;
  };
  std::map<std::string, Tunnel> now_;
};

}  // namespace adit::gateway
