#pragma once
// Where connectors come in: TLS, the link handshake, the token, and the hand-over to a worker.

#include <memory>
#include <string>

#include "base/result.h"
#include "gateway/certificates.h"
#include "gateway/failure_limiter.h"
#include "gateway/worker.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/tls_context.h"

namespace adit::gateway {

struct LinkListenerOptions {
  net::asio::ip::tcp::endpoint where;
  std::string host;       ///< without a chain_pem: whose certificate is served when the operator has sent none
  std::string chain_pem;  ///< a certificate of its own
  std::string key_pem;
  bool insecure = false;  ///< no TLS
};

/// One acceptor for all links, since listeners that share a port would leave some workers without links; each link goes
/// to the worker that has fewest of its tunnel. On its loop's thread only.
class LinkAcceptor final {
 public:
  LinkAcceptor(net::Loop& loop, Shared& shared);
  ~LinkAcceptor();

  /// Before the loop runs.
  base::Result<net::asio::ip::tcp::endpoint> listen(const LinkListenerOptions& options);
  /// The gateway is about to end: no more links.
  void close();

 private:
  class Handshake;
  struct Handshakes;

  void accept(net::Socket socket, const net::asio::ip::tcp::endpoint& peer);
  void forget(Handshake& handshake);
  void hand_over(const net::StreamPtr& stream, std::shared_ptr<LinkInfo> info);

  net::Loop& loop_;
  Shared& shared_;
  bool insecure_ = false;
  bool closed_ = false;
  std::unique_ptr<Certificates> certificates_;
  net::TlsContext tls_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<Handshakes> handshakes_;
  FailureLimiter failures_;
};

}  // namespace adit::gateway
