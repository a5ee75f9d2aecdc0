#pragma once
// What is counted of a gateway's peers, and how they stand.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/metrics.h"

namespace adit::gateway {

/// How a dial to an address ended.
enum class PeerDialResult : std::uint8_t {
  up,         ///< the link stands
  self,       ///< the address is this gateway's own
  duplicate,  ///< the gateway has a link by another address
  refused,    ///< it answered, with a refusal
  failed,     ///< it was not reached, or TLS failed
};
inline constexpr std::array<std::string_view, 5> kPeerDialResultNames = {"up", "self", "duplicate", "refused",
                                                                         "failed"};
inline std::string_view name_of(PeerDialResult result) {
  return kPeerDialResultNames[static_cast<std::size_t>(result)];
}

/// All cells are written by the thread of the peers.
struct PeerMetrics {
  telemetry::Gauge known;  ///< addresses but one's own
  telemetry::Gauge up;
  telemetry::Gauge ready;
  telemetry::Gauge accepted;  ///< links that peers have dialled
  std::array<telemetry::Counter, kPeerDialResultNames.size()> dials;
  telemetry::Counter handshakes_refused;

  // Streams sent to peers.
  telemetry::Counter sent_served;
  telemetry::Counter sent_refused;  ///< or lost before an answer
  telemetry::Counter sent_failed;   ///< the connector answered that it cannot
  telemetry::Counter sent_bytes_out;
  telemetry::Counter sent_bytes_in;
  // Streams taken from peers.
  telemetry::Counter taken_served;
  telemetry::Counter taken_refused;
  telemetry::Counter taken_failed;
  telemetry::Counter taken_bytes_in;   ///< from the peer
  telemetry::Counter taken_bytes_out;  ///< to the peer
  telemetry::Gauge taken_open;
};

/// One address, for /status.
struct PeerStatus {
  using Time = std::chrono::system_clock::time_point;

  std::string address;
  std::string state;  ///< "up", "dialling", "waiting", "self", "duplicate"
  std::string id;     ///< of the gateway; empty: not known
  bool ready = false;
  bool leaving = false;
  Time since;  ///< of the link, if it is up
  std::size_t tunnels = 0;
  std::size_t streams_open = 0;
  std::uint64_t streams_opened = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::string last_error;
};

/// A link that a peer has dialled.
struct PeerGuestStatus {
  std::string id;
  std::string version;
  std::string remote;  ///< address:port
  std::chrono::system_clock::time_point since;
  std::size_t streams_open = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

struct PeersStatus {
  std::vector<PeerStatus> peers;
  std::vector<PeerGuestStatus> guests;
};

void collect_peers(const PeerMetrics& metrics, telemetry::Families& families);

}  // namespace adit::gateway
