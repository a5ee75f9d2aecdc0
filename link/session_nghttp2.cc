// How nghttp2 is set up, and the C functions that it calls.

#include <algorithm>
#include <array>
#include <string>

#include "link/session_impl.h"

namespace adit::link {
namespace {

constexpr std::uint32_t kFrame = 64 * 1024;  // SETTINGS_MAX_FRAME_SIZE
constexpr unsigned kMostContinuations = 8;
// A visitor that goes away becomes a RST_STREAM, so the limit against rapid resets stands far above what visitors do.
constexpr std::uint64_t kResetBurst = 100'000;
constexpr std::uint64_t kResetsPerSecond = 20'000;

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string_view frame_name(std::uint8_t type) {
  constexpr std::array kNames{"DATA",         "HEADERS", "PRIORITY", "RST_STREAM",    "SETTINGS",
                              "PUSH_PROMISE", "PING",    "GOAWAY",   "WINDOW_UPDATE", "CONTINUATION"};
  return type < kNames.size() ? kNames[type] : "unknown";
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
    self(user).on_stream_close(id, code);
    return 0;  // nghttp2 1.52 leaks a frame when this fails while the frame is made; the next callback will tell
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
  const auto make = role_ == Role::gateway ? nghttp2_session_client_new3 : nghttp2_session_server_new3;
  make(&session, callbacks.get(), this, option.get(), memory_.functions());
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

}  // namespace adit::link
