#pragma once
// One stream of a link as its two users see it: the session that moves its bytes, and the handler that owns its
// meaning.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace adit::link {

/// Why a stream ended.
enum class Closed : std::uint8_t {
  finished,   ///< both sides ended their half
  refused,    ///< the peer refused it before processing (REFUSED_STREAM, RFC 9113 §8.7): safe to try elsewhere
  reset,      ///< the peer reset it
  link_lost,  ///< the link ended under it
};

/// The user of a stream. All calls come on the link's thread from within a Session call. A handler may call any method
/// of its Stream and of other streams from within these, but must not destroy the Session.
class StreamHandler {
 public:
  /// Gateway: the connector answered the opening; 200 means connected, 403 not offered, 502 dial failed, 504 timed out.
  /// `reason` is for logs. A status other than 2xx is followed by on_closed.
  virtual void on_answer(int status, std::string_view reason) = 0;
  /// Bytes from the peer, valid during the call. Their credit is given back by Stream::consume once they were
  /// delivered.
  virtual void on_data(std::span<const char> bytes) = 0;
  /// The peer ended its half; bytes may still be sent.
  virtual void on_end() = 0;
  /// The last call: the Stream is gone when this returns.
  virtual void on_closed(Closed why) = 0;

  /// The bytes to send next, contiguous; empty when there are none now. Stays unchanged until on_sent.
  virtual std::span<const char> to_send() = 0;
  /// The first `size` of to_send() were taken.
  virtual void on_sent(std::size_t size) = 0;

 protected:
  ~StreamHandler() = default;
};

/// Asked of the stream by its user, on the link's thread. Borrowed: it is valid until on_closed or reset().
class Stream {
 public:
  /// Connector: answers the opening. A status other than 200 also ends the stream.
  virtual void answer(int status, std::string_view reason) = 0;
  /// to_send() has grown from empty: bytes are taken when window and link allow.
  virtual void resume() = 0;
  /// Ends this half once to_send() has run empty.
  virtual void finish() = 0;
  /// Gives the peer credit for `size` bytes of on_data that were delivered.
  virtual void consume(std::size_t size) = 0;
  /// Ends both halves at once (CANCEL); the handler hears nothing more, and the Stream is gone.
  virtual void reset() = 0;
  /// Connector: instead of an answer, says that the stream was not looked at (REFUSED_STREAM), so that the gateway opens
  /// it elsewhere; else as reset().
  virtual void refuse() { reset(); }
  /// Changes who hears of the stream: an idle stream has another user than a busy one.
  virtual void set_handler(StreamHandler& handler) = 0;

 protected:
  ~Stream() = default;
};

}  // namespace adit::link
