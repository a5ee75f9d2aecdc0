#pragma once
// Text messages both ways between two programs: WebSocket (RFC 6455) over TLS 1.3. Not for bulk: each message is held
// whole.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/tls_context.h"

namespace adit::net {

/// What both ends agree on.
struct ChannelLimits {
  std::size_t most_message_bytes = 4U << 20U;   ///< a longer one ends the channel
  std::size_t most_waiting_bytes = 16U << 20U;  ///< of messages that wait to be sent; more ends the channel
  std::chrono::milliseconds handshake{10'000};  ///< TCP, TLS and WebSocket together, for one address
  /// Silence after which the other end counts as gone. A ping goes out after half of it.
  std::chrono::milliseconds idle{15'000};
};

/// Who uses a channel. Called on its loop's thread, never from within a call to the channel.
class ChannelOwner {
 public:
  /// `text` lives for the call.
  virtual void on_message(std::string_view text) = 0;
  /// Everything that was handed to send() has left for the kernel; also once after start(). Who has something that may
  /// grow old sends it from here, one message at a time, so that the newest is sent when there is room.
  virtual void on_writable() = 0;
  /// The last call: the other end closed, was silent, or broke the protocol. Not called after close().
  virtual void on_closed(std::string_view why) = 0;

 protected:
  ~ChannelOwner() = default;
};

/// An established channel. On its loop's thread only; it may be destroyed at any time there, which closes it.
class MessageChannel {
 public:
  virtual ~MessageChannel() = default;

  /// Once, before anything else. `owner` is not called any more once the channel is destroyed or close() was called.
  virtual void start(ChannelOwner& owner) = 0;
  /// UTF-8 text. Never calls the owner; a failure is told by on_closed().
  virtual void send(std::string text) = 0;
  /// Nothing waits to be sent.
  virtual bool is_writable() const = 0;
  /// Sends what waits and a close frame with `why` (at most 123 bytes are sent), then ends; the owner hears nothing
  /// more.
  virtual void close(std::string_view why) = 0;
  /// "ADDRESS:PORT" of the other end.
  virtual const std::string& remote() const = 0;
};

// The end that dials.

/// "wss://HOST[:PORT][/PATH]" taken apart; port 443 and path "/" by default.
struct ChannelUrl {
  Target target;
  std::string path;
};
base::Result<ChannelUrl> parse_channel_url(std::string_view text);

/// Why one address could not be used.
struct ChannelFailure {
  enum class Phase { resolve, connect, tls, upgrade };
  Phase phase = Phase::resolve;
  std::string address;  ///< "ADDRESS:PORT"; empty while resolving
  unsigned status = 0;  ///< of the HTTP answer, if one came: 401 wrong token, 503 not the leader, …
  std::string reason;   ///< of the answer's body, OpenSSL, or the kernel; control characters taken out

  /// "10.0.0.7:8443: 503 not the leader", "operator.adit:8443: name not found", …
  std::string text() const;
};

struct ChannelRequest {
  ChannelUrl url;
  std::string bearer;  ///< Authorization: Bearer; a secret
  Trust trust;         ///< `link` is taken as set
  ChannelLimits limits;
  std::vector<asio::ip::tcp::endpoint> addresses = {};  ///< tried instead of those of the name, if any are given
};

/// One attempt to get a channel. On the loop's thread only; destroying it cancels it without a word.
class ChannelDial {
 public:
  virtual ~ChannelDial() = default;

  /// Exactly one of the two is called, once, never from within start(). Either may destroy the dial.
  using Connected = std::function<void(std::unique_ptr<MessageChannel> channel)>;
  using Failed = std::function<void(const std::vector<ChannelFailure>& failures)>;

  /// Resolves the name and tries each of its addresses in turn until one accepts: the replicas behind one name need not
  /// all serve. `failures` has one for each address, in the order they were tried.
  static std::unique_ptr<ChannelDial> start(Loop& loop, ChannelRequest request, Connected connected, Failed failed);
};

}  // namespace adit::net
