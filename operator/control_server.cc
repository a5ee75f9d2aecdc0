#include "operator/control_server.h"

#include <mutex>
#include <utility>

#include "net/address.h"

namespace adit::controller {
namespace {

constexpr auto kComeAgain = std::chrono::seconds(2);
/// No handshake takes longer.
constexpr auto kExpectedFor = std::chrono::minutes(1);

}  // namespace

/// From the authenticator's threads to the server's, for as long as there is one.
class ControlServer::WayBack {
 public:
  explicit WayBack(net::Loop& loop) : loop_(&loop) {}

  template <class Work>
  void post(Work work) {
    const std::lock_guard lock(mutex_);
    if (loop_ != nullptr) loop_->post(std::move(work));
  }
  void close() {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }

 private:
  std::mutex mutex_;
  net::Loop* loop_;
};

ControlServer::ControlServer(Parts parts) : parts_(std::move(parts)) {}

base::Result<std::unique_ptr<ControlServer>> ControlServer::start(const base::ListenAddress& where, net::TlsContext tls,
                                                                  Parts parts, GatewaySessionsSettings settings) {
  const auto endpoint = net::listen_endpoint(where.host, where.port);
  if (!endpoint) return base::Error{endpoint.error()};
  net::MessageServerOptions options;
  options.where = *endpoint;
  std::unique_ptr<ControlServer> server(new ControlServer(std::move(parts)));
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
  auto& loop = server->server_->loop();
  server->way_back_ = std::make_shared<WayBack>(loop);
  loop.post([self, &loop, settings] {  // not by server_, which belongs to the caller's thread
    const auto check = [self](const std::string& token, auto done) { self->check_token(token, std::move(done)); };
    self->sessions_ = std::make_unique<GatewaySessions>(
        loop, self->parts_.views, GatewaySessions::Callbacks{self->parts_.on_views, check, self->parts_.may_lead},
        settings);
  });
  return server;
}

ControlServer::~ControlServer() {
  if (way_back_) way_back_->close();
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

void ControlServer::set_peer_certificate(control::PeerCertificateMessage message) {
  server_->loop().post(
      [this, message = std::move(message)]() mutable { sessions_->set_peer_certificate(std::move(message)); });
}

void ControlServer::decide(const net::ChannelHello& hello, net::MessageServer::Answer answer) {
  if (!sessions_ || !sessions_->is_leading() || !parts_.may_lead()) {
    return answer(net::ChannelRefusal{503, "this operator does not lead", kComeAgain});
  }
  parts_.authenticator.check(hello.bearer, [this, way = way_back_, remote = hello.remote,
                                            answer = std::move(answer)](const Verdict& verdict) {
    if (!verdict.accepted) {
      const bool is_temporary = verdict.status == 503;
      return answer(net::ChannelRefusal{verdict.status, verdict.reason,
                                        is_temporary ? std::optional<std::chrono::seconds>(kComeAgain) : std::nullopt});
    }
    way->post([this, remote, expires = verdict.expires] { expect(remote, expires); });
    answer(std::nullopt);
  });
}

/// Those that did not come after all are forgotten.
void ControlServer::expect(const std::string& remote, WallTime expires) {
  const auto now = net::Loop::now();
  std::erase_if(expected_, [&](const auto& entry) { return entry.second.since + kExpectedFor <= now; });
  expected_[remote] = {expires, now};
}

void ControlServer::accepted(std::unique_ptr<net::MessageChannel> channel, const net::ChannelHello& hello) {
  const auto found = expected_.extract(hello.remote);
  if (found.empty()) return channel->close("not expected");
  sessions_->add(std::move(channel), found.mapped().expires);
}

void ControlServer::check_token(const std::string& token, std::function<void(std::optional<WallTime>)> done) {
  parts_.authenticator.check(token, [way = way_back_, done = std::move(done)](const Verdict& verdict) {
    const auto expires = verdict.accepted ? std::optional(verdict.expires) : std::nullopt;
    // A review that failed for other reasons than the token is no reason to end a session that is good until its end.
    if (!expires && verdict.status == 503) return;
    way->post([done, expires] { done(expires); });
  });
}

}  // namespace adit::controller
