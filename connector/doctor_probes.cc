#include "connector/doctor_probes.h"

#include <utility>

#include "net/certificate_facts.h"

namespace adit::connector {
namespace {

/// Serves the loop until `done` holds, or not any longer than `limit`.
template <class Done>
bool run_until(net::Loop& loop, base::Duration limit, Done done) {
  const auto until = net::Loop::now() + limit;
  while (!done()) {
    if (net::Loop::now() >= until) return false;
    loop.context().run_one_until(until);
  }
  return true;
}

/// For what ends by itself.
constexpr auto kLong = std::chrono::hours(1);
/// For a GOAWAY and its answer.
constexpr auto kGoodbye = std::chrono::seconds(1);

}  // namespace

AttemptProbe::AttemptProbe(const DialContext& context, const GatewayAddress& gateway, link::Transport transport)
    : began_(net::Loop::now()) {
  DialAttempt attempt(context, gateway, std::nullopt, *this);
  attempt.start(transport);
  run_until(context.loop, kLong, [this] { return problem_ || dialed_; });
}

base::Duration AttemptProbe::lap() {
  const auto now = net::Loop::now();
  return now - std::exchange(began_, now);
}

void AttemptProbe::on_step(DialStep step, const std::string& what) {
  // Name and connection are told together: the time of both is the connection's.
  steps_.push_back({step, what, step == DialStep::resolve ? base::Duration(0) : lap()});
}

void AttemptProbe::on_failed(const DialProblem& problem) {
  last_took_ = lap();
  problem_ = problem;
}

LinkProbe::LinkProbe(const DialContext& context, Dialed dialed) {
  const ServiceMap nothing;
  WorkerMetrics metrics(0);
  ServicePipes pipes(context.loop, nothing, metrics);
  std::unique_ptr<link::WebSocket> web_socket;
  if (dialed.transport == link::Transport::websocket) {
    web_socket = std::make_unique<link::WebSocket>(link::WebSocketEnd::client, context.random);
  }
  ConnectorLinkOwner& owner = *this;
  ConnectorLink link(context.loop, std::move(dialed.stream), std::move(web_socket), link::SessionOptions{}, nothing,
                     pipes, owner);
  link.start();
  const bool known = run_until(context.loop, context.limit, [&] {
    if (!over_) round_trip_ = link.stats().round_trip;
    return over_ || !problem_.empty() || (serving_ && round_trip_.count() > 0);
  });
  if (!known) problem_ = serving_ ? "PING was not answered in time" : "the offers were not taken in time";
  if (over_) return;
  link.leave("the doctor has seen enough");
  link.shutdown();
  run_until(context.loop, kGoodbye, [this] { return over_; });
  if (!over_) link.close("the doctor has seen enough");
}

void LinkProbe::on_link_over(ConnectorLink&, std::string_view why) {
  over_ = true;
  if (!serving_ && problem_.empty()) problem_ = "it ended: " + std::string(why);
}

ServiceProbe::ServiceProbe(net::Loop& loop, const Service& service) {
  ServiceDial dial(loop, service, *this);
  dial.start();
  run_until(loop, kLong, [this] { return done_; });
}

void ServiceProbe::on_service_reached(net::StreamPtr stream) {
  reached_ = "connected";
  if (auto* tls = stream->tls()) {
    reached_ += std::string(", ") + SSL_get_version(tls->ssl());
    if (X509* certificate = SSL_get0_peer_certificate(tls->ssl())) {
      reached_ += ", certificate " + net::text_of(net::facts_of(certificate));
    }
  }
  stream->close();
  done_ = true;
}

void ServiceProbe::on_service_failed(StreamFailure failure, std::string_view reason) {
  failure_ = failure;
  problem_ = reason;
  done_ = true;
}

}  // namespace adit::connector
