#include "gateway/link_acceptor.h"

#include <utility>

#include <boost/intrusive/list.hpp>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/log.h"
#include "link/handshake.h"
#include "net/address.h"
#include "net/stream.h"

namespace adit::gateway {
namespace {

constexpr auto kHandshakeWithin = std::chrono::seconds(10);
constexpr std::size_t kMostHandshakes = 1024;  // under way at once; more wait in the listener's backlog of the kernel

routing::TokenHash hash(const std::string& token) {
  routing::TokenHash digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

/// Compares with every token, in constant time for each.
bool is_token_of(const routing::Tunnel& tunnel, const routing::TokenHash& presented) {
  bool found = false;
  for (const auto& token : tunnel.tokens) {
    found |= CRYPTO_memcmp(token.data(), presented.data(), presented.size()) == 0;
  }
  return found;
}

using TunnelPtr = std::shared_ptr<const routing::Tunnel>;

/// The tunnels that a connector may mean: that of its id, or every one that has its token when it names none. Looking
/// at all is for dials only, which are rare and limited.
std::vector<TunnelPtr> tunnels_of(const routing::Table& table, const std::string& id, const routing::TokenHash& token) {
  std::vector<TunnelPtr> found;
  if (!id.empty()) {
    const auto* named = table.tunnel(id);
    if (named != nullptr && is_token_of(**named, token)) found.push_back(*named);
    return found;
  }
  for (auto& tunnel : table.all_tunnels()) {
    if (is_token_of(*tunnel, token)) found.push_back(std::move(tunnel));
  }
  return found;
}

}  // namespace

/// One connector on its way in.
class LinkAcceptor::Handshake final : public boost::intrusive::list_base_hook<>, private net::StreamOwner {
 public:
  Handshake(LinkAcceptor& acceptor, net::StreamPtr stream, const net::asio::ip::tcp::endpoint& peer)
      : acceptor_(acceptor),
        stream_(std::move(stream)),
        remote_(net::to_text(peer)),
        address_(net::host_text(peer)),
        deadline_(net::Deadline::of<&Handshake::on_deadline>(acceptor.loop_, this)) {}
  ~Handshake() {
    if (stream_) stream_->close();
  }

  void start() {
    deadline_.set(net::Loop::now() + kHandshakeWithin);
    stream_->start(*this);
    if (stream_->tls() == nullptr) stream_->read();
  }
  void over() {
    deadline_.clear();
    stream_->close();
    acceptor_.forget(*this);
  }

 private:
  void on_established() override {
    if (stream_->readable().empty()) stream_->read();
  }

  void on_readable() override {
    if (refused_) return discard();
    const auto outcome = reader_.read(stream_->readable());
    if (outcome.refusal) return refuse(*outcome.refusal);
    if (!outcome.hello) return stream_->at_end() ? over() : stream_->read();
    stream_->consume(outcome.consumed);
    welcome(*outcome.hello, outcome.transport, outcome.key);
  }

  void welcome(const link::Hello& hello, link::Transport transport, std::string_view key) {
    if (!acceptor_.failures_.allows(address_, net::Loop::now())) {
      link::Refusal refusal;
      refusal.status = 429;
      refusal.reason = "too many wrong tokens from this address";
      refusal.retry_after = std::chrono::seconds(10);
      return refuse(refusal);
    }
    const auto table = acceptor_.shared_.table.get();
    const auto token = hash(hello.token);
    const auto tunnels = tunnels_of(*table, hello.tunnel_id, token);
    // The same answer for an unknown tunnel as for a wrong token: ids are not to be found out by asking.
    if (tunnels.empty()) {
      acceptor_.failures_.failed(address_, net::Loop::now());
      link::Refusal refusal;
      refusal.status = 401;
      refusal.reason = hello.tunnel_id.empty() ? "the gateway knows no tunnel with this token"
                                               : "the gateway knows no tunnel with this id and token";
      return refuse(refusal);
    }
    if (tunnels.size() > 1) {
      link::Refusal refusal;
      refusal.status = 409;
      refusal.reason = "several tunnels have this token: name one of them with --tunnel";
      return refuse(refusal);
    }
    const auto& tunnel = tunnels.front();
    info_ = std::make_shared<LinkInfo>();
    info_->id = acceptor_.shared_.directory.next_id();
    info_->tunnel_id = tunnel->id;
    info_->tunnel_name = tunnel->name;
    info_->connector = hello.connector;
    info_->instance = hello.instance;
    info_->version = hello.version;
    info_->slot = hello.slot;
    info_->transport = transport;
    info_->remote = remote_;
    info_->token = token;
    info_->since = std::chrono::system_clock::now();
    link::write_welcome(stream_->out(), acceptor_.shared_.gateway_id, key);
    stream_->flush();
    hand_over_when_sent();
  }

  void refuse(link::Refusal refusal) {
    refused_ = true;
    refusal.date = std::chrono::system_clock::now();
    acceptor_.shared_.metrics.link_handshakes_refused.add();
    base::log::warning("link refused", {{"remote", remote_}, {"status", refusal.status}, {"reason", refusal.reason}});
    link::write_refusal(stream_->out(), refusal, acceptor_.shared_.gateway_id);
    stream_->finish();
    discard();
  }

  /// After a refusal: reads until the connector closes, so that the answer is not lost to a reset.
  void discard() {
    if (!stream_->readable().empty()) stream_->consume(stream_->readable().size());
    if (stream_->at_end()) return over();
    stream_->read();
  }

  void on_sent() override {
    if (info_) hand_over_when_sent();
  }

  void hand_over_when_sent() {
    if (!stream_ || !stream_->is_open() || stream_->unsent() != 0) return;
    deadline_.clear();
    acceptor_.hand_over(std::exchange(stream_, nullptr), std::move(info_));
    acceptor_.forget(*this);
  }

  void on_broken(std::string_view why) override {
    base::log::debug("link handshake failed", {{"remote", remote_}, {"reason", why}});
    over();
  }

  void on_deadline() { over(); }

  LinkAcceptor& acceptor_;
  net::StreamPtr stream_;
  std::string remote_;
  std::string address_;
  net::Deadline deadline_;
  link::HelloReader reader_;
  std::shared_ptr<LinkInfo> info_;
  bool refused_ = false;
};

/// Those under way, oldest first, and those that are over and destroyed at the end of the turn.
struct LinkAcceptor::Handshakes final : net::TurnTask {
  boost::intrusive::list<Handshake> live;
  std::vector<std::unique_ptr<Handshake>> over;
  void at_turn_end() override { over.clear(); }
};

LinkAcceptor::LinkAcceptor(net::Loop& loop, Shared& shared)
    : loop_(loop), shared_(shared), handshakes_(std::make_unique<Handshakes>()) {}

LinkAcceptor::~LinkAcceptor() {
  handshakes_->live.clear_and_dispose([](Handshake* handshake) { delete handshake; });
}

base::Result<net::asio::ip::tcp::endpoint> LinkAcceptor::listen(const LinkListenerOptions& options) {
  insecure_ = options.insecure;
  if (!insecure_) {
    certificates_ = std::make_unique<Certificates>(shared_.table, shared_.link_certificate, options.host);
    auto context = options.chain_pem.empty()
                       ? net::make_choosing_context(net::ServerTls{net::TlsUse::link}, *certificates_)
                       : net::make_server_context(net::TlsUse::link, options.chain_pem, options.key_pem);
    if (!context) return base::Error{"link certificate: " + context.error()};
    tls_ = *context;
  }
  auto listener = net::Listener::open(loop_, options.where, false);
  if (!listener) return base::Error{listener.error()};
  listener_ = std::move(*listener);
  listener_->start(
      [this](net::Socket socket, const net::asio::ip::tcp::endpoint& peer) { accept(std::move(socket), peer); });
  return listener_->endpoint();
}

void LinkAcceptor::close() {
  closed_ = true;
  if (listener_) listener_->close();
}

void LinkAcceptor::accept(net::Socket socket, const net::asio::ip::tcp::endpoint& peer) {
  // The oldest goes first: an attacker that opens and waits must not keep connectors out.
  if (handshakes_->live.size() >= kMostHandshakes) handshakes_->live.front().over();
  net::SslPtr ssl;
  if (!insecure_) ssl = net::new_server(tls_);
  const net::StreamPtr stream(new net::Stream(loop_, std::move(socket), std::move(ssl)));
  auto handshake = std::make_unique<Handshake>(*this, stream, peer);
  handshakes_->live.push_back(*handshake);
  handshake.release()->start();
}

void LinkAcceptor::forget(Handshake& handshake) {
  handshakes_->live.erase(handshakes_->live.iterator_to(handshake));
  handshakes_->over.emplace_back(&handshake);
  loop_.defer(*handshakes_);
}

void LinkAcceptor::hand_over(const net::StreamPtr& stream, std::shared_ptr<LinkInfo> info) {
  info->worker = shared_.directory.pick_worker(info->tunnel_id, shared_.workers.size());
  shared_.directory.add(info);
  Worker& worker = *shared_.workers[info->worker];
  worker.adopt(stream->release(), std::move(info));
}

}  // namespace adit::gateway
