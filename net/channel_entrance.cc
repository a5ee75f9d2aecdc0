#include "net/channel_entrance.h"

#include <utility>

namespace adit::net {
namespace {

constexpr std::uint32_t kMostHeadBytes = 16U << 10U;  // of a request; tokens of ServiceAccounts take 1 to 2 KiB

std::string bearer_of(const http::request<http::empty_body>& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto field = request[http::field::authorization];
  const std::string_view value(field.data(), field.size());
  return value.starts_with(kScheme) ? std::string(value.substr(kScheme.size())) : std::string();
}

}  // namespace

ChannelEntrance::ChannelEntrance(Loop& loop, EntranceOwner& owner, const MessageServerOptions& options,
                                 std::shared_ptr<WebSocket> socket, std::string remote, std::shared_ptr<void> place)
    : owner_(owner),
      options_(options),
      socket_(std::move(socket)),
      place_(std::move(place)),
      deadline_(Deadline::of<&ChannelEntrance::on_deadline>(loop, this)),
      buffer_(kMostHeadBytes) {
  hello_.remote = std::move(remote);
}

void ChannelEntrance::start() {
  deadline_.set(Loop::now() + options_.limits.handshake);
  socket_->next_layer().async_handshake(asio::ssl::stream_base::server,
                                        [self = shared_from_this(), socket = socket_](Error error) {
                                          if (self->over_) return;
                                          error ? self->leave() : self->read_request();
                                        });
}

void ChannelEntrance::read_request() {
  parser_.emplace();
  parser_->header_limit(kMostHeadBytes);
  parser_->body_limit(0);
  http::async_read(socket_->next_layer(), buffer_, *parser_,
                   [self = shared_from_this(), socket = socket_](Error error, std::size_t) {
                     if (self->over_) return;
                     error ? self->leave() : self->on_request();
                   });
}

void ChannelEntrance::on_request() {
  request_ = parser_->release();
  hello_.path = std::string(request_.target());
  hello_.bearer = bearer_of(request_);
  deciding_ = true;
  if (!websocket::is_upgrade(request_)) return answer(ChannelRefusal{426, "this is a WebSocket", std::nullopt});
  // A client that sends before it was accepted does not speak WebSocket.
  if (buffer_.size() != 0) return answer(ChannelRefusal{400, "bytes behind the request", std::nullopt});
  deadline_.set(Loop::now() + options_.decide);
  owner_.decide(*this);
}

void ChannelEntrance::answer(const std::optional<ChannelRefusal>& refusal) {
  if (over_ || !std::exchange(deciding_, false)) return;
  deadline_.set(Loop::now() + options_.limits.handshake);
  refusal ? refuse(*refusal) : accept();
}

void ChannelEntrance::accept() {
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = websocket::stream_base::none();  // the deadline covers it
  timeout.idle_timeout = websocket::stream_base::none();
  socket_->set_option(timeout);
  socket_->async_accept(request_, [self = shared_from_this(), socket = socket_](Error error) {
    if (self->over_) return;
    if (error) return self->leave();
    self->deadline_.clear();
    self->over_ = true;
    self->owner_.accepted(*self);
    self->owner_.over(*self);
  });
}

void ChannelEntrance::refuse(const ChannelRefusal& refusal) {
  refusal_.version(11);
  refusal_.result(refusal.status);
  refusal_.set(http::field::content_type, "text/plain; charset=utf-8");
  if (refusal.retry_after) refusal_.set(http::field::retry_after, std::to_string(refusal.retry_after->count()));
  if (refusal.status == 426) refusal_.set(http::field::upgrade, "websocket");
  refusal_.keep_alive(false);
  refusal_.body() = refusal.reason + "\n";
  refusal_.prepare_payload();
  http::async_write(socket_->next_layer(), refusal_,
                    [self = shared_from_this(), socket = socket_](Error error, std::size_t) {
                      if (self->over_) return;
                      error ? self->leave() : self->part();
                    });
}

/// Waits for the client's close_notify, so that the answer is not lost to a reset.
void ChannelEntrance::part() {
  socket_->next_layer().async_shutdown([self = shared_from_this(), socket = socket_](Error) {
    if (!self->over_) self->leave();
  });
}

void ChannelEntrance::on_deadline() {
  if (deciding_) return answer(ChannelRefusal{503, "undecided for too long", std::nullopt});
  leave();
}

void ChannelEntrance::leave() {
  if (std::exchange(over_, true)) return;
  const auto self = shared_from_this();
  deadline_.clear();
  abort(*socket_);
  place_.reset();
  owner_.over(*this);
}

}  // namespace adit::net
