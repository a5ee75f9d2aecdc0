#include "operator/control_server.h"

#include <utility>

#include "net/address.h"

namespace adit::controller {
namespace {

constexpr auto kComeAgain = std::chrono::seconds(2);

}  // namespace

ControlServer::ControlServer(Authenticator& authenticator, EdgeViews& views, GatewaySessions::OnViews on_views)
    : authenticator_(authenticator), views_(views), on_views_(std::move(on_views)) {}

base::Result<std::unique_ptr<ControlServer>> ControlServer::start(const base::ListenAddress& where, net::TlsContext tls,
                                                                  Authenticator& authenticator, EdgeViews& views,
                                                                  GatewaySessions::OnViews on_views) {
  const auto endpoint = net::listen_endpoint(where.host, where.port);
  if (!endpoint) return base::Error{endpoint.error()};
  net::MessageServerOptions options;
  options.where = *endpoint;
  std::unique_ptr<ControlServer> server(new ControlServer(authenticator, views, std::move(on_views)));
  auto* self = server.get();
  auto started = net::MessageServer::start(
      options, std::move(tls),
      [self](const net::ChannelHello& hello, net::MessageServer::Answer answer) {
        self->decide(hello, std::move(answer));
      },
      [self](std::unique_ptr<net::MessageChannel> channel, const net::ChannelHello& hello) {
        self->accepted(std::move(channel), hello);
      });
  if (!started) return base::Error{started.error()};
  server->server_ = std::move(*started);
  server->server_->loop().post([self] {
    self->sessions_ = std::make_unique<GatewaySessions>(
        self->server_->loop(), self->views_, self->on_views_,
        [self](const std::string& token, auto done) { self->check_token(token, std::move(done)); });
  });
  return server;
}

ControlServer::~ControlServer() {
  server_.reset();  // ends the thread; what is left of sessions is destroyed after it
}

void ControlServer::lead(std::uint64_t term) {
  server_->loop().post([this, term] { sessions_->lead(term); });
}

void ControlServer::resign() {
  server_->loop().post([this] { sessions_->resign(); });
}

void ControlServer::update(CompilationPtr compilation) {
  server_->loop().post([this, compilation = std::move(compilation)] { sessions_->update(compilation); });
}

void ControlServer::set_link_certificate(KeyCertificate pair) {
  server_->loop().post([this, pair = std::move(pair)] { sessions_->set_link_certificate(pair); });
}

void ControlServer::decide(const net::ChannelHello& hello, net::MessageServer::Answer answer) {
  if (!sessions_ || !sessions_->is_leading()) {
    return answer(net::ChannelRefusal{503, "this operator does not lead", kComeAgain});
  }
  auto& loop = server_->loop();
  authenticator_.check(hello.bearer, [this, &loop, remote = hello.remote,
                                      answer = std::move(answer)](const Verdict& verdict) {
    if (!verdict.accepted) {
      const bool is_temporary = verdict.status == 503;
      return answer(net::ChannelRefusal{verdict.status, verdict.reason,
                                        is_temporary ? std::optional<std::chrono::seconds>(kComeAgain) : std::nullopt});
    }
    loop.post([this, remote, expires = verdict.expires] { expected_[remote] = expires; });
    answer(std::nullopt);
  });
}

void ControlServer::accepted(std::unique_ptr<net::MessageChannel> channel, const net::ChannelHello& hello) {
  const auto found = expected_.find(hello.remote);
  if (found == expected_.end()) return channel->close("not expected");
  const auto expires = found->second;
  expected_.erase(found);
  sessions_->add(std::move(channel), expires);
}

void ControlServer::check_token(const std::string& token, std::function<void(std::optional<WallTime>)> done) {
  auto& loop = server_->loop();
  authenticator_.check(token, [&loop, done = std::move(done)](const Verdict& verdict) {
    const auto expires = verdict.accepted ? std::optional(verdict.expires) : std::nullopt;
    // A review that failed for other reasons than the token is no reason to end a session that is good until its end.
    if (!expires && verdict.status == 503) return;
    loop.post([done, expires] { done(expires); });
  });
}

}  // namespace adit::controller
