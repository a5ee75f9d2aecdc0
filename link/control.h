#pragma once
// The lines of the control stream: one JSON object each, at most 64 KiB; unknown types and members are ignored.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "link/instance_key.h"

namespace adit::link {

inline constexpr std::size_t kMostControlLine = std::size_t{64} * 1024;

/// Gateway → connector: the ready gateway replicas. {"type":"gateways","ids":["…"],"count":1}
struct Gateways {
  std::vector<std::string> ids;
};

/// Connector → gateway: all services that it offers, replacing the offers before.
/// {"type":"offers","services":[{"name":"default","protocol":"tcp"}]}
struct Offers {
  struct Service {
    std::string name;
    std::string protocol;  ///< "tcp"; a connector does not care what runs over it
  };
  std::vector<Service> services;
};

/// Both ways: the sender is about to go. No new streams; open ones finish. {"type":"leaving","reason":"…"}
struct Leaving {
  std::string reason;
};

/// Between gateways (docs/peers.md): what the sender's own links offer of one tunnel, replacing what it said before.
/// {"type":"presence","tunnel":"…","services":["default"],"instances":["…"],"suspect":false,"adds":false}
struct Presence {
  std::string tunnel;
  std::vector<std::string> services;        ///< none: the sender has no link of the tunnel any more
  bool suspect = false;                     ///< of all its links of the tunnel nothing was heard for a while
  bool adds = false;                        ///< to the services of the line before, which had no room for all
  std::vector<InstanceKey> instances = {};  ///< of connectors that offer each of these services and are sound

  friend bool operator==(const Presence&, const Presence&) = default;
};

/// Between gateways: how the sender stands. {"type":"replica","ready":true,"leaving":false}
struct Replica {
  bool ready = false;    ///< it serves visitors
  bool leaving = false;  ///< it is about to go: new streams only where nobody else can take them
};

/// Connector → gateway: which of its services it cannot reach, replacing what was said before. A service that is not
/// named is healthy. {"type":"health","services":[{"name":"api","healthy":false,"reason":"…"}]}
struct Health {
  struct Service {
    std::string name;
    bool healthy = true;
    std::string reason;  ///< for logs: printable ASCII, at most 200 bytes
    bool operator==(const Service&) const = default;
  };
  std::vector<Service> services;
};

using ControlMessage = std::variant<Gateways, Offers, Leaving, Health, Presence, Replica>;

/// One line with its final newline. Of `Health` as many services as fit into kMostControlLine.
std::string encode_control(const ControlMessage& message);
/// One line without its newline. Nothing for a type this version does not know; an error for what is not valid.
base::Result<std::optional<ControlMessage>> decode_control(std::string_view line);

}  // namespace adit::link
