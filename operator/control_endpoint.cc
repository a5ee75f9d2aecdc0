#include "operator/control_endpoint.h"

#include <utility>

#include "base/log.h"
#include "net/tls_context.h"

namespace adit::controller {

bool ControlEndpoint::use(const EdgeCertificates& certificates) {
  const auto tls =
      net::make_server_context(net::TlsUse::link, certificates.serving.certificate, certificates.serving.key);
  if (!tls) {
    base::log::error("control certificate cannot be used", {{"reason", tls.error()}});
    return false;
  }
  auto held = server();
  if (held) {
    held->set_tls(*tls);
  } else {
    auto started = listen(*tls);
    if (!started) return false;
    held = std::move(*started);
  }
  held->set_peer_certificate({certificates.peer.certificate, certificates.peer.key, certificates.authority.trusted});
  if (certificates.link) held->set_link_certificate(*certificates.link);
  return true;
}

base::Result<std::shared_ptr<ControlServer>> ControlEndpoint::listen(net::TlsContext tls) {
  auto started = ControlServer::start(where_, std::move(tls), parts_);
  const std::lock_guard lock(mutex_);
  if (!started) {
    const auto failure = "--control: " + started.error();
    if (std::exchange(failure_, failure) != failure) {
      base::log::error("cannot listen; it is tried again", {{"for", "gateways"}, {"reason", started.error()}});
    }
    return base::Error{failure};
  }
  failure_.clear();
  server_ = std::move(*started);
  base::log::info("listening", {{"for", "gateways"}, {"port", server_->port()}});
  if (term_ != 0) server_->lead(term_);
  if (compilation_) server_->update(compilation_);
  return server_;
}

std::shared_ptr<ControlServer> ControlEndpoint::server() const {
  const std::lock_guard lock(mutex_);
  return server_;
}

void ControlEndpoint::lead(std::uint64_t term) {
  const std::lock_guard lock(mutex_);
  term_ = term;
  if (server_) server_->lead(term);
}

void ControlEndpoint::resign() {
  const std::lock_guard lock(mutex_);
  term_ = 0;
  compilation_.reset();
  if (server_) server_->resign();
}

void ControlEndpoint::update(const CompilationPtr& compilation) {
  const std::lock_guard lock(mutex_);
  if (term_ != 0) compilation_ = compilation;
  if (server_) server_->update(compilation);
}

base::Result<void> ControlEndpoint::ready() const {
  const std::lock_guard lock(mutex_);
  if (!failure_.empty()) return base::Error{failure_};
  if (!server_) return base::Error{"there is no certificate for the control channel yet"};
  return {};
}

void ControlEndpoint::stop() {
  std::shared_ptr<ControlServer> ended;  // after the lock: its thread may be waiting for this endpoint
  const std::lock_guard lock(mutex_);
  ended = std::exchange(server_, nullptr);
}

}  // namespace adit::controller
