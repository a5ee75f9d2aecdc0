#pragma once
// One try to open a link: name, connection, TLS, handshake.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "connector/credentials.h"
#include "connector/metrics.h"
#include "link/handshake.h"
#include "net/dialer.h"
#include "net/stream.h"

namespace adit::connector {

/// What the connector says of itself at every gateway; the token comes from Credentials.
struct Identity {
  std::string tunnel;
  std::string name;
  std::string instance;
};

/// Why a try failed, for the log and the status page.
struct DialProblem {
  DialResult result = DialResult::broken;
  std::string phase;  ///< "credentials", "resolve", "connect", "tls", "handshake"
  std::string cause;
  std::chrono::seconds retry_after{0};
};

class GatewayDialOwner {
 public:
  /// The handshake is done; what is readable behind it belongs to the link. The owner gives the stream another owner.
  /// `remote` is the address that answered.
  virtual void on_dialed(net::StreamPtr stream, std::string gateway_id, std::string remote) = 0;
  virtual void on_dial_failed(const DialProblem& problem) = 0;

 protected:
  ~GatewayDialOwner() = default;
};

/// Used again for each try of a slot, one at a time. On its loop's thread.
class GatewayDial final : private net::StreamOwner {
 public:
  static constexpr base::Duration kConnectLimit = std::chrono::seconds(10);
  static constexpr base::Duration kHandshakeLimit = std::chrono::seconds(10);  ///< TLS and HTTP together

  /// All are borrowed.
  GatewayDial(net::Loop& loop, GatewayDialOwner& owner, const net::Target& gateway, const Identity& identity,
              Credentials& credentials, bool insecure);
  ~GatewayDial();

  /// Exactly one report follows, maybe from within, unless cancel() is called.
  void start();
  void cancel();

 private:
  void on_connected(net::Socket socket);
  void on_established() override;
  void on_readable() override;
  void on_sent() override {}
  void on_broken(std::string_view why) override;
  void on_deadline();
  void say_hello();
  void take(link::WelcomeReader::Outcome outcome);
  void fail(DialResult result, std::string_view phase, std::string cause,
            std::chrono::seconds retry_after = std::chrono::seconds{0});
  std::string_view phase() const { return established_ ? "handshake" : "tls"; }

  net::Loop& loop_;
  GatewayDialOwner& owner_;
  const net::Target& gateway_;
  const Identity& identity_;
  Credentials& credentials_;
  const bool insecure_;

  std::string token_;  ///< of this try, until it is sent
  net::TlsContext tls_;
  boost::intrusive_ptr<net::Dial> dial_;
  net::StreamPtr stream_;
  std::string remote_;
  net::Deadline deadline_;
  std::optional<link::WelcomeReader> welcome_;
  bool established_ = false;
};

}  // namespace adit::connector
