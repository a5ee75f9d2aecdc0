#pragma once
// The shell around a link session: moves its bytes, keeps its time, and decides nothing.

#include <memory>
#include <string>
#include <string_view>

#include "link/send_pace.h"
#include "link/session.h"
#include "link/web_socket.h"
#include "net/loop.h"
#include "net/stream.h"

namespace adit::net {

/// How a link ended.
enum class LinkEnd : std::uint8_t {
  none,        ///< not yet
  finished,    ///< both sides said GOAWAY and no stream was left
  lost,        ///< the connection was closed or broke
  silent,      ///< the peer is dead
  misbehaved,  ///< the session was ended by a fault of the peer, or by its GOAWAY with an error
  closed,      ///< LinkDriver::close()
};

/// What a link tells its owner, on the loop's thread.
class LinkOwner {
 public:
  /// Connector: a stream was opened; see link::SessionEvents::on_open.
  virtual link::StreamHandler* on_open(link::Stream& stream, const link::Opening& opening) = 0;
  virtual void on_link_ready() = 0;
  virtual void on_link_control(const link::ControlMessage& message) = 0;
  virtual void on_link_suspect(bool suspect) = 0;
  /// The link is over and all its streams have heard of it; the last call. The owner may destroy the driver later in
  /// the turn, not from within.
  virtual void on_link_closed(std::string_view why) = 0;

 protected:
  ~LinkOwner() = default;
};

/// One link on one loop.
class LinkDriver final : private StreamOwner, private link::SessionEvents, private TurnTask {
 public:
  /// `stream` has done its handshake; `owner` outlives the driver. With `web_socket` the link's bytes travel in its
  /// messages; nullptr: as they are. Call start() next.
  LinkDriver(Loop& loop, StreamPtr stream, std::unique_ptr<link::WebSocket> web_socket, link::Role role,
             const link::SessionOptions& options, LinkOwner& owner);
  ~LinkDriver();

  /// Takes what is already readable, and begins.
  void start();
  link::Session& session() { return session_; }
  const Stream& stream() const { return *stream_; }
  /// Ends the link at once, with `why` for on_link_closed; no effect when it is over.
  void close(std::string_view why) { end(LinkEnd::closed, why); }
  /// Known when on_link_closed() is called.
  LinkEnd how_ended() const { return how_ended_; }
  bool is_open() const { return open_; }
  /// Tells the session that the link seems dead.
  void suspect();
  /// See link::Session::ask.
  void ask();

 private:
  void on_readable() override;
  void on_sent() override;
  void on_broken(std::string_view why) override;

  link::StreamHandler* on_open(link::Stream& stream, const link::Opening& opening) override;
  void on_ready() override { owner_.on_link_ready(); }
  void on_control(const link::ControlMessage& message) override { owner_.on_link_control(message); }
  void on_suspect(bool suspect) override { owner_.on_link_suspect(suspect); }
  void on_wants_write() override { loop_.defer(*this); }

  void at_turn_end() override;
  void on_deadline();
  void end_turn();
  void note_progress();
  base::TimePoint stalled_at() const;
  void end(LinkEnd how, std::string_view why);
  bool take(std::span<const char> bytes);
  bool take_messages(std::span<const char> bytes);
  base::Result<void> produce();
  base::Result<void> produce_in_pieces();
  void finish();

  Loop& loop_;
  StreamPtr stream_;
  std::unique_ptr<link::WebSocket> web_socket_;  ///< nullptr: the link's bytes are the stream's
  base::Buffer plain_;                           ///< on its way between the two; empty between calls
  LinkOwner& owner_;
  Deadline deadline_;
  link::Session session_;
  std::uint64_t sent_ = 0;   ///< of stream_->bytes_out(), what was seen
  base::TimePoint moved_{};  ///< when it changed last, or nothing waited
  link::SendPace pace_;
  bool held_back_ = false;  // the session asked for produce() while the socket was full
  bool open_ = true;
  LinkEnd how_ended_ = LinkEnd::none;
};

}  // namespace adit::net
