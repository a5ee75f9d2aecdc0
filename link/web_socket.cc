#include "link/web_socket.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <string>

#include <wslay/wslay.h>

#include "base/text.h"

namespace adit::link {
namespace {

constexpr std::uint16_t kProtocolError = 1002;
constexpr std::uint16_t kUnsupportedData = 1003;
constexpr std::uint16_t kInvalidPayload = 1007;
constexpr std::uint16_t kPolicyViolation = 1008;
constexpr std::uint16_t kNoStatus = 1005;  // never sent: the peer's Close said none

constexpr std::size_t kMostControl = 125;  // RFC 6455 §5.5
/// Answers to PINGs that wait in `out` beside everything else; a driver keeps that far below.
constexpr std::size_t kMostWaiting = std::size_t{1024} * 1024;

/// RFC 6455 §7.4: what a peer may say in a Close.
bool is_close_code(unsigned code) {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace

/// wslay reads and writes by callbacks: during a call `in_` and `out_` are what they work on.
class WebSocket::Impl {
 public:
  Impl(WebSocketEnd end, base::Random& random) : end_(end), random_(random) {
    const wslay_frame_callbacks callbacks{&Impl::take_output, &Impl::give_input, &Impl::make_mask};
    if (wslay_frame_context_init(&frames_, &callbacks, this) != 0) throw std::bad_alloc();
  }
  ~Impl() { wslay_frame_context_free(frames_); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  base::Result<void> receive(std::span<const char> bytes, base::Buffer& plain, base::Buffer& out);
  void send(base::Buffer& plain, base::Buffer& out);
  void close(std::uint16_t code, std::string_view reason, base::Buffer& out);
  bool peer_closed() const { return peer_closed_; }
  std::string_view peer_reason() const { return peer_reason_; }

 private:
  struct Fault {
    std::uint16_t code = 0;
    std::string_view what;  ///< empty: none
  };

  Fault begin_frame(const wslay_frame_iocb& frame);
  Fault take_payload(const wslay_frame_iocb& frame, base::Buffer& plain, base::Buffer& out);
  Fault end_control(unsigned opcode, base::Buffer& out);
  Fault take_close(base::Buffer& out);
  void write_frame(unsigned opcode, std::span<const char> payload, base::Buffer& out);

  static ssize_t take_output(const std::uint8_t* data, std::size_t size, int, void* self);
  static ssize_t give_input(std::uint8_t* room, std::size_t size, int, void* self);
  static int make_mask(std::uint8_t* mask, std::size_t size, void* self);

  const WebSocketEnd end_;
  base::Random& random_;
  wslay_frame_context_ptr frames_ = nullptr;
  std::span<const char> in_;
  base::Buffer* out_ = nullptr;

  std::uint64_t frame_left_ = 0;  ///< of the frame that has begun
  bool in_frame_ = false;
  bool in_message_ = false;  ///< more fragments of a message are to come
  std::array<char, kMostControl> control_;
  std::size_t control_size_ = 0;
  bool closed_ = false;  ///< we have sent a Close
  bool peer_closed_ = false;
  std::string error_;  ///< final
  std::string peer_reason_;
};

base::Result<void> WebSocket::Impl::receive(std::span<const char> bytes, base::Buffer& plain, base::Buffer& out) {
  if (!error_.empty()) return base::Error{error_};
  in_ = bytes;
  while (!peer_closed_) {
    wslay_frame_iocb frame{};
    const auto size = wslay_frame_recv(frames_, &frame);
    if (size == WSLAY_ERR_WANT_READ) return {};
    Fault fault;
    if (size < 0) fault = {kProtocolError, "a frame's length or a control frame is malformed"};
    if (fault.what.empty() && !in_frame_) fault = begin_frame(frame);
    if (fault.what.empty()) fault = take_payload(frame, plain, out);
    if (fault.what.empty()) continue;
    error_ = "the peer broke WebSocket: " + std::string(fault.what);
    close(fault.code, fault.what, out);
    return base::Error{error_};
  }
  return {};
}

/// RFC 6455 §5.2, §5.4; nobody has negotiated an extension.
WebSocket::Impl::Fault WebSocket::Impl::begin_frame(const wslay_frame_iocb& frame) {
  if (frame.rsv != 0) return {kProtocolError, "a reserved bit is set"};
  if ((frame.mask != 0) != (end_ == WebSocketEnd::server)) {
    return {kProtocolError, frame.mask != 0 ? "a server's frame is masked" : "a client's frame is not masked"};
  }
  switch (frame.opcode) {
    case WSLAY_TEXT_FRAME:
      return {kUnsupportedData, "a text message"};
    case WSLAY_BINARY_FRAME:
      if (in_message_) return {kProtocolError, "a message begins within another"};
      in_message_ = frame.fin == 0;
      break;
    case WSLAY_CONTINUATION_FRAME:
      if (!in_message_) return {kProtocolError, "a continuation without a message"};
      in_message_ = frame.fin == 0;
      break;
    case WSLAY_CONNECTION_CLOSE:
    case WSLAY_PING:
    case WSLAY_PONG:
      break;
    default:
      return {kProtocolError, "an unknown opcode"};
  }
  in_frame_ = true;
  frame_left_ = frame.payload_length;
  control_size_ = 0;
  return {};
}

WebSocket::Impl::Fault WebSocket::Impl::take_payload(const wslay_frame_iocb& frame, base::Buffer& plain,
                                                     base::Buffer& out) {
  const std::span payload(reinterpret_cast<const char*>(frame.data), frame.data_length);
  const bool control = wslay_is_ctrl_frame(frame.opcode) != 0;
  if (control) {
    std::copy(payload.begin(), payload.end(), control_.begin() + static_cast<std::ptrdiff_t>(control_size_));
    control_size_ += payload.size();
  } else if (!payload.empty()) {
    plain.append(payload);
  }
  frame_left_ -= payload.size();
  in_frame_ = frame_left_ != 0;
  return control && !in_frame_ ? end_control(frame.opcode, out) : Fault();
}

WebSocket::Impl::Fault WebSocket::Impl::end_control(unsigned opcode, base::Buffer& out) {
  if (opcode == WSLAY_CONNECTION_CLOSE) return take_close(out);
  if (opcode == WSLAY_PONG || closed_) return {};
  if (out.size() > kMostWaiting) return {kPolicyViolation, "it sends pings and does not read"};
  write_frame(WSLAY_PONG, std::span(control_.data(), control_size_), out);
  return {};
}

/// RFC 6455 §5.5.1: answered with the same code.
WebSocket::Impl::Fault WebSocket::Impl::take_close(base::Buffer& out) {
  std::uint16_t code = kNoStatus;
  if (control_size_ == 1) return {kProtocolError, "a Close with half a code"};
  if (control_size_ >= 2) {
    const auto byte = [this](std::size_t at) {
      return static_cast<unsigned>(static_cast<unsigned char>(control_[at]));
    };
    code = static_cast<std::uint16_t>(byte(0) << 8U | byte(1));
    if (!is_close_code(code)) return {kProtocolError, "a Close with a code that may not be sent"};
    const std::string_view reason(control_.data() + 2, control_size_ - 2);
    if (!base::is_utf8(reason)) return {kInvalidPayload, "a Close whose reason is not UTF-8"};
    peer_reason_ = std::to_string(code);
    if (!reason.empty()) peer_reason_ += " " + std::string(reason);
  }
  peer_closed_ = true;
  close(code, {}, out);
  return {};
}

void WebSocket::Impl::send(base::Buffer& plain, base::Buffer& out) {
  if (closed_) return plain.clear();
  while (!plain.empty()) {
    const auto payload = plain.readable().first(std::min(plain.size(), kMostPayload));
    write_frame(WSLAY_BINARY_FRAME, payload, out);
    plain.consume(payload.size());
  }
}

void WebSocket::Impl::close(std::uint16_t code, std::string_view reason, base::Buffer& out) {
  if (closed_) return;
  std::array<char, kMostControl> payload{static_cast<char>(code >> 8U), static_cast<char>(code & 0xffU)};
  const auto size = std::min(reason.size(), payload.size() - 2);
  std::copy_n(reason.begin(), size, payload.begin() + 2);
  write_frame(WSLAY_CONNECTION_CLOSE, std::span(payload.data(), code == kNoStatus ? 0 : size + 2), out);
  closed_ = true;
}

/// The callback takes everything, so a frame always goes out whole.
void WebSocket::Impl::write_frame(unsigned opcode, std::span<const char> payload, base::Buffer& out) {
  constexpr std::size_t kMostHeader = 14;
  out.reserve(payload.size() + kMostHeader);
  wslay_frame_iocb frame{};
  frame.fin = 1;
  frame.opcode = static_cast<std::uint8_t>(opcode);
  frame.mask = end_ == WebSocketEnd::client ? 1 : 0;
  frame.payload_length = payload.size();
  frame.data = reinterpret_cast<const std::uint8_t*>(payload.data());
  frame.data_length = payload.size();
  out_ = &out;
  wslay_frame_send(frames_, &frame);
  out_ = nullptr;
}

ssize_t WebSocket::Impl::take_output(const std::uint8_t* data, std::size_t size, int, void* self) {
  static_cast<Impl*>(self)->out_->append(std::span(reinterpret_cast<const char*>(data), size));
  return static_cast<ssize_t>(size);
}

ssize_t WebSocket::Impl::give_input(std::uint8_t* room, std::size_t size, int, void* self) {
  auto& in = static_cast<Impl*>(self)->in_;
  const auto part = in.first(std::min(in.size(), size));
  if (part.empty()) return -1;
  std::memcpy(room, part.data(), part.size());
  in = in.subspan(part.size());
  return static_cast<ssize_t>(part.size());
}

int WebSocket::Impl::make_mask(std::uint8_t* mask, std::size_t size, void* self) {
  const auto bits = static_cast<Impl*>(self)->random_();
  std::memcpy(mask, &bits, std::min(size, sizeof bits));
  return 0;
}

WebSocket::WebSocket(WebSocketEnd end, base::Random& random) : impl_(std::make_unique<Impl>(end, random)) {}
WebSocket::~WebSocket() = default;

base::Result<void> WebSocket::receive(std::span<const char> bytes, base::Buffer& plain, base::Buffer& out) {
  return impl_->receive(bytes, plain, out);
}
void WebSocket::send(base::Buffer& plain, base::Buffer& out) { impl_->send(plain, out); }
void WebSocket::close(std::uint16_t code, std::string_view reason, base::Buffer& out) {
  impl_->close(code, reason, out);
}
bool WebSocket::peer_closed() const { return impl_->peer_closed(); }
std::string_view WebSocket::peer_reason() const { return impl_->peer_reason(); }

}  // namespace adit::link
