#pragma once
// The opening of a link between two gateways: one HTTP/1.1 request and its answer (docs/peers.md). Sans-io.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "http/message.h"
#include "http/parser.h"
#include "link/handshake.h"

namespace adit::link {

inline constexpr std::string_view kPeerPath = "/.well-known/adit/peer";
inline constexpr std::string_view kPeerUpgradeToken = "adit-peer/1";
/// The DNS name that the certificates of gateways have, whatever the address: the right to be a peer.
inline constexpr std::string_view kPeerName = "adit-gateway-peer";

/// What the gateway that dials says of itself. Its right to ask is its certificate.
struct PeerHello {
  std::string gateway;  ///< id
  std::string version;  ///< of the program
};

/// Appends the dialling gateway's request.
void write_peer_hello(base::Buffer& out, const PeerHello& hello);
/// Appends "101 Switching Protocols" with the id of the gateway that was dialled. WelcomeReader(kPeerUpgradeToken) reads
/// it; refusals are those of links (write_refusal).
void write_peer_welcome(base::Buffer& out, std::string_view gateway_id);

/// The side that was dialled: takes bytes until the request's head is complete.
class PeerHelloReader {
 public:
  struct Outcome {
    std::size_t consumed = 0;  ///< bytes of the head; what follows belongs to the session
    std::optional<PeerHello> hello;
    std::optional<Refusal> refusal;  ///< answer with this and close
  };                                 ///< neither: more bytes are needed
  /// `bytes` are all so far, the head at their start.
  Outcome read(std::span<const char> bytes);

 private:
  http::RequestParser parser_{http::HeadLimits{std::size_t{16} * 1024, 1024}};
};

}  // namespace adit::link
