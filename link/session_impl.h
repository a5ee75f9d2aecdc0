#pragma once
// Private to link/: what Session hides. session.cc holds the public calls, session_streams.cc the life of streams,
// session_buffers.cc their windows and credit, session_frames.cc the meaning of frames, session_nghttp2.cc the set-up
// of nghttp2 and its C functions.

#include <algorithm>
#include <deque>
#include <memory>
#include <string>

#include <nghttp2/nghttp2.h>

#include "link/control_stream.h"
#include "link/h2_memory.h"
#include "link/liveness.h"
#include "link/overhead.h"
#include "link/session.h"
#include "link/window.h"

namespace adit::link {

inline constexpr std::size_t kMostHead =
    std::size_t{16} * 1024;                       // SETTINGS_MAX_HEADER_LIST_SIZE, as RFC 9113 §6.5.2 counts
inline constexpr std::size_t kMostService = 253;  // bytes of a service's name

/// The fields of the header block that is being received; one at a time, since nothing may come between (RFC 9113
/// §4.3).
struct ReceivedHead {
  std::string method;
  std::string authority;
  std::string protocol;
  std::string visitor;
  std::string request_id;
  std::string tunnel;
  std::string reason;
  std::uint64_t instance = 0;
  int status = 0;
  std::size_t size = 0;  // as SETTINGS_MAX_HEADER_LIST_SIZE counts

  void clear();
};

class Session::Impl final : private ControlStream::Owner {
 public:
  /// One stream; taken from and given back to a list of the session, so that streams cost no allocation here.
  class LinkStream final : public Stream {
   public:
    void answer(int status, std::string_view reason) override;
    void resume() override;
    void finish() override;
    void consume(std::size_t size) override;
    void reset() override;
    void refuse() override;
    void set_handler(StreamHandler& handler) override { handler_ = &handler; }

   private:
    friend class Impl;
    Impl* session_ = nullptr;
    StreamHandler* handler_ = nullptr;
    std::int32_t id_ = 0;    // 0 when it belongs to nobody; then every call does nothing
    bool answered_ = false;  // a final status came (gateway) or was given (connector)
    bool open_ = false;      // that status was 2xx: bytes may pass
    bool finish_asked_ = false;
    bool deferred_ = false;  // nghttp2 waits for nghttp2_session_resume_data
    bool local_ended_ = false;
    bool remote_ended_ = false;
    bool control_ = false;
    LinkStream* next_free_ = nullptr;
    Window window_;
    std::uint64_t held_ = 0;  // received and not yet consumed
  };

  Impl(Role role, const SessionOptions& options, SessionEvents& events, base::TimePoint now);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  base::Result<void> receive(std::span<const char> bytes, base::TimePoint now);
  base::Result<void> produce(base::Buffer& out, std::size_t limit);
  bool wants_write() const { return nghttp2_session_want_write(h2_.get()) != 0; }
  bool finished() const;
  base::TimePoint deadline() const {
    return failed() ? base::kNever : std::min({liveness_.deadline(), open_until_, look_at_});
  }
  base::Result<void> on_time(base::TimePoint now);
  void suspect(base::TimePoint now);
  void ask(base::TimePoint now);
  bool is_suspect() const { return liveness_.is_suspect(); }
  Stream* open(const Opening& opening, StreamHandler& handler);
  void send_control(const ControlMessage& message);
  std::size_t control_waiting() const { return control_.waiting(); }
  void shutdown();
  void abandon();
  const SessionStats& stats() const { return stats_; }

 private:
  struct Callbacks;  // the functions that nghttp2 calls; session_nghttp2.cc
  struct Free {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  // session.cc
  bool failed() const { return !error_.empty(); }
  void fail(std::string reason);  ///< the first reason stays
  void poke();                    ///< asks the owner for produce()
  void ping();
  void end_if_idle();
  bool takes_streams();

  // session_streams.cc
  LinkStream& adopt(std::int32_t id, StreamHandler* handler);
  void adopt_control(std::int32_t id);
  LinkStream* find(std::int32_t id);
  void give_back(LinkStream& stream);
  void close(LinkStream& stream, Closed why);
  void drop(LinkStream& stream, std::uint32_t code);
  void abort(LinkStream& stream, std::uint32_t code);
  void refuse(std::int32_t id, int status, std::string_view reason);
  bool at_stream_limit();
  void open_control();

  // session_buffers.cc
  void received(LinkStream& stream, std::size_t size);
  void delivered(LinkStream& stream, std::uint64_t size);
  void give_credit(std::size_t size);
  void give_withheld();
  void fit_window(LinkStream& stream);
  void resize_window(LinkStream& stream, std::int64_t change);
  void look_soon(base::Duration after);
  void look();

  // session_nghttp2.cc
  static const nghttp2_data_provider& data_provider();
  void create(const SessionOptions& options);

  // session_frames.cc
  int on_field(std::string_view name, std::string_view value);
  void on_frame(const nghttp2_frame& frame);
  void on_request(std::int32_t id);
  void on_connect(std::int32_t id);
  void on_response(std::int32_t id);
  void on_data(std::int32_t id, std::span<const char> bytes);
  void on_end(std::int32_t id);
  void on_stream_close(std::int32_t id, std::uint32_t code);
  void on_settings();
  void on_settings_ack();
  void look_whether_open();
  void on_goaway(const nghttp2_goaway& goaway);
  void on_ping_ack(const std::uint8_t* opaque);
  void on_sent(const nghttp2_frame& frame);
  ssize_t read(std::int32_t id, std::size_t length, std::uint32_t& flags);
  int write(std::int32_t id, const std::uint8_t* frame_head, std::size_t length);

  // ControlStream::Owner
  void on_control_answer(int status, std::string_view reason) override;
  void on_control_message(const ControlMessage& message) override;
  void on_control_failed(std::string reason) override;

  const Role role_;
  const SessionOptions options_;
  SessionEvents& events_;
  H2Memory memory_;
  std::unique_ptr<nghttp2_session, Free> h2_;
  base::TimePoint now_;
  Liveness liveness_;
  OverheadBudget overhead_;
  std::int64_t payload_ = 0;    // of the bytes being received, what some stream's user got
  base::TimePoint open_until_;  // the peer must have done its part of the opening by then; kNever: it has
  ControlStream control_{*this};
  SessionStats stats_;
  std::string error_;         // once set, final
  std::string last_invalid_;  // what nghttp2 found wrong last, for the error's text

  std::deque<LinkStream> streams_;  // stable addresses; also those in free_
  LinkStream* free_ = nullptr;
  BufferBudget budget_;
  BufferAccount account_{budget_};
  std::uint64_t withheld_ = 0;              // bytes of the connection's credit that are not given back yet
  base::TimePoint look_at_ = base::kNever;  // for idle windows and withheld credit
  ReceivedHead head_;

  base::Buffer* out_ = nullptr;  // during produce()
  std::size_t out_limit_ = 0;
  bool in_call_ = false;  // nghttp2 must not be entered again
  bool poked_ = false;
  bool peer_settings_ = false;
  bool settings_acknowledged_ = false;
  bool ready_ = false;    // gateway: the control stream stands
  bool leaving_ = false;  // either side said "leaving": no new streams from here
  bool shutting_down_ = false;
  bool goaway_submitted_ = false;
  bool goaway_sent_ = false;
  bool goaway_received_ = false;
  std::uint64_t ping_number_ = 0;
  base::TimePoint ping_sent_{};
  bool ping_open_ = false;      // no answer to the last PING yet
  unsigned continuations_ = 0;  // frames of the header block that is being received
};

}  // namespace adit::link
