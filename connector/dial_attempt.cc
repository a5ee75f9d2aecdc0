#include "connector/dial_attempt.h"

#include <utility>

#include "base/settings.h"
#include "base/version.h"
#include "net/certificate_facts.h"

namespace adit::connector {
namespace {

WallTime wall_time() { return std::chrono::system_clock::now(); }

/// "TLSv1.3, certificate for edge.example.com, issued by …".
std::string tls_text(SSL* ssl) {
  std::string text = SSL_get_version(ssl);
  if (X509* certificate = SSL_get0_peer_certificate(ssl)) {
    text += ", certificate " + net::text_of(net::facts_of(certificate));
  }
  return text;
}

}  // namespace

DialAttempt::DialAttempt(const DialContext& context, const GatewayAddress& gateway, std::optional<std::uint32_t> slot,
                         DialAttemptOwner& owner)
    : context_(context),
      gateway_(gateway),
      slot_(slot),
      owner_(owner),
      deadline_(net::Deadline::of<&DialAttempt::on_deadline>(context.loop, this)) {}

DialAttempt::~DialAttempt() { cancel(); }

void DialAttempt::start(link::Transport transport, net::DialOrder order) {
  transport_ = transport;
  order_ = std::move(order);
  path_ = {};
  proxy_ = decide_proxy(context_.proxy, gateway_.target).proxy;
  proxy_time_.reset();
  step_ = DialStep::credentials;
  if (read_credentials()) connect();
}

void DialAttempt::cancel() {
  deadline_.clear();
  if (dial_) std::exchange(dial_, nullptr)->cancel();
  if (stream_) std::exchange(stream_, nullptr)->close();
  token_.clear();
  proxy_credentials_.clear();
}

/// False when the try has failed.
bool DialAttempt::read_credentials() {
  auto token = context_.credentials.token();
  if (!token) {
    fail({Cause::token_file, DialStep::credentials, token.error()});
    return false;
  }
  token_ = *std::move(token);
  if (gateway_.encrypted) {
    auto tls = context_.credentials.tls();
    if (!tls) {
      fail({Cause::ca_file, DialStep::credentials, tls.error()});
      return false;
    }
    tls_ = *std::move(tls);
  }
  if (proxy_ == nullptr) return true;
  auto credentials = context_.credentials.proxy(*proxy_);
  if (!credentials) {
    fail({Cause::proxy_credentials_file, DialStep::credentials, credentials.error()});
    return false;
  }
  proxy_credentials_ = *std::move(credentials);
  return true;
}

void DialAttempt::connect() {
  const auto& target = proxy_ != nullptr ? proxy_->target : gateway_.target;
  dial_ = net::Dial::start(
      context_.loop, target, context_.limit, [this](net::Socket socket) { on_connected(std::move(socket)); },
      [this](const net::DialFailure& failure) {
        if (failure.phase == net::DialPhase::connect) owner_.on_step(DialStep::resolve, dial_->resolved());
        note_path();
        fail(problem_of(failure, proxy_ != nullptr ? proxy_->target.text() : std::string()));
      },
      proxy_ != nullptr ? net::DialOrder() : std::move(order_));
}

void DialAttempt::note_path() {
  if (proxy_ == nullptr) path_ = {dial_->hosts(), dial_->tried()};
}

void DialAttempt::on_connected(net::Socket socket) {
  note_path();
  const auto dial = std::exchange(dial_, nullptr);
  remote_ = net::to_text(net::peer_of(socket));
  owner_.on_step(DialStep::resolve, dial->resolved());
  owner_.on_step(DialStep::connect, remote_);
  stream_ = new net::Stream(context_.loop, std::move(socket), nullptr);
  stream_->start(*this);
  if (proxy_ != nullptr) return begin_proxy();
  begin_tls();
}

void DialAttempt::begin_proxy() {
  enter(DialStep::proxy);
  proxy_answer_.emplace();
  link::write_connect(stream_->out(), gateway_.target.host, gateway_.target.port,
                      std::exchange(proxy_credentials_, std::string()));
  stream_->flush_soon();
  stream_->read();
}

void DialAttempt::take_proxy_answer() {
  const auto answer = proxy_answer_->read(stream_->readable());
  if (answer.connected && stream_->unsent() != 0) {
    return fail({Cause::not_a_proxy, DialStep::proxy, "it answered before it was asked"});
  }
  if (answer.connected) {
    proxy_time_ = answer.date;
    stream_->consume(answer.consumed);
    owner_.on_step(DialStep::proxy, "CONNECT " + gateway_.target.text() + " through " + proxy_->target.text());
    return begin_tls();
  }
  if (answer.status != 0 || !answer.broken.empty()) {
    return fail(problem_of(answer, gateway_.target.text(), wall_time()));
  }
  if (stream_->at_end()) {
    return fail({Cause::not_a_proxy, DialStep::proxy, "it closed the connection without an answer"});
  }
  stream_->read();
}

void DialAttempt::begin_tls() {
  if (!gateway_.encrypted) return begin_handshake();
  enter(DialStep::tls);
  stream_->begin_tls(net::new_client(tls_, gateway_.target.host));
  const net::StreamPtr keep = stream_;
  keep->start(*this);
}

void DialAttempt::on_established() {
  owner_.on_step(DialStep::tls, tls_text(stream_->tls()->ssl()));
  begin_handshake();
}

void DialAttempt::begin_handshake() {
  enter(DialStep::handshake);
  link::Hello hello;
  hello.token = std::exchange(token_, std::string());
  hello.tunnel_id = context_.identity.tunnel;
  hello.connector = context_.identity.name;
  hello.instance = context_.identity.instance;
  hello.version = base::kVersion;
  hello.slot = slot_;
  const auto host = gateway_.host_field();
  const auto key = transport_ == link::Transport::websocket ? link::new_web_socket_key(context_.random) : std::string();
  welcome_.emplace(transport_, key);
  link::write_hello(stream_->out(), hello, {host, gateway_.prefix, transport_, key});
  stream_->flush_soon();
  stream_->read();
}

void DialAttempt::take_welcome() {
  if (!stream_->readable().empty()) {
    auto outcome = welcome_->read(stream_->readable());
    if (outcome.gateway_id) {
      deadline_.clear();
      stream_->consume(outcome.consumed);
      owner_.on_step(DialStep::handshake, "gateway " + *outcome.gateway_id);
      return owner_.on_dialed(
          {std::exchange(stream_, nullptr), transport_, *std::move(outcome.gateway_id), remote_, path_});
    }
    if (outcome.refusal) return fail(problem_of(*outcome.refusal, wall_time()));
    if (!outcome.broken.empty()) return fail(not_a_gateway(std::move(outcome.broken)));
  }
  if (stream_->at_end()) return on_broken("the end of the connection");
  stream_->read();
}

void DialAttempt::on_readable() { step_ == DialStep::proxy ? take_proxy_answer() : take_welcome(); }

void DialAttempt::on_broken(std::string_view why) {
  if (step_ == DialStep::proxy) {
    return fail({Cause::not_a_proxy, DialStep::proxy, "it broke the connection off: " + std::string(why)});
  }
  const auto* tls = stream_->tls();
  const auto* failure = tls != nullptr ? tls->failure() : nullptr;
  // With TLS 1.3 the other side's refusal may come behind the end of our handshake.
  if (step_ == DialStep::tls || failure != nullptr) {
    return fail(tls_problem(failure, why, gateway_.target.host, wall_time(), proxy_time_));
  }
  DialProblem problem{Cause::handshake_closed, DialStep::handshake, std::string(why)};
  problem.other_transport = true;
  fail(problem);
}

void DialAttempt::on_deadline() {
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(context_.limit);
  const auto cause = step_ == DialStep::proxy ? Cause::proxy_timeout
                     : step_ == DialStep::tls ? Cause::tls_timeout
                                              : Cause::handshake_timeout;
  DialProblem problem{cause, step_, "timed out after " + base::to_string(limit)};
  problem.other_transport = step_ == DialStep::handshake;
  fail(problem);
}

void DialAttempt::enter(DialStep step) {
  step_ = step;
  deadline_.set(net::Loop::now() + context_.limit);
}

void DialAttempt::fail(const DialProblem& problem) {
  cancel();
  owner_.on_failed(problem);
}

}  // namespace adit::connector
