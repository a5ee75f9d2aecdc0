// What frames mean: nghttp2 reports them here, events of streams and of the session come out.

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "link/instance_key.h"
#include "link/session_impl.h"

namespace adit::link {
namespace {

/// A link on which bytes flow is never silent, so its round trip is measured anew this often.
constexpr base::Duration kMeasureEvery = std::chrono::seconds(1);
constexpr std::size_t kMostDebugText = 200;
constexpr std::size_t kFrameHead = 9;
constexpr std::size_t kBulk = 16 * 1024;       // of a DATA frame
constexpr std::size_t kLeastFrame = 4 * 1024;  // of a DATA frame that is shorter than what there is to send

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

/// Debug data of the peer's GOAWAY, fit for a log.
std::string printable(std::string_view bytes) {
  std::string text(bytes.substr(0, kMostDebugText));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return text;
}

}  // namespace

void ReceivedHead::clear() {
  for (auto* text : {&method, &authority, &protocol, &visitor, &request_id, &tunnel, &reason}) text->clear();
  instance = 0;
  status = 0;
  size = 0;
}

int Session::Impl::on_field(std::string_view name, std::string_view value) {
  head_.size += name.size() + value.size() + 32;
  if (head_.size > kMostHead)
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // resets the stream; the rest is not reported
  if (name == ":status") head_.status = static_cast<int>(base::parse_decimal(value).value_or(0));
  if (name == ":method") head_.method = value;
  if (name == ":authority") head_.authority = value;
  if (name == ":protocol") head_.protocol = value;
  if (name == "adit-visitor") head_.visitor = value;
  if (name == "adit-request-id") head_.request_id = value;
  if (name == "adit-tunnel" && options_.peer) head_.tunnel = value;
  if (name == "adit-instance" && options_.peer) head_.instance = parse_instance_key(value).value_or(0);
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
      (frame.hd.flags & NGHTTP2_FLAG_ACK) == 0 ? on_settings() : on_settings_ack();
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
  overhead_.earn(OverheadBudget::kPerStream);
  auto* handler =
      events_.on_open(stream, {head_.authority, head_.visitor, head_.request_id, head_.tunnel, head_.instance});
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
  give_credit(bytes.size());
  LinkStream* stream = find(id);
  if (stream == nullptr) return;
  if (!stream->open_) {
    // A gateway holds its bytes back until the answer: only so can it send the request elsewhere. A refusal's body is
    // of no use.
    if (role_ == Role::connector && !stream->answered_) abort(*stream, NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  if (!stream->control_ || options_.peer) {
    payload_ += static_cast<std::int64_t>(bytes.size());
    overhead_.earn(OverheadBudget::kPerDataReceived);
  }
  if (!ping_open_ && now_ - ping_sent_ >= kMeasureEvery) ping();
  fit_window(*stream);
  received(*stream, bytes.size());
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

void Session::Impl::on_settings_ack() {
  settings_acknowledged_ = true;
  look_whether_open();
}

/// Liveness is no proof that a peer means to serve: one that sends a byte now and then could hold a link for ever.
void Session::Impl::look_whether_open() {
  const bool control_stands = role_ == Role::gateway ? ready_ : control_.attached();
  if (peer_settings_ && settings_acknowledged_ && control_stands) open_until_ = base::kNever;
}

void Session::Impl::on_ping_ack(const std::uint8_t* opaque) {
  std::uint64_t number = 0;
  for (unsigned i = 0; i < 8; ++i) number = number << 8U | opaque[i];
  if (!ping_open_ || number != ping_number_) return;
  ping_open_ = false;
  stats_.round_trip = std::max(now_ - ping_sent_, base::Duration(1));
  stats_.last_ping = now_;
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
  if (frame.hd.type == NGHTTP2_DATA) return overhead_.earn(OverheadBudget::kPerDataSent);
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
    // No frame is larger than what is left of the batch, but for tiny ones.
    const std::size_t room = std::max(out_limit_ - std::min(out_limit_, out_->size() + kFrameHead), kLeastFrame);
    return static_cast<ssize_t>(std::min({length, bytes.size(), room}));
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
  LinkStream* stream = find(id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const auto bytes = stream->handler_->to_send().first(length);
  // Bulk fills the batch: it gets room for all of it at once, so that the block is not grown, and copied, on the way.
  const std::size_t batch = length >= kBulk ? out_limit_ - std::min(out_limit_, out_->size()) : 0;
  const auto room = out_->reserve(kFrameHead + length + batch);
  std::memcpy(room.data(), frame_head, kFrameHead);
  std::memcpy(room.data() + kFrameHead, bytes.data(), length);
  out_->commit(kFrameHead + length);
  stream->handler_->on_sent(length);
  return out_->size() >= out_limit_ ? NGHTTP2_ERR_PAUSE : 0;
}

}  // namespace adit::link
