#pragma once
// Where gateways reach this operator: listens once there is a certificate, and tells who comes what holds by then.

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "base/settings.h"
#include "operator/control_server.h"
#include "operator/edge_certificates.h"

namespace adit::controller {

/// Any thread.
class ControlEndpoint {
 public:
  /// `parts` are borrowed and outlive the endpoint.
  ControlEndpoint(base::ListenAddress where, ControlServer::Parts parts)
      : where_(std::move(where)), parts_(std::move(parts)) {}

  /// Listens by the first certificates, and serves later ones to who comes then. False, and a line in the log: they
  /// cannot be used, or the address cannot be bound; call again.
  bool use(const EdgeCertificates& certificates);
  /// This operator leads. What the term before has compiled is forgotten by resign().
  void lead(std::uint64_t term);
  void resign();
  void update(const CompilationPtr& compilation);
  /// The error says why gateways cannot come.
  base::Result<void> ready() const;
  /// Ends all sessions and the listener, for good.
  void stop();

 private:
  base::Result<std::shared_ptr<ControlServer>> listen(net::TlsContext tls);
  std::shared_ptr<ControlServer> server() const;

  const base::ListenAddress where_;
  const ControlServer::Parts parts_;
  mutable std::mutex mutex_;
  std::shared_ptr<ControlServer> server_;
  CompilationPtr compilation_;  ///< of this term, for a listener that comes later
  std::uint64_t term_ = 0;      ///< 0: not leading
  std::string failure_;
};

}  // namespace adit::controller
