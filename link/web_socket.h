#pragma once
// The bytes of a link in binary WebSocket messages (RFC 6455), for the L7 proxies that let nothing else through.
// Sans-io, over libwslay's frame layer.

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/buffer.h"
#include "base/random.h"
#include "base/result.h"

namespace adit::link {

/// Which end of the WebSocket this is: the connector is its client and masks what it sends (RFC 6455 §5.3).
enum class WebSocketEnd : std::uint8_t { client, server };

/// One WebSocket after its handshake, on the link's thread. The boundaries of messages mean nothing: the payloads, one
/// after the other, are the bytes of the link.
class WebSocket {
 public:
  /// Most bytes of payload in one frame that is sent.
  static constexpr std::size_t kMostPayload = std::size_t{128} * 1024;

  /// `random` is borrowed: masks.
  WebSocket(WebSocketEnd end, base::Random& random);
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  /// Takes all of `bytes`; appends payload to `plain`, and the frames that answer the peer's control frames (pong,
  /// close) to `out`. An error is final: the peer broke RFC 6455, sent text, or asked to be answered faster than `out`
  /// is taken; its text says which, and `out` ends with a Close that says so too.
  base::Result<void> receive(std::span<const char> bytes, base::Buffer& plain, base::Buffer& out);
  /// Moves all of `plain` into binary frames at the end of `out`.
  void send(base::Buffer& plain, base::Buffer& out);
  /// Appends a Close (RFC 6455 §5.5.1); nothing may be sent after it. No effect when one was sent.
  void close(std::uint16_t code, std::string_view reason, base::Buffer& out);
  /// The peer has sent a Close: nothing more will come.
  bool peer_closed() const;
  /// What its Close said: "1001 going away", "1000"; empty if nothing.
  std::string_view peer_reason() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adit::link
