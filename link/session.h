#pragma once
// The link once its handshake is done: HTTP/2 (RFC 9113) in which the gateway is the client. Sans-io, over libnghttp2.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/result.h"
#include "link/buffer_budget.h"
#include "link/control.h"
#include "link/stream.h"

namespace adit::link {

enum class Role : std::uint8_t { gateway, connector };

/// What travels with the opening of a stream. Views are valid during the call.
struct Opening {
  std::string_view service;
  std::string_view visitor;  ///< "address:port" of the visitor
  std::string_view request_id;
  std::string_view tunnel = {};  ///< on links between gateways only: a connector's link is of one tunnel
  std::uint64_t instance = 0;    ///< the same: on links of that instance alone, as `presence` names it; 0: any
};

/// Windows and liveness; docs/link.md gives the reasons.
struct SessionOptions {
  std::uint32_t first_window = 64 * 1024;           ///< a stream's receive window at first, bytes
  std::uint32_t most_window = 8 * 1024 * 1024;      ///< what it may grow to while it is drained within two round trips
  std::uint32_t link_window = 16 * 1024 * 1024;     ///< the connection's receive window, given back on receipt
  std::uint64_t most_buffered = 128 * 1024 * 1024;  ///< that wait to be delivered; half of it is for windows' growth
  std::shared_ptr<BufferBudget> budget = nullptr;   ///< shared with other links, above most_buffered; nullptr: none
  std::uint32_t most_streams = 10'000;              ///< connector: SETTINGS_MAX_CONCURRENT_STREAMS
  std::uint32_t last_stream_id =
      0x7ff0'0000;  ///< gateway: a link retires once its stream ids pass this (RFC 9113 §5.1.1)
  /// The other end is a gateway too (docs/peers.md): openings name a tunnel, and control lines are what the link is for
  /// and so no overhead.
  bool peer = false;
  base::Duration ping_after = std::chrono::seconds(5);     ///< silence after which a PING is sent
  base::Duration suspect_after = std::chrono::seconds(1);  ///< silence after a PING that makes the link suspect
  base::Duration dead_after = std::chrono::seconds(2);     ///< silence of a suspect link that ends it
  base::Duration open_within = std::chrono::seconds(10);   ///< SETTINGS, their acknowledgement and the control stream
};

/// What a session tells its owner, on the link's thread, from within receive, produce or on_time.
class SessionEvents {
 public:
  /// Connector: a stream was opened. Returns who handles it; the handler answers now or later by Stream::answer.
  /// nullptr refuses the stream (REFUSED_STREAM), so that the gateway opens it elsewhere.
  virtual StreamHandler* on_open(Stream& stream, const Opening& opening) = 0;
  /// Gateway: the connector's SETTINGS came and the control stream stands, so streams may be opened.
  virtual void on_ready() = 0;
  /// A control line of a known type.
  virtual void on_control(const ControlMessage& message) = 0;
  /// The link has become suspect or live again: a suspect one gets no new streams.
  virtual void on_suspect(bool suspect) = 0;
  /// There is something to send: call produce() at the end of this turn.
  virtual void on_wants_write() = 0;

 protected:
  ~SessionEvents() = default;
};

struct SessionStats {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t streams_opened = 0;
  std::size_t streams_open = 0;
  base::Duration round_trip{};      ///< of the last PING; 0 before the first
  base::TimePoint last_received{};  ///< a byte; at first the session's begin
  base::TimePoint last_ping{};      ///< the peer's answer to one; epoch: none came yet
  std::uint64_t buffered = 0;       ///< bytes received and not yet delivered
  std::uint64_t window_bytes = 0;   ///< by which windows have grown at present
  bool credit_withheld = false;     ///< the peer must wait: too much is buffered
};

/// One link. Not safe to share: it lives on one thread.
class Session {
 public:
  Session(Role role, const SessionOptions& options, SessionEvents& events, base::TimePoint now);
  ~Session();  ///< streams still open hear on_closed(link_lost)
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Takes bytes from the peer. An error is final: its text says what the peer did wrong; close the link.
  base::Result<void> receive(std::span<const char> bytes, base::TimePoint now);
  /// Appends frames to `out` until it holds `limit` bytes or more, or nothing is left to send. To be called once right
  /// after construction too. Some faults of the peer come to light only here; with an error `out` holds the GOAWAY that
  /// tells the peer why, worth sending before the connection is closed. Does nothing from within a callback.
  base::Result<void> produce(base::Buffer& out, std::size_t limit);
  /// Work may be left after produce() when the limit was reached.
  bool wants_write() const;
  /// True once nothing more can come or go: both sides said GOAWAY and no stream is left.
  bool finished() const;

  /// When on_time wants to be called at the latest; kNever if at no time.
  base::TimePoint deadline() const;
  /// PINGs, suspicion and death. An error means that the peer is dead.
  base::Result<void> on_time(base::TimePoint now);
  /// A stream was not accepted, or a request not answered, for long: PING at once, suspect until a byte comes.
  void suspect(base::TimePoint now);
  bool is_suspect() const;
  /// Another link of the same peer is suspect: if nothing came on this one lately either, a PING is sent now rather
  /// than after `ping_after`.
  void ask(base::TimePoint now);

  /// Gateway: opens a stream to a service; nullptr when the link takes no more (not ready, leaving, ids used up,
  /// limit).
  Stream* open(const Opening& opening, StreamHandler& handler);

  /// Sends one control line; before the control stream stands it is kept and sent then.
  void send_control(const ControlMessage& message);
  /// Bytes of control lines that the peer has yet to take. Many lines are brought a few at a time: see
  /// ControlStream::kMostWaiting.
  std::size_t control_waiting() const;
  /// Ends the link with GOAWAY once its streams are done; no new ones are taken.
  void shutdown();

  /// The connection under the link is lost: all streams hear on_closed(link_lost), now rather than in the destructor.
  void abandon();

  const SessionStats& stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adit::link
