#pragma once
// Where gateways come to: one TLS listener, on which the leader accepts and everybody else answers 503.

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "base/settings.h"
#include "net/message_server.h"
#include "operator/authenticator.h"
#include "operator/compiler.h"
#include "operator/gateway_sessions.h"

namespace adit::controller {

/// Its thread is that of the message server; every call may come from any thread.
class ControlServer {
 public:
  struct Parts {
    Authenticator& authenticator;
    EdgeViews& views;
    GatewaySessions::OnViews on_views;
    std::function<bool()> may_lead;  ///< as in GatewaySessions::Callbacks
  };
  static base::Result<std::unique_ptr<ControlServer>> start(const base::ListenAddress& where, net::TlsContext tls,
                                                            Parts parts, GatewaySessionsSettings settings = {});
  /// The authenticator may still be at work for it, and must outlive it.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  void lead(std::uint64_t term);
  void resign();
  void update(CompilationPtr compilation);
  void set_link_certificate(KeyCertificate pair);
  void set_peer_certificate(control::PeerCertificateMessage message);
  void set_tls(net::TlsContext tls) { server_->set_tls(std::move(tls)); }
  std::uint16_t port() const { return server_->endpoint().port(); }

 private:
  class WayBack;
  /// Of a token that was accepted a moment ago.
  struct Expected {
    WallTime expires;
    base::TimePoint since;
  };

  explicit ControlServer(Parts parts);
  void decide(const net::ChannelHello& hello, net::MessageServer::Answer answer);
  void expect(const std::string& remote, WallTime expires);
  void accepted(std::unique_ptr<net::MessageChannel> channel, const net::ChannelHello& hello);
  void check_token(const std::string& token, std::function<void(std::optional<WallTime>)> done);

  Parts parts_;
  std::unique_ptr<net::MessageServer> server_;
  std::shared_ptr<WayBack> way_back_;
  std::unique_ptr<GatewaySessions> sessions_;
  std::unordered_map<std::string, Expected> expected_;  ///< by remote address
};

}  // namespace adit::controller
