#include "link/session.h"

#include <algorithm>
#include <utility>

#include "link/session_impl.h"

namespace adit::link {
namespace {

/// Frames that wait because the peer provokes answers without reading them; more ends the link.
constexpr std::size_t kMostQueued = 10'000;

}  // namespace

Session::Impl::Impl(Role role, const SessionOptions& options, SessionEvents& events, base::TimePoint now)
    : role_(role),
      options_(options),
      events_(events),
      now_(now),
      liveness_({options.ping_after, options.suspect_after, options.dead_after}, now),
      overhead_(now),
      open_until_(now + options.open_within),
      budget_(options.most_buffered, options.budget) {
  stats_.last_received = now;
  create(options);
}

void Session::Impl::abandon() {
  // First: handlers that call back in find the session closed, and nothing is asked of the owner any more.
  fail("the connection is lost");
  poked_ = true;
  for (LinkStream& stream : streams_) {
    if (stream.id_ != 0) close(stream, Closed::link_lost);
  }
}

void Session::Impl::fail(std::string reason) {
  if (error_.empty()) error_ = std::move(reason);
}

void Session::Impl::poke() {
  if (in_call_ || poked_) return;
  if (!failed() && !wants_write()) return;  // a failure is told by produce()
  poked_ = true;
  events_.on_wants_write();
}

base::Result<void> Session::Impl::receive(std::span<const char> bytes, base::TimePoint now) {
  if (failed()) return base::Error{error_};
  if (bytes.empty()) return {};
  now_ = now;
  stats_.bytes_in += bytes.size();
  stats_.last_received = now;
  if (liveness_.on_received(now)) events_.on_suspect(false);

  in_call_ = true;
  payload_ = 0;
  const auto taken =
      nghttp2_session_mem_recv(h2_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  in_call_ = false;
  if (taken < 0) fail(std::string("the peer broke HTTP/2: ") + nghttp2_strerror(static_cast<int>(taken)));
  if (nghttp2_session_get_outbound_queue_size(h2_.get()) > kMostQueued + 2 * stats_.streams_open) {
    fail("the peer makes us answer faster than it reads");
  }
  if (!overhead_.spend(static_cast<std::int64_t>(bytes.size()) - payload_, now)) {
    fail("the peer floods the link with frames that carry nothing");
  }
  if (failed()) {
    nghttp2_session_terminate_session(h2_.get(), NGHTTP2_PROTOCOL_ERROR);
    return base::Error{error_};
  }
  end_if_idle();
  poke();
  return {};
}

base::Result<void> Session::Impl::produce(base::Buffer& out, std::size_t limit) {
  if (in_call_) return {};
  in_call_ = true;
  out_ = &out;
  out_limit_ = limit;
  const std::size_t before = out.size();
  while (out.size() < limit) {
    const std::size_t held = out.size();
    const std::uint8_t* frame = nullptr;
    const auto size = nghttp2_session_mem_send(h2_.get(), &frame);
    if (size < 0) fail(std::string("frames can't be made: ") + nghttp2_strerror(static_cast<int>(size)));
    // 0 with bytes written means that write() paused at the limit.
    if (size < 0 || (size == 0 && out.size() == held)) break;
    out.append(std::span(reinterpret_cast<const char*>(frame), static_cast<std::size_t>(size)));
  }
  stats_.bytes_out += out.size() - before;
  out_ = nullptr;
  in_call_ = false;
  poked_ = false;
  if (failed()) return base::Error{error_};
  end_if_idle();
  return {};
}

bool Session::Impl::finished() const { return goaway_sent_ && goaway_received_ && stats_.streams_open == 0; }

base::Result<void> Session::Impl::on_time(base::TimePoint now) {
  if (failed()) return base::Error{error_};
  now_ = now;
  if (now >= open_until_) {
    fail(!peer_settings_           ? "the peer sent no SETTINGS in time"
         : !settings_acknowledged_ ? "the peer did not acknowledge our SETTINGS in time"
                                   : "the control stream was not opened in time");
    return base::Error{error_};
  }
  if (now >= look_at_) look();
  switch (liveness_.on_time(now)) {
    case Liveness::Action::none:
      break;
    case Liveness::Action::ping:
      ping();
      break;
    case Liveness::Action::suspect:
      events_.on_suspect(true);
      break;
    case Liveness::Action::dead:
      fail("the peer is silent");
      return base::Error{error_};
  }
  poke();
  return {};
}

void Session::Impl::suspect(base::TimePoint now) {
  if (failed() || !liveness_.suspect(now)) return;
  now_ = now;
  ping();
  events_.on_suspect(true);
  poke();
}

void Session::Impl::ask(base::TimePoint now) {
  if (failed() || !liveness_.ask(now)) return;
  now_ = now;
  ping();
  poke();
}

void Session::Impl::ping() {
  ++ping_number_;
  std::uint8_t opaque[8];
  for (unsigned i = 0; i < 8; ++i) opaque[i] = static_cast<std::uint8_t>(ping_number_ >> (56U - 8U * i));
  if (nghttp2_submit_ping(h2_.get(), NGHTTP2_FLAG_NONE, opaque) != 0) return;
  ping_sent_ = now_;
  ping_open_ = true;
}

void Session::Impl::send_control(const ControlMessage& message) {
  if (failed()) return;
  // A gateway that leaves still serves the visitors it has, until shutdown().
  if (std::holds_alternative<Leaving>(message) && role_ == Role::connector) leaving_ = true;
  control_.send(message);
  poke();
}

void Session::Impl::shutdown() {
  if (failed()) return;
  leaving_ = true;
  shutting_down_ = true;
  end_if_idle();
  poke();
}

/// GOAWAY on a link that carries streams would only confuse: it is sent when the last one is gone.
void Session::Impl::end_if_idle() {
  if (!shutting_down_ || goaway_submitted_ || stats_.streams_open != 0 || failed()) return;
  goaway_submitted_ = true;
  nghttp2_submit_goaway(h2_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(h2_.get()),
                        NGHTTP2_NO_ERROR, nullptr, 0);
}

void Session::Impl::on_control_answer(int status, std::string_view) {
  if (status != 200) return fail("the peer refused the control stream with status " + std::to_string(status));
  ready_ = true;
  look_whether_open();
  events_.on_ready();
}

void Session::Impl::on_control_message(const ControlMessage& message) {
  if (std::holds_alternative<Leaving>(message) && role_ == Role::gateway) leaving_ = true;
  events_.on_control(message);
}

void Session::Impl::on_control_failed(std::string reason) {
  // Once both sides said GOAWAY the peer may close what is left in any order.
  if (!goaway_received_) fail(std::move(reason));
}

Session::Session(Role role, const SessionOptions& options, SessionEvents& events, base::TimePoint now)
    : impl_(std::make_unique<Impl>(role, options, events, now)) {}
// Not left to ~Impl: handlers may still call the session when they hear of its end.
Session::~Session() { impl_->abandon(); }

base::Result<void> Session::receive(std::span<const char> bytes, base::TimePoint now) {
  return impl_->receive(bytes, now);
}
base::Result<void> Session::produce(base::Buffer& out, std::size_t limit) { return impl_->produce(out, limit); }
bool Session::wants_write() const { return impl_->wants_write(); }
bool Session::finished() const { return impl_->finished(); }
base::TimePoint Session::deadline() const { return impl_->deadline(); }
base::Result<void> Session::on_time(base::TimePoint now) { return impl_->on_time(now); }
void Session::suspect(base::TimePoint now) { impl_->suspect(now); }
void Session::ask(base::TimePoint now) { impl_->ask(now); }
bool Session::is_suspect() const { return impl_->is_suspect(); }
Stream* Session::open(const Opening& opening, StreamHandler& handler) { return impl_->open(opening, handler); }
void Session::send_control(const ControlMessage& message) { impl_->send_control(message); }
std::size_t Session::control_waiting() const { return impl_->control_waiting(); }
void Session::shutdown() { impl_->shutdown(); }
void Session::abandon() { impl_->abandon(); }
const SessionStats& Session::stats() const { return impl_->stats(); }

}  // namespace adit::link
