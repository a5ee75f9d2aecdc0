#include "net/stream.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace adit::net {
namespace {

constexpr std::uint32_t kFirstRead = 1024;  // most heads fit, and an idle connection holds no more
// Encrypted bytes gathered before the socket is asked to take them: what the link driver takes from its session at a
// time, with the heads of frames and records, so that no last few bytes need a call of their own.
constexpr std::size_t kWorthACall = 16 * 1024;  // to send at once; copying less costs less than a system call
constexpr std::size_t kCipherBatch = 144 * 1024;

}  // namespace

Stream::Stream(Loop& loop, Socket socket, SslPtr ssl)
    : loop_(loop), socket_(std::move(socket)), read_size_(kFirstRead) {
  Error ignored;
  socket_.non_blocking(true, ignored);
  if (ssl) {
    tls_ = std::make_unique<TlsEngine>(std::move(ssl));
    handshaking_ = true;
  }
}

Stream::Stream(Loop& loop, Parts parts)
    : loop_(loop),
      socket_(loop.context()),
      tls_(std::move(parts.tls)),
      in_(std::move(parts.in)),
      read_size_(kFirstRead) {
  Error error;
  socket_.assign(asio::generic::stream_protocol(parts.family, 0), parts.descriptor.get(), error);
  if (!error) (void)parts.descriptor.release();
  if (!error) socket_.non_blocking(true, error);
  open_ = !error;
}

Stream::~Stream() = default;

void Stream::start(StreamOwner& owner) {
  owner_ = &owner;
  if (!handshaking_) return;
  if (!SSL_is_server(tls_->ssl())) {
    advance_handshake();  // the ClientHello
    flush_soon();
  }
  if (!tls_->cipher_in().empty()) return took_bytes();
  read();
}

void Stream::begin_tls(SslPtr ssl) {
  assert(!tls_ && !reading_ && !waiting_writable_ && unsent() == 0);
  tls_ = std::make_unique<TlsEngine>(std::move(ssl));
  tls_->cipher_in() = std::move(in_);
  handshaking_ = true;
}

void Stream::read() {
  if (reading_ || !open_ || at_end_) return;
  reading_ = true;
  auto room = (tls_ ? tls_->cipher_in() : in_).reserve(read_size_);
  room = room.first(std::min(room.size(), kMostRead));
  read_size_ = static_cast<std::uint32_t>(room.size());
  socket_.async_read_some(
      asio::mutable_buffer(room.data(), room.size()),
      SlotHandler(read_slot_, [self = StreamPtr(this)](Error error, std::size_t size) { self->on_read(error, size); }));
}

void Stream::on_read(Error error, std::size_t size) {
  reading_ = false;
  if (!open_) return;
  auto& target = tls_ ? tls_->cipher_in() : in_;
  if (error) {
    if (target.empty()) target.clear();
    if (!write_failure_.empty()) return fail(write_failure_);
    if (error != asio::error::eof) return fail(error.message());
    if (tls_) return fail(handshaking_ ? "closed during the TLS handshake" : "closed without TLS close_notify");
    at_end_ = true;
    return owner_->on_readable();
  }
  target.commit(size);
  bytes_in_ += size;
  // A read that fills its room asks for a larger one, so that bulk takes few calls and an idle stream little memory.
  if (size == read_size_) {
    read_size_ = std::min<std::uint32_t>(read_size_ * 4, kMostRead);
  } else if (size < read_size_ / 8 && read_size_ > kFirstRead) {
    read_size_ = std::max(read_size_ / 2, kFirstRead);
  }
  if (tls_) return took_bytes();
  owner_->on_readable();
}

/// Encrypted bytes have arrived: handshake or records.
void Stream::took_bytes() {
  const StreamPtr keep(this);
  const bool was_handshaking = handshaking_;
  if (handshaking_ && !advance_handshake()) return;
  if (handshaking_) {
    flush();
    return read();
  }
  const std::size_t before = in_.size();
  const bool was_at_end = at_end_;
  if (!decrypt()) return;
  if (was_handshaking || !tls_->cipher_out().empty()) flush_soon();
  const bool news = in_.size() > before || at_end_ != was_at_end;
  if (was_handshaking) owner_->on_established();
  if (!open_) return;
  if (news) {
    owner_->on_readable();
  } else if (!was_handshaking) {
    read();  // half a record, or a message of TLS itself
  }
}

bool Stream::advance_handshake() {
  switch (tls_->handshake()) {
    case TlsEngine::Status::ok:
      handshaking_ = false;
      return true;
    case TlsEngine::Status::want_input:
      return true;
    default:
      break;
  }
  failing_ = true;
  flush();  // the alert
  fail(tls_->error().empty() ? "closed during the TLS handshake" : tls_->error());
  return false;
}

bool Stream::decrypt() {
  switch (tls_->read(in_)) {
    case TlsEngine::Status::closed:
      at_end_ = true;
      return true;
    case TlsEngine::Status::failed:
      failing_ = true;
      flush();  // the alert
      fail(tls_->error());
      return false;
    default:
      return true;
  }
}

void Stream::consume(std::size_t size) {
  assert((tls_ || !reading_) && "the bytes of a pending read are behind these");
  in_.consume(size);
}

base::Buffer Stream::take() {
  assert((tls_ || !reading_) && "the bytes of a pending read are behind these");
  return std::move(in_);
}

void Stream::write(std::span<const char> bytes) {
  const bool at_once =
      bytes.size() >= kWorthACall && !tls_ && out_.empty() && !waiting_writable_ && open_ && write_failure_.empty();
  if (at_once) {
    Error error;  // shows again in flush()
    const std::size_t sent = socket_.write_some(asio::const_buffer(bytes.data(), bytes.size()), error);
    bytes_out_ += sent;
    wrote_ahead_ = wrote_ahead_ || sent != 0;
    bytes = bytes.subspan(sent);
  }
  out_.append(bytes);
  flush_soon();
}

std::size_t Stream::unsent() const { return out_.size() + (tls_ ? tls_->cipher_out().size() : 0); }

void Stream::encrypt_ahead() {
  if (!open_ || !tls_ || out_.empty()) return;
  // More will follow: the block is not to be grown, and copied, from piece to piece.
  auto& wire = tls_->cipher_out();
  if (out_.size() >= kWorthACall && wire.size() < kCipherBatch) wire.reserve(kCipherBatch - wire.size());
  (void)encrypt();
}

bool Stream::encrypt() {
  if (handshaking_ || tls_->write(out_, kCipherBatch) != TlsEngine::Status::failed) return true;
  fail(tls_->error());
  return false;
}

void Stream::flush() {
  if (!open_ || waiting_writable_) return;
  if (!write_failure_.empty()) {
    out_.clear();
    return;
  }
  const std::size_t before = unsent();
  while (true) {
    if (tls_ && !out_.empty() && !encrypt()) return;
    if (tls_ && finishing_ && out_.empty() && !handshaking_) say_end();  // in one piece with the last bytes
    auto& wire = tls_ ? tls_->cipher_out() : out_;
    if (wire.empty()) {
      if (finishing_ && !handshaking_ && !finished_) end_half();
      break;
    }
    Error error;
    const auto bytes = wire.readable();
    const std::size_t sent = socket_.write_some(asio::const_buffer(bytes.data(), bytes.size()), error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      wait_writable();
      break;
    }
    if (error == asio::error::interrupted) continue;
    if (error && failing_) return;
    if (error && (handshaking_ || !reading_)) return fail(error.message());
    if (error) {
      // Who answers early and closes may have left its last words; the read that is pending brings them, then the end:
      // of itself if the peer is gone, else because of the shutdown.
      write_failure_ = error.message();
      Error ignored;
      socket_.shutdown(Socket::shutdown_receive, ignored);
      out_.clear();
      wire.clear();
      break;
    }
    wire.consume(sent);
    bytes_out_ += sent;
  }
  const bool told_less = std::exchange(wrote_ahead_, false);
  if ((told_less || unsent() < before) && owner_ != nullptr) owner_->on_sent();
}

void Stream::wait_writable() {
  waiting_writable_ = true;
  socket_.async_wait(Socket::wait_write, SlotHandler(write_slot_, [self = StreamPtr(this)](Error error) {
                       self->waiting_writable_ = false;
                       error ? self->fail(error.message()) : self->flush();
                     }));
}

void Stream::limit_kernel_unsent(std::size_t size) {
  using NotSent = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;
  Error ignored;  // a Unix socket has no such thing
  socket_.set_option(NotSent(static_cast<int>(size)), ignored);
}

void Stream::finish() {
  finishing_ = true;
  flush_soon();
}

void Stream::say_end() {
  if (!std::exchange(notified_, true)) tls_->close();
}

/// Everything is sent, close_notify included.
void Stream::end_half() {
  finished_ = true;
  Error ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::close() {
  owner_ = nullptr;
  if (!open_) return;
  open_ = false;
  Error ignored;
  socket_.close(ignored);
}

void Stream::abort() {
  Error ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

void Stream::fail(std::string_view why) {
  if (!open_) return;
  StreamOwner* owner = owner_;
  const StreamPtr keep(this);
  close();
  if (owner != nullptr) owner->on_broken(why);
}

Stream::Parts Stream::release() {
  assert(!reading_ && !waiting_writable_ && unsent() == 0);
  Parts parts;
  Error error;
  parts.family = socket_.local_endpoint(error).protocol().family();
  parts.descriptor = Descriptor(socket_.release(error));
  parts.tls = std::move(tls_);
  parts.in = std::move(in_);
  open_ = false;
  owner_ = nullptr;
  return parts;
}

}  // namespace adit::net
