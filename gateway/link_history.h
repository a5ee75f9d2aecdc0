#pragma once
// What became of links: for the status page and the counters, when the links themselves are gone.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/unserved.h"
#include "routing/table.h"

namespace adit::gateway {

struct LinkInfo;

/// Why a link ended.
enum class LinkCause : std::uint8_t {
  finished,    ///< a side left, and all streams were done
  lost,        ///< the connection was closed or broke
  silent,      ///< no sign of life
  misbehaved,  ///< the connector broke the protocol, or ended the link with an error
  revoked,     ///< its token or tunnel is gone
  replaced,    ///< the same instance came again while this one was half open
  shutdown,    ///< the gateway ended
};
inline constexpr std::array<std::string_view, 7> kLinkCauseNames = {"finished", "lost",     "silent",  "misbehaved",
                                                                    "revoked",  "replaced", "shutdown"};
inline std::string_view name_of(LinkCause cause) { return kLinkCauseNames[static_cast<std::size_t>(cause)]; }

/// One connector instance: while it has links, and for a while after.
struct ConnectorRecord {
  using Time = std::chrono::system_clock::time_point;

  std::string tunnel_id;
  std::string tunnel;  ///< name
  std::string connector;
  std::string instance;
  std::string version;
  std::string remote;  ///< of its newest link
  Time first_connected;
  Time last_connected;                                 ///< its newest link
  Time gone;                                           ///< its last link ended; of use only if there are none
  std::vector<std::shared_ptr<const LinkInfo>> links;  ///< now
  std::uint64_t reconnects = 0;                        ///< links that came after others had ended
  // Of links that have ended:
  std::uint64_t ended = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t streams = 0;
  LinkCause cause = LinkCause::finished;  ///< of the last one
  std::string reason;                     ///< in words
  std::uint64_t missing = 0;              ///< ended and not yet followed by another
};

/// By cause, of one tunnel.
struct TunnelLinkEnds {
  std::string tunnel;  ///< name
  std::array<std::uint64_t, kLinkCauseNames.size()> ended{};
  std::array<std::uint64_t, kLinkCauseNames.size()> reconnects{};  ///< by the cause of the end before
  Unserved last = Unserved::never_connected;                       ///< what it means if the last one was the only one
};

/// Any thread; a lock, taken when links begin and end.
class LinkHistory {
 public:
  /// Connectors that are gone and still remembered: of one tunnel, and of all. The one gone longest goes first.
  static constexpr std::size_t kMostGoneOfTunnel = 50;
  static constexpr std::size_t kMostGone = 2000;

  void began(const std::shared_ptr<const LinkInfo>& link);
  /// The link's counters are final.
  void ended(const LinkInfo& link, LinkCause cause, std::string_view why);
  /// Tunnels that are not in the table are forgotten, but for connectors that still have links.
  void forget_gone(const routing::Table& table);

  /// What became of the link of a tunnel that ended last.
  Unserved last_end(const std::string& tunnel_id) const;

  std::vector<ConnectorRecord> connectors() const;  ///< any order
  std::vector<TunnelLinkEnds> tunnels() const;      ///< any order

 private:
  void limit_gone(const std::string& tunnel_id);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, ConnectorRecord> by_instance_;  ///< key: tunnel id, line feed, instance
  std::unordered_map<std::string, TunnelLinkEnds> by_tunnel_;     ///< key: tunnel id
};

}  // namespace adit::gateway
