// What nghttp2 reports and asks, translated into events of streams and of the session.

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "link/session_impl.h"

namespace adit::link {
namespace {

constexpr std::uint32_t kFrame = 64 * 1024;       // SETTINGS_MAX_FRAME_SIZE
constexpr std::size_t kMostHead = 16 * 1024;      // SETTINGS_MAX_HEADER_LIST_SIZE
constexpr std::size_t kHopelessHead = 64 * 1024;  // beyond this the peer means harm
constexpr unsigned kMostContinuations = 8;
constexpr std::size_t kMostService = 253;
constexpr std::size_t kMostDebugText = 200;
// A visitor that goes away becomes a RST_STREAM, so the limit against rapid resets stands far above what visitors do.
constexpr std::uint64_t kResetBurst = 100'000;
constexpr std::uint64_t kResetsPerSecond = 20'000;

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string_view frame_name(std::uint8_t type) {
  constexpr std::array names{"DATA",         "HEADERS", "PRIORITY", "RST_STREAM",    "SETTINGS",
                             "PUSH_PROMISE", "PING",    "GOAWAY",   "WINDOW_UPDATE", "CONTINUATION"};
  return type < names.size() ? names[type] : "unknown";
}

/// Debug data of the peer's GOAWAY, fit for a log.
std::string printable(std::string_view bytes) {
  std::string text(bytes.substr(0, kMostDebugText));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return text;
}

struct FreeOption {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
struct FreeCallbacks {
  void operator()(nghttp2_session_callbacks* callbacks) const { nghttp2_session_callbacks_del(callbacks); }
};
using Option = std::unique_ptr<nghttp2_option, FreeOption>;
using CallbackSet = std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks>;

Option make_option() {
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_stream_reset_rate_limit(option, kResetBurst, kResetsPerSecond);
  return Option(option);
}

}  // namespace

void ReceivedHead::clear() {
  for (auto* text : {&method, &authority, &protocol, &visitor, &request_id, &reason}) text->clear();
  status = 0;
  size = 0;
}

/// The functions of nghttp2's C interface. Each forwards to the session that `user` is.
struct Session::Impl::Callbacks {
  static Impl& self(void* user) { return *static_cast<Impl*>(user); }
  /// A failure that the session has noted must end nghttp2's loop too.
  static int verdict(const Impl& impl) { return impl.failed() ? NGHTTP2_ERR_CALLBACK_FAILURE : 0; }

  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    auto& impl = self(user);
    impl.continuations_ = head->type == NGHTTP2_CONTINUATION ? impl.continuations_ + 1 : 0;
    if (impl.continuations_ > kMostContinuations)
      impl.fail("the peer sent a header block in too many CONTINUATION frames");
    return verdict(impl);
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame*, void* user) {
    self(user).head_.clear();
    return 0;
  }

  static int header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
                    const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
    return self(user).on_field(text_of(name, name_size), text_of(value, value_size));
  }

  static int frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& impl = self(user);
    impl.on_frame(*frame);
    return verdict(impl);
  }

  static int data_chunk(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                        void* user) {
    auto& impl = self(user);
    impl.on_data(id, {reinterpret_cast<const char*>(data), size});
    return verdict(impl);
  }

  static int stream_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
    auto& impl = self(user);
    impl.on_stream_close(id, code);
    return verdict(impl);
  }

  static int invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error, void* user) {
    self(user).last_invalid_ =
        std::string(nghttp2_strerror(error)) + " in a " + std::string(frame_name(frame->hd.type)) + " frame";
    return 0;
  }

  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    self(user).on_sent(*frame);
    return 0;
  }

  static ssize_t read(nghttp2_session*, std::int32_t id, std::uint8_t*, std::size_t length, std::uint32_t* flags,
                      nghttp2_data_source*, void* user) {
    return self(user).read(id, length, *flags);
  }

  static int send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* frame_head, std::size_t length,
                       nghttp2_data_source*, void* user) {
    return self(user).write(frame->hd.stream_id, frame_head, length);
  }

  static ssize_t read_length(nghttp2_session*, std::uint8_t, std::int32_t, std::int32_t, std::int32_t,
                             std::uint32_t most, void*) {
    return static_cast<ssize_t>(std::min(most, kFrame));
  }

  static CallbackSet make() {
    nghttp2_session_callbacks* set = nullptr;
    nghttp2_session_callbacks_new(&set);
    nghttp2_session_callbacks_set_on_begin_frame_callback(set, begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(set, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(set, header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(set, frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(set, data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(set, stream_close);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(set, invalid_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(set, frame_sent);
    nghttp2_session_callbacks_set_send_data_callback(set, send_data);
    nghttp2_session_callbacks_set_data_source_read_length_callback(set, read_length);
    return CallbackSet(set);
  }
};

const nghttp2_data_provider& Session::Impl::data_provider() {
  static const nghttp2_data_provider provider{{}, &Callbacks::read};
  return provider;
}

void Session::Impl::create(const SessionOptions& options) {
  const auto callbacks = Callbacks::make();
  const auto option = make_option();
  nghttp2_session* session = nullptr;
  const auto make = role_ == Role::gateway ? nghttp2_session_client_new2 : nghttp2_session_server_new2;
  make(&session, callbacks.get(), this, option.get());
  h2_.reset(session);

  const bool gateway = role_ == Role::gateway;
  const std::array<nghttp2_settings_entry, 5> settings{{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.first_window},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kFrame},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMostHead},
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, gateway ? 0 : options.most_streams},
      gateway ? nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}
              : nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
  }};
  nghttp2_submit_settings(h2_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(h2_.get(), NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(options.link_window));
}

int Session::Impl::on_field(std::string_view name, std::string_view value) {
  head_.size += name.size() + value.size() + 32;
  if (head_.size > kHopelessHead) {
    fail("the peer sent a header block of more than 65536 bytes");
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  if (head_.size > kMostHead) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // resets the stream
  if (name == ":status") head_.status = static_cast<int>(base::parse_decimal(value).value_or(0));
  if (name == ":method") head_.method = value;
  if (name == ":authority") head_.authority = value;
  if (name == ":protocol") head_.protocol = value;
  if (name == "adit-visitor") head_.visitor = value;
  if (name == "adit-request-id") head_.request_id = value;
  if (name == "adit-reason") head_.reason = value;
  return 0;
}

void Session::Impl::on_frame(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      if (role_ == Role::connector && frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
        on_request(frame.hd.stream_id);
      } else if (role_ == Role::gateway) {
        on_response(frame.hd.stream_id);
      }
      break;
    case NGHTTP2_SETTINGS:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) on_settings();
      return;
    case NGHTTP2_PING:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) on_ping_ack(frame.ping.opaque_data);
      return;
    case NGHTTP2_GOAWAY:
      return on_goaway(frame.goaway);
    default:
      break;
  }
  const bool may_end = frame.hd.type == NGHTTP2_HEADERS || frame.hd.type == NGHTTP2_DATA;
  if (may_end && (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) on_end(frame.hd.stream_id);
}

void Session::Impl::on_request(std::int32_t id) {
  if (head_.method != "CONNECT") return refuse(id, 405, "only CONNECT is served here");
  if (head_.protocol.empty()) return on_connect(id);
  if (head_.protocol != "adit-control") return refuse(id, 501, "unknown :protocol");
  if (control_.attached()) return refuse(id, 400, "the control stream stands already");
  adopt_control(id);
}

void Session::Impl::on_connect(std::int32_t id) {
  if (shutting_down_) {
    nghttp2_submit_rst_stream(h2_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    return;
  }
  if (head_.authority.size() > kMostService) return refuse(id, 400, "the service's name is too long");
  LinkStream& stream = adopt(id, nullptr);
  ++stats_.streams_opened;
  auto* handler = events_.on_open(stream, {head_.authority, head_.visitor, head_.request_id});
  if (stream.id_ != id) return;  // reset at once
  stream.handler_ = handler;
  if (handler == nullptr) drop(stream, NGHTTP2_REFUSED_STREAM);
}

void Session::Impl::on_response(std::int32_t id) {
  LinkStream* stream = find(id);
  if (stream == nullptr || stream->answered_ || head_.status < 200) return;  // trailers and 1xx mean nothing here
  stream->answered_ = true;
  stream->open_ = head_.status < 300;
  // What waits may go now; after a refusal only the end of our half.
  if (stream->deferred_) {
    stream->deferred_ = false;
    nghttp2_session_resume_data(h2_.get(), id);
  }
  stream->handler_->on_answer(head_.status, head_.reason);
}

void Session::Impl::on_data(std::int32_t id, std::span<const char> bytes) {
  nghttp2_session_consume_connection(h2_.get(), bytes.size());
  LinkStream* stream = find(id);
  if (stream == nullptr) return;
  if (!stream->open_) {
    // A gateway holds its bytes back until the answer: only so can it send the request elsewhere. A refusal's body is
    // of no use.
    if (role_ == Role::connector && !stream->answered_) abort(*stream, NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  grow_window(*stream);
  stream->handler_->on_data(bytes);
}

void Session::Impl::on_end(std::int32_t id) {
  LinkStream* stream = find(id);
  if (stream == nullptr) return;
  stream->remote_ended_ = true;
  if (stream->open_ || role_ == Role::connector) stream->handler_->on_end();
}

void Session::Impl::on_stream_close(std::int32_t id, std::uint32_t code) {
  LinkStream* stream = find(id);
  if (stream == nullptr) return;
  const bool was_refused_by_answer = stream->answered_ && !stream->open_;
  Closed why = Closed::reset;
  if (code == NGHTTP2_REFUSED_STREAM && !stream->answered_) {
    why = Closed::refused;
  } else if (code == NGHTTP2_NO_ERROR && (was_refused_by_answer || (stream->local_ended_ && stream->remote_ended_))) {
    why = Closed::finished;
  }
  close(*stream, why);
  end_if_idle();
}

void Session::Impl::on_settings() {
  if (std::exchange(peer_settings_, true)) return;
  ping();
  if (role_ == Role::connector) return;
  if (nghttp2_session_get_remote_settings(h2_.get(), NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) != 1) {
    return fail("the connector's SETTINGS lack ENABLE_CONNECT_PROTOCOL (RFC 8441)");
  }
  open_control();
}

void Session::Impl::on_ping_ack(const std::uint8_t* opaque) {
  std::uint64_t number = 0;
  for (unsigned i = 0; i < 8; ++i) number = number << 8U | opaque[i];
  if (!ping_open_ || number != ping_number_) return;
  ping_open_ = false;
  stats_.round_trip = std::max(now_ - ping_sent_, base::Duration(1));
}

void Session::Impl::on_goaway(const nghttp2_goaway& goaway) {
  if (goaway.error_code != NGHTTP2_NO_ERROR) {
    const auto text = printable(text_of(goaway.opaque_data, goaway.opaque_data_len));
    return fail(std::string("the peer ended the link: ") + nghttp2_http2_strerror(goaway.error_code) +
                (text.empty() ? "" : " (" + text + ")"));
  }
  goaway_received_ = true;
  leaving_ = shutting_down_ = true;
  end_if_idle();
}

void Session::Impl::on_sent(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_GOAWAY) {
    goaway_sent_ = true;
    if (frame.goaway.error_code == NGHTTP2_NO_ERROR) return;
    const auto text = printable(text_of(frame.goaway.opaque_data, frame.goaway.opaque_data_len));
    return fail("the peer broke HTTP/2: " + (!text.empty() ? text
                                             : !last_invalid_.empty()
                                                 ? last_invalid_
                                                 : std::string(nghttp2_http2_strerror(frame.goaway.error_code))));
  }
  // A refusal is the whole answer: the stream is over whether or not the peer ends its half (RFC 9113 §8.1).
  const bool refusal =
      role_ == Role::connector && frame.hd.type == NGHTTP2_HEADERS && (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (refusal && nghttp2_session_get_stream_remote_close(h2_.get(), frame.hd.stream_id) == 0) {
    nghttp2_submit_rst_stream(h2_.get(), NGHTTP2_FLAG_NONE, frame.hd.stream_id, NGHTTP2_NO_ERROR);
  }
}

ssize_t Session::Impl::read(std::int32_t id, std::size_t length, std::uint32_t& flags) {
  LinkStream* stream = find(id);
  if (stream == nullptr) return NGHTTP2_ERR_DEFERRED;
  if (!stream->answered_) {
    stream->deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  const auto bytes = stream->open_ ? stream->handler_->to_send() : std::span<const char>();
  if (!bytes.empty()) {
    flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    return static_cast<ssize_t>(std::min(length, bytes.size()));
  }
  if (!stream->finish_asked_ && stream->open_) {
    stream->deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  flags |= NGHTTP2_DATA_FLAG_EOF;
  stream->local_ended_ = true;
  return 0;
}

int Session::Impl::write(std::int32_t id, const std::uint8_t* frame_head, std::size_t length) {
  constexpr std::size_t kFrameHead = 9;
  LinkStream* stream = find(id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const auto bytes = stream->handler_->to_send().first(length);
  const auto room = out_->reserve(kFrameHead + length);
  std::memcpy(room.data(), frame_head, kFrameHead);
  std::memcpy(room.data() + kFrameHead, bytes.data(), length);
  out_->commit(kFrameHead + length);
  stream->handler_->on_sent(length);
  return out_->size() >= out_limit_ ? NGHTTP2_ERR_PAUSE : 0;
}

}  // namespace adit::link
