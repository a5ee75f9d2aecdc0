#include "connector/service_dial.h"

#include <string>
#include <utility>

namespace adit::connector {

void ServiceDial::start() {
  deadline_.set(net::Loop::now() + kLimit);
  dial_ = net::Dial::start(
      loop_, service_.target, kLimit, [this](net::Socket socket) { on_connected(std::move(socket)); },
      [this](const net::DialFailure& failure) {
        auto kind = failure.phase == net::DialPhase::resolve ? StreamFailure::name : StreamFailure::refused;
        if (failure.timed_out) kind = StreamFailure::timeout;
        fail(kind, failure.reason);
      });
}

void ServiceDial::cancel() {
  deadline_.clear();
  if (dial_) std::exchange(dial_, nullptr)->cancel();
  if (stream_) std::exchange(stream_, nullptr)->abort();
}

void ServiceDial::on_connected(net::Socket socket) {
  dial_.reset();
  net::SslPtr ssl;
  if (service_.tls) ssl = net::new_client(service_.context, service_.tls->server_name);
  stream_ = new net::Stream(loop_, std::move(socket), std::move(ssl));
  stream_->start(*this);
  if (!service_.tls) on_established();
}

void ServiceDial::on_established() {
  deadline_.clear();
  owner_.on_service_reached(std::exchange(stream_, nullptr));
}

void ServiceDial::on_deadline() {
  if (stream_) fail(StreamFailure::timeout, "timed out during the TLS handshake");
}

void ServiceDial::fail(StreamFailure failure, std::string_view reason) {
  const std::string kept(reason);  // of a stream that cancel() may end
  cancel();
  owner_.on_service_failed(failure, kept);
}

}  // namespace adit::connector
