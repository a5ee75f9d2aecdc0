#pragma once
// Where gateways come to: one TLS listener, on which the leader accepts and everybody else answers 503.

#include <functional>
#include <memory>
#include <string>
#include <vector>

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
  static base::Result<std::unique_ptr<ControlServer>> start(const base::ListenAddress& where, net::TlsContext tls,
                                                            Authenticator& authenticator, EdgeViews& views,
                                                            GatewaySessions::OnViews on_views);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  void lead(std::uint64_t term);
  void resign();
  void update(CompilationPtr compilation);
  void set_link_certificate(KeyCertificate pair);
  void set_tls(net::TlsContext tls) { server_->set_tls(std::move(tls)); }
  std::uint16_t port() const { return server_->endpoint().port(); }

 private:
  ControlServer(Authenticator& authenticator, EdgeViews& views, GatewaySessions::OnViews on_views);
  void decide(const net::ChannelHello& hello, net::MessageServer::Answer answer);
  void accepted(std::unique_ptr<net::MessageChannel> channel, const net::ChannelHello& hello);
  void check_token(const std::string& token, std::function<void(std::optional<WallTime>)> done);

  Authenticator& authenticator_;
  EdgeViews& views_;
  GatewaySessions::OnViews on_views_;
  std::unique_ptr<net::MessageServer> server_;
  std::unique_ptr<GatewaySessions> sessions_;
  /// Of tokens that were accepted a moment ago: remote address → end of the token.
  std::unordered_map<std::string, WallTime> expected_;
};

}  // namespace adit::controller
