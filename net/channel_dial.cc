// How a message channel is dialled.

#include <algorithm>
#include <utility>

#include "base/version.h"
#include "net/address.h"
#include "net/channel_session.h"
#include "net/message_channel.h"

namespace adit::net {
namespace {

using Resolver = asio::ip::basic_resolver<asio::ip::tcp, asio::io_context::executor_type>;
using Phase = ChannelFailure::Phase;

constexpr std::size_t kMostAddresses = 32;  // of one name

/// The dial itself; kept alive by its own pending operations.
class Attempt final : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(Loop& loop, ChannelRequest request, ChannelDial::Connected connected, ChannelDial::Failed failed)
      : loop_(loop),
        request_(std::move(request)),
        connected_(std::move(connected)),
        failed_(std::move(failed)),
        resolver_(loop.context()),
        deadline_(Deadline::of<&Attempt::on_deadline>(loop, this)) {}

  void start();
  void cancel();

 private:
  void resolve();
  void next();
  void on_connected(Error error);
  void on_tls(Error error);
  void on_upgraded(Error error);
  void on_deadline() { address_failed("timed out"); }
  void address_failed(const std::string& why, unsigned status = 0);
  void fail(Phase phase, std::string why);
  void finish();

  Loop& loop_;
  ChannelRequest request_;
  ChannelDial::Connected connected_;
  ChannelDial::Failed failed_;
  Resolver resolver_;
  Deadline deadline_;
  TlsContext tls_;
  std::vector<asio::ip::tcp::endpoint> addresses_;  ///< still to be tried, last first
  Phase phase_ = Phase::resolve;
  std::string trying_;
  std::shared_ptr<WebSocket> socket_;  ///< kept by what is pending on it, too
  websocket::response_type response_;
  unsigned round_ = 0;  ///< completions of addresses that were given up are told by this
  std::vector<ChannelFailure> failures_;
  bool over_ = false;
};

void Attempt::start() {
  request_.trust.link = true;
  deadline_.set(Loop::now() + request_.limits.handshake);
  auto tls = make_client_context(request_.trust);
  if (!tls) {
    return asio::post(loop_.context(), [self = shared_from_this(), why = tls.error()] { self->fail(Phase::tls, why); });
  }
  tls_ = std::move(*tls);
  resolve();
}

void Attempt::resolve() {
  const auto& target = request_.url.target;
  addresses_.assign(request_.addresses.rbegin(), request_.addresses.rend());
  if (!addresses_.empty()) {
    return asio::post(loop_.context(), [self = shared_from_this()] { self->next(); });
  }
  Error literal;
  const auto address = asio::ip::make_address(target.host, literal);
  if (!literal) {
    addresses_.emplace_back(address, target.port);
    return asio::post(loop_.context(), [self = shared_from_this()] { self->next(); });
  }
  resolver_.async_resolve(
      target.host, std::to_string(target.port), asio::ip::resolver_base::numeric_service,
      [self = shared_from_this()](Error error, const Resolver::results_type& found) {
        if (self->over_) return;
        if (error) {
          return self->fail(Phase::resolve, self->request_.url.target.host + ": name not found: " + error.message());
        }
        for (const auto& entry : found) {
          if (self->addresses_.size() < kMostAddresses) self->addresses_.push_back(entry.endpoint());
        }
        std::reverse(self->addresses_.begin(), self->addresses_.end());
        self->next();
      });
}

void Attempt::next() {
  if (over_) return;
  if (addresses_.empty()) {
    const auto keep = shared_from_this();
    const auto failed = std::move(failed_);
    finish();
    return failed(failures_);
  }
  const auto address = addresses_.back();
  addresses_.pop_back();
  trying_ = to_text(address);
  phase_ = Phase::connect;
  deadline_.set(Loop::now() + request_.limits.handshake);
  socket_ = make_web_socket(TcpSocket(loop_.context()), tls_);
  beast::get_lowest_layer(*socket_).async_connect(
      address, [self = shared_from_this(), socket = socket_, round = ++round_](Error error) {
        if (round == self->round_) self->on_connected(error);
      });
}

void Attempt::on_connected(Error error) {
  if (error) return address_failed(error.message());
  Error ignored;
  beast::get_lowest_layer(*socket_).set_option(asio::ip::tcp::no_delay(true), ignored);
  phase_ = Phase::tls;
  auto& tls = socket_->next_layer();
  expect_name(tls.native_handle(), request_.url.target.host);
  tls.async_handshake(asio::ssl::stream_base::client,
                      [self = shared_from_this(), socket = socket_, round = round_](Error result) {
                        if (round == self->round_) self->on_tls(result);
                      });
}

void Attempt::on_tls(Error error) {
  if (error) return address_failed(tls_failure(socket_->next_layer(), error));
  phase_ = Phase::upgrade;
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = websocket::stream_base::none();  // the deadline covers it
  timeout.idle_timeout = websocket::stream_base::none();
  socket_->set_option(timeout);
  socket_->set_option(websocket::stream_base::decorator([bearer = request_.bearer](websocket::request_type& request) {
    request.set(http::field::authorization, "Bearer " + bearer);
    request.set(http::field::user_agent, std::string("adit/") + base::kVersion);
  }));
  socket_->async_handshake(response_, request_.url.target.text(), request_.url.path,
                           [self = shared_from_this(), socket = socket_, round = round_](Error result) {
                             if (round == self->round_) self->on_upgraded(result);
                           });
}

void Attempt::on_upgraded(Error error) {
  if (error == websocket::error::upgrade_declined) {
    auto reason = printable_line(response_.body());
    // Reasons are logged: an answer that repeats the request must not take the token there.
    if (reason.find(request_.bearer) != std::string::npos) reason.clear();
    return address_failed(reason.empty() ? std::string(response_.reason()) : reason, response_.result_int());
  }
  if (error) return address_failed(error.message());
  const auto keep = shared_from_this();
  const auto connected = std::move(connected_);
  // The decorator, which holds the token, has done its work.
  socket_->set_option(websocket::stream_base::decorator([](websocket::request_type&) {}));
  const auto session =
      std::make_shared<ChannelSession>(loop_, std::move(socket_), trying_, request_.limits, std::shared_ptr<void>());
  finish();
  connected(session->handle());
}

void Attempt::address_failed(const std::string& why, unsigned status) {
  if (over_) return;
  if (phase_ == Phase::resolve) return fail(phase_, request_.url.target.host + ": " + why);
  ++round_;
  failures_.push_back({phase_, trying_, status, why});
  if (socket_) abort(*socket_);
  next();
}

void Attempt::fail(Phase phase, std::string why) {
  if (over_) return;
  addresses_.clear();
  failures_.push_back({phase, {}, 0, std::move(why)});
  next();
}

void Attempt::cancel() {
  if (over_) return;
  finish();
  if (socket_) abort(*socket_);
}

void Attempt::finish() {
  over_ = true;
  ++round_;
  deadline_.clear();
  resolver_.cancel();
  connected_ = nullptr;
  failed_ = nullptr;
}

class Handle final : public ChannelDial {
 public:
  explicit Handle(std::shared_ptr<Attempt> attempt) : attempt_(std::move(attempt)) {}
  ~Handle() override { attempt_->cancel(); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

 private:
  std::shared_ptr<Attempt> attempt_;
};

}  // namespace

std::unique_ptr<ChannelDial> ChannelDial::start(Loop& loop, ChannelRequest request, Connected connected,
                                                Failed failed) {
  auto attempt = std::make_shared<Attempt>(loop, std::move(request), std::move(connected), std::move(failed));
  attempt->start();
  return std::make_unique<Handle>(std::move(attempt));
}

}  // namespace adit::net
