#include "connector/gateway_dial.h"

#include <utility>

#include "base/version.h"

namespace adit::connector {
namespace {

constexpr std::uint16_t kHttpsPort = 443;

/// As a browser writes it: the default port is left out (RFC 9110 §7.2).
std::string host_field(const net::Target& gateway) {
  auto text = gateway.text();
  if (gateway.port == kHttpsPort) text.erase(text.rfind(':'));
  return text;
}

}  // namespace

GatewayDial::GatewayDial(net::Loop& loop, GatewayDialOwner& owner, const net::Target& gateway, const Identity& identity,
                         Credentials& credentials, bool insecure)
    : loop_(loop),
      owner_(owner),
      gateway_(gateway),
      identity_(identity),
      credentials_(credentials),
      insecure_(insecure),
      deadline_(net::Deadline::of<&GatewayDial::on_deadline>(loop, this)) {}

GatewayDial::~GatewayDial() { cancel(); }

void GatewayDial::start() {
  established_ = false;
  welcome_.emplace();
  auto token = credentials_.token();
  if (!token) return fail(DialResult::credentials, "credentials", token.error());
  token_ = *std::move(token);
  if (!insecure_) {
    auto tls = credentials_.tls();
    if (!tls) return fail(DialResult::credentials, "credentials", tls.error());
    tls_ = *std::move(tls);
  }
  dial_ = net::Dial::start(
      loop_, gateway_, kConnectLimit, [this](net::Socket socket) { on_connected(std::move(socket)); },
      [this](const net::DialFailure& failure) {
        const bool resolving = failure.phase == net::DialPhase::resolve;
        const auto result = failure.timed_out ? DialResult::timeout
                            : resolving       ? DialResult::name
                                              : DialResult::connect;
        fail(result, resolving ? "resolve" : "connect", failure.reason);
      });
}

void GatewayDial::cancel() {
  deadline_.clear();
  if (dial_) std::exchange(dial_, nullptr)->cancel();
  if (stream_) std::exchange(stream_, nullptr)->close();
  token_.clear();
}

void GatewayDial::on_connected(net::Socket socket) {
  dial_.reset();
  remote_ = net::to_text(net::peer_of(socket));
  deadline_.set(net::Loop::now() + kHandshakeLimit);
  net::SslPtr ssl;
  if (!insecure_) ssl = net::new_client(tls_, gateway_.host);
  const net::StreamPtr stream(new net::Stream(loop_, std::move(socket), std::move(ssl)));
  stream_ = stream;
  stream->start(*this);
  if (insecure_) on_established();
}

void GatewayDial::on_established() {
  established_ = true;
  say_hello();
  stream_->read();
}

void GatewayDial::say_hello() {
  link::Hello hello;
  hello.token = std::exchange(token_, std::string());
  hello.tunnel_id = identity_.tunnel;
  hello.connector = identity_.name;
  hello.instance = identity_.instance;
  hello.version = base::kVersion;
  const auto host = host_field(gateway_);
  link::HelloForm form;
  form.host = host;
  link::write_hello(stream_->out(), hello, form);
  stream_->flush_soon();
}

void GatewayDial::on_readable() {
  if (!stream_->readable().empty()) {
    take(welcome_->read(stream_->readable()));
    if (!stream_) return;
  }
  if (stream_->at_end())
    return fail(DialResult::broken, phase(), "the gateway closed the connection without an answer");
  stream_->read();
}

void GatewayDial::take(link::WelcomeReader::Outcome outcome) {
  if (outcome.gateway_id) {
    deadline_.clear();
    stream_->consume(outcome.consumed);
    return owner_.on_dialed(std::exchange(stream_, nullptr), *std::move(outcome.gateway_id), remote_);
  }
  if (outcome.refusal) {
    const auto& refusal = *outcome.refusal;
    return fail(DialResult::refused, "handshake",
                "the gateway refused with " + std::to_string(refusal.status) + ": " + refusal.reason,
                refusal.retry_after);
  }
  if (!outcome.broken.empty()) fail(DialResult::broken, "handshake", std::move(outcome.broken));
}

void GatewayDial::on_broken(std::string_view why) {
  fail(established_ ? DialResult::broken : DialResult::tls, phase(), std::string(why));
}

void GatewayDial::on_deadline() {
  fail(DialResult::timeout, phase(),
       established_ ? "timed out waiting for the gateway's answer" : "timed out during the TLS handshake");
}

void GatewayDial::fail(DialResult result, std::string_view phase, std::string cause, std::chrono::seconds retry_after) {
  cancel();
  owner_.on_dial_failed(DialProblem{result, std::string(phase), std::move(cause), retry_after});
}

}  // namespace adit::connector
