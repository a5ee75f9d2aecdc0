#pragma once
// One try to open a link over one transport: credentials, name, connection, proxy, TLS, handshake.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connector/credentials.h"
#include "connector/dial_problem.h"
#include "connector/gateway_address.h"
#include "connector/identity.h"
#include "connector/proxy.h"
#include "link/dial_places.h"
#include "link/handshake.h"
#include "link/proxy_tunnel.h"
#include "net/dialer.h"
#include "net/stream.h"

namespace adit::connector {

/// What the dials of one worker share. All are borrowed and outlive the dials.
struct DialContext {
  static constexpr base::Duration kLimit = std::chrono::seconds(10);

  net::Loop& loop;
  const Identity& identity;
  Credentials& credentials;
  const ProxySettings& proxy;
  base::Random& random;
  /// For each step: name and connection (together), proxy, TLS, handshake.
  base::Duration limit = kLimit;
};

/// A connection whose handshake is done; what is readable behind it belongs to the link.
struct Dialed {
  net::StreamPtr stream;  ///< the owner gives it another owner
  link::Transport transport = link::Transport::upgrade;
  std::string gateway_id;
  std::string remote;  ///< the address that answered: the gateway's or the proxy's
  link::DialPath path;
};

class DialAttemptOwner {
 public:
  /// A step is done; `what` says how, for a person. Not for credentials.
  virtual void on_step(DialStep step, const std::string& what) = 0;
  virtual void on_dialed(Dialed dialed) = 0;
  virtual void on_failed(const DialProblem& problem) = 0;

 protected:
  ~DialAttemptOwner() = default;
};

/// Used again for each try, one at a time. On its loop's thread.
class DialAttempt final : private net::StreamOwner {
 public:
  /// All are borrowed. `slot`: see link::Hello.
  DialAttempt(const DialContext& context, const GatewayAddress& gateway, std::optional<std::uint32_t> slot,
              DialAttemptOwner& owner);
  ~DialAttempt();

  /// on_dialed() or on_failed() follows once, maybe from within, unless cancel() is called. `order`: of the gateway's
  /// addresses; a proxy has its own.
  void start(link::Transport transport, net::DialOrder order = {});
  void cancel();
  /// What the last try met on its way, when it has failed.
  const link::DialPath& path() const { return path_; }

 private:
  bool read_credentials();
  void connect();
  void note_path();
  void on_connected(net::Socket socket);
  void begin_proxy();
  void take_proxy_answer();
  void begin_tls();
  void begin_handshake();
  void take_welcome();

  // The connection.
  void on_established() override;
  void on_readable() override;
  void on_sent() override {}
  void on_broken(std::string_view why) override;
  void on_deadline();

  void enter(DialStep step);
  void fail(const DialProblem& problem);

  DialContext context_;
  const GatewayAddress& gateway_;
  const std::optional<std::uint32_t> slot_;
  DialAttemptOwner& owner_;

  // Of the try under way.
  net::DialOrder order_;
  link::DialPath path_;
  link::Transport transport_ = link::Transport::upgrade;
  const ProxyAddress* proxy_ = nullptr;  ///< nullptr: dialled directly
  std::string proxy_credentials_;        ///< until they are sent, as the token
  std::string token_;
  net::TlsContext tls_;
  DialStep step_ = DialStep::credentials;
  boost::intrusive_ptr<net::Dial> dial_;
  net::StreamPtr stream_;
  std::string remote_;
  net::Deadline deadline_;
  std::optional<link::ProxyAnswerReader> proxy_answer_;
  std::optional<WallTime> proxy_time_;  ///< the Date of the proxy's answer
  std::optional<link::WelcomeReader> welcome_;
};

}  // namespace adit::connector
