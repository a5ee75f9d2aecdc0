// The life of streams: opened, answered, closed, and their windows.

#include <algorithm>
#include <array>
#include <utility>

#include "link/instance_key.h"
#include "link/session_impl.h"

namespace adit::link {
namespace {

constexpr std::size_t kMostReason = 200;

nghttp2_nv field(std::string_view name, std::string_view value, std::uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
  // nghttp2 copies both and does not write to them.
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), flags};
}

/// `reason` as a field value: printable ASCII, short.
class ReasonText {
 public:
  explicit ReasonText(std::string_view reason) {
    for (const char c : reason.substr(0, text_.size())) text_[size_++] = c >= 0x20 && c < 0x7f ? c : '?';
  }
  std::string_view view() const {
    const std::string_view text(text_.data(), size_);
    const auto first = text.find_first_not_of(' ');
    return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(' ') - first + 1);
  }

 private:
  std::array<char, kMostReason> text_;
  std::size_t size_ = 0;
};

/// A status of three digits as text.
std::array<char, 3> digits(int status) {
  if (status < 200 || status > 599) status = 502;
  return {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
          static_cast<char>('0' + status % 10)};
}

void submit_answer(nghttp2_session* h2, std::int32_t id, int status, std::string_view reason,
                   const nghttp2_data_provider* data) {
  const auto text = digits(status);
  const ReasonText why(reason);
  const std::array fields{field(":status", std::string_view(text.data(), text.size())),
                          field("adit-reason", why.view())};
  nghttp2_submit_response(h2, id, fields.data(), why.view().empty() ? 1 : 2, data);
}

}  // namespace

Session::Impl::LinkStream& Session::Impl::adopt(std::int32_t id, StreamHandler* handler) {
  LinkStream& stream = free_ != nullptr ? *free_ : streams_.emplace_back();
  free_ = stream.next_free_;
  stream = LinkStream();
  stream.session_ = this;
  stream.handler_ = handler;
  stream.id_ = id;
  stream.window_ = Window(options_.first_window, now_);
  ++stats_.streams_open;
  nghttp2_session_set_stream_user_data(h2_.get(), id, &stream);
  return stream;
}

void Session::Impl::adopt_control(std::int32_t id) {
  LinkStream& stream = adopt(id, &control_);
  stream.control_ = true;
  --stats_.streams_open;
  stream.answer(200, {});
  control_.attach(stream);
  look_whether_open();
}

/// nghttp2 may keep the pointer of a stream that was reset before it was sent: the id tells.
Session::Impl::LinkStream* Session::Impl::find(std::int32_t id) {
  auto* stream = static_cast<LinkStream*>(nghttp2_session_get_stream_user_data(h2_.get(), id));
  return stream != nullptr && stream->id_ == id ? stream : nullptr;
}

void Session::Impl::give_back(LinkStream& stream) {
  budget_.give_back(stream.window_.grown());
  stats_.window_bytes = budget_.granted();
  delivered(stream, stream.held_);  // to nobody
  stream.next_free_ = std::exchange(free_, &stream);
}

void Session::Impl::close(LinkStream& stream, Closed why) {
  stream.id_ = 0;
  if (!stream.control_) --stats_.streams_open;
  if (auto* handler = std::exchange(stream.handler_, nullptr)) handler->on_closed(why);
  give_back(stream);
}

/// Ends a stream whose handler shall hear nothing more.
void Session::Impl::drop(LinkStream& stream, std::uint32_t code) {
  const std::int32_t id = std::exchange(stream.id_, 0);
  stream.handler_ = nullptr;
  overhead_.earn(stream.window_.size());  // DATA that is on its way is no fault of the peer
  if (!stream.control_) --stats_.streams_open;
  give_back(stream);
  if (failed()) return;
  nghttp2_session_set_stream_user_data(h2_.get(), id, nullptr);
  nghttp2_submit_rst_stream(h2_.get(), NGHTTP2_FLAG_NONE, id, code);
  end_if_idle();
  poke();
}

/// Ends a stream because of what the peer did.
void Session::Impl::abort(LinkStream& stream, std::uint32_t code) {
  overhead_.earn(stream.window_.size());
  nghttp2_session_set_stream_user_data(h2_.get(), stream.id_, nullptr);
  nghttp2_submit_rst_stream(h2_.get(), NGHTTP2_FLAG_NONE, stream.id_, code);
  close(stream, Closed::reset);
  end_if_idle();
}

void Session::Impl::refuse(std::int32_t id, int status, std::string_view reason) {
  submit_answer(h2_.get(), id, status, reason, nullptr);
}

bool Session::Impl::takes_streams() { return ready_ && !leaving_ && !failed() && !goaway_received_; }

/// True when no stream can be opened now; retires the link when none ever can.
bool Session::Impl::at_stream_limit() {
  if (nghttp2_session_get_next_stream_id(h2_.get()) > options_.last_stream_id) {
    send_control(Leaving{"the link's stream ids are used up"});
    shutdown();
    return true;
  }
  // The control stream counts too.
  return stats_.streams_open + 1 >=
         nghttp2_session_get_remote_settings(h2_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

Stream* Session::Impl::open(const Opening& opening, StreamHandler& handler) {
  if (role_ != Role::gateway || !takes_streams() || at_stream_limit()) return nullptr;
  if (opening.service.empty() || opening.service.size() > kMostService) return nullptr;
  const InstanceText instance(opening.instance);
  // Indexing what differs from stream to stream would only push useful entries out of the peer's table (RFC 7541 §7.1).
  const std::array fields{field(":method", "CONNECT"),
                          field(":authority", opening.service),
                          field("adit-visitor", opening.visitor, NGHTTP2_NV_FLAG_NO_INDEX),
                          field("adit-request-id", opening.request_id, NGHTTP2_NV_FLAG_NO_INDEX),
                          field("adit-tunnel", opening.tunnel),
                          field("adit-instance", instance.view())};
  const std::size_t count = options_.peer ? fields.size() - (opening.instance == 0 ? 1 : 0) : fields.size() - 2;
  const auto id = nghttp2_submit_request(h2_.get(), nullptr, fields.data(), count, &data_provider(), nullptr);
  if (id < 0) return nullptr;
  LinkStream& stream = adopt(id, &handler);
  ++stats_.streams_opened;
  overhead_.earn(OverheadBudget::kPerStream);
  poke();
  return &stream;
}

void Session::Impl::open_control() {
  const std::array fields{field(":method", "CONNECT"), field(":protocol", "adit-control"), field(":scheme", "https"),
                          field(":authority", "control"), field(":path", "/")};
  const auto id = nghttp2_submit_request(h2_.get(), nullptr, fields.data(), fields.size(), &data_provider(), nullptr);
  if (id < 0) return fail("the control stream can't be opened");
  adopt_control(id);
}

void Session::Impl::LinkStream::answer(int status, std::string_view reason) {
  if (id_ == 0 || answered_ || session_->role_ != Role::connector || session_->failed()) return;
  answered_ = true;
  open_ = status == 200;
  submit_answer(session_->h2_.get(), id_, status, reason, open_ ? &session_->data_provider() : nullptr);
  session_->poke();
}

void Session::Impl::LinkStream::resume() {
  if (id_ == 0 || !deferred_ || session_->failed()) return;
  if (session_->role_ == Role::gateway && !answered_) return;  // on_response resumes
  deferred_ = false;
  nghttp2_session_resume_data(session_->h2_.get(), id_);
  session_->poke();
}

void Session::Impl::LinkStream::finish() {
  if (id_ == 0) return;
  finish_asked_ = true;
  resume();
}

void Session::Impl::LinkStream::consume(std::size_t size) {
  if (id_ == 0 || session_->failed()) return;
  window_.on_consumed(size);
  session_->delivered(*this, size);
  nghttp2_session_consume_stream(session_->h2_.get(), id_, size);
  session_->poke();
}

void Session::Impl::LinkStream::reset() {
  if (id_ != 0) session_->drop(*this, NGHTTP2_CANCEL);
}

void Session::Impl::LinkStream::refuse() {
  if (id_ != 0) session_->drop(*this, answered_ ? NGHTTP2_CANCEL : NGHTTP2_REFUSED_STREAM);
}

}  // namespace adit::link
