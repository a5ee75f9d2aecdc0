#include "net/channel_session.h"

#include <utility>

namespace adit::net {
namespace {

constexpr std::size_t kFrameBytes = 64U << 10U;  // longer messages go in several, so that pongs can come between
constexpr std::size_t kKeptBytes = 64U << 10U;   // of the read buffer while idle
constexpr int kIdlesForWrite = 4;                // a message may take this many idle times to leave
constexpr auto kGoodbyeWithin = std::chrono::seconds(5);
constexpr std::size_t kLongestGoodbye = 123;  // RFC 6455 §5.5, without the code

class Handle final : public MessageChannel {
 public:
  explicit Handle(std::shared_ptr<ChannelSession> session) : session_(std::move(session)) {}
  ~Handle() override { session_->close(""); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void start(ChannelOwner& owner) override { session_->start(owner); }
  void send(std::string text) override { session_->send(std::move(text)); }
  bool is_writable() const override { return session_->is_writable(); }
  void close(std::string_view why) override { session_->close(why); }
  const std::string& remote() const override { return session_->remote(); }

 private:
  std::shared_ptr<ChannelSession> session_;
};

}  // namespace

ChannelSession::ChannelSession(Loop& loop, std::shared_ptr<WebSocket> socket, std::string remote,
                               const ChannelLimits& limits, std::shared_ptr<void> place)
    : socket_(std::move(socket)),
      remote_(std::move(remote)),
      limits_(limits),
      place_(std::move(place)),
      deadline_(Deadline::of<&ChannelSession::on_deadline>(loop, this)) {
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = kGoodbyeWithin;  // of the closing handshake: the opening one is over
  timeout.idle_timeout = limits.idle;
  timeout.keep_alive_pings = true;
  socket_->set_option(timeout);
  socket_->read_message_max(limits.most_message_bytes);
  socket_->write_buffer_bytes(kFrameBytes);
  socket_->text(true);
}

std::unique_ptr<MessageChannel> ChannelSession::handle() { return std::make_unique<Handle>(shared_from_this()); }

void ChannelSession::start(ChannelOwner& owner) {
  owner_ = &owner;
  read();
  asio::post(socket_->get_executor(), [self = shared_from_this()] {
    if (self->owner_ != nullptr && self->is_writable()) self->owner_->on_writable();
  });
}

void ChannelSession::read() {
  socket_->async_read(buffer_, [self = shared_from_this()](Error error, std::size_t) { self->on_read(error); });
}

void ChannelSession::on_read(Error error) {
  if (over_) return;
  if (error) return end(text_of(error));
  if (!socket_->got_text()) return end("the other end sent a binary message");
  const auto bytes = buffer_.cdata();
  if (owner_ != nullptr) owner_->on_message({static_cast<const char*>(bytes.data()), bytes.size()});
  if (over_) return;
  buffer_.consume(buffer_.size());
  if (buffer_.capacity() > kKeptBytes) buffer_.shrink_to_fit();
  read();
}

void ChannelSession::send(std::string text) {
  if (over_ || closing_) return;
  waiting_bytes_ += text.size();
  waiting_.push_back(std::move(text));
  if (waiting_.size() == 1) return write();
  if (waiting_bytes_ <= limits_.most_waiting_bytes) return;
  // Not from within this call: who sends is the owner.
  asio::post(socket_->get_executor(),
             [self = shared_from_this()] { self->end("the other end does not take what is sent"); });
}

void ChannelSession::write() {
  deadline_.set(Loop::now() + limits_.idle * kIdlesForWrite);
  socket_->async_write(asio::buffer(waiting_.front()),
                       [self = shared_from_this()](Error error, std::size_t) { self->on_written(error); });
}

void ChannelSession::on_written(Error error) {
  if (over_) return;
  if (error) return end(text_of(error));
  deadline_.clear();
  waiting_bytes_ -= waiting_.front().size();
  waiting_.pop_front();
  if (!waiting_.empty()) return write();
  if (closing_) return say_goodbye();
  if (owner_ != nullptr) owner_->on_writable();
}

void ChannelSession::close(std::string_view why) {
  owner_ = nullptr;
  if (over_ || closing_) return;
  closing_ = true;
  goodbye_ = printable_line(why).substr(0, kLongestGoodbye);
  deadline_.set(Loop::now() + kGoodbyeWithin);
  if (waiting_.empty()) say_goodbye();
}

void ChannelSession::say_goodbye() {
  deadline_.set(Loop::now() + kGoodbyeWithin);
  const websocket::close_reason reason(websocket::close_code::normal, goodbye_);
  socket_->async_close(reason, [self = shared_from_this()](Error) { self->end("closed"); });
}

void ChannelSession::on_deadline() {
  end(closing_ ? "the other end did not close" : "the other end does not take what is sent");
}

void ChannelSession::end(const std::string& why) {
  if (std::exchange(over_, true)) return;
  const auto self = shared_from_this();
  deadline_.clear();
  // The first one may still be read from: its write has yet to hear that the socket is gone.
  if (!waiting_.empty()) waiting_.resize(1);
  abort(*socket_);
  place_.reset();
  if (auto* owner = std::exchange(owner_, nullptr)) owner->on_closed(why);
}

std::string ChannelSession::text_of(Error error) const {
  if (error == websocket::error::closed) {
    const auto& reason = socket_->reason().reason;
    return reason.empty() ? "closed by the other end" : "closed by the other end: " + printable_line(reason.c_str());
  }
  if (error == beast::error::timeout) return "the other end is silent";
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) return "the connection broke off";
  if (error == websocket::error::message_too_big) return "the other end sent a message that is too long";
  return error.message();
}

}  // namespace adit::net
