#pragma once
// One dial to another gateway: connection, TLS, handshake.

#include <optional>
#include <string>
#include <string_view>

#include "gateway/peer_credentials.h"
#include "gateway/peer_metrics.h"
#include "link/peer_handshake.h"
#include "net/dialer.h"
#include "net/stream.h"

namespace adit::gateway {

class PeerDialOwner {
 public:
  /// What is readable on the stream behind the answer belongs to the link; the owner gives it another owner.
  virtual void on_dialled(net::StreamPtr stream, std::string gateway_id) = 0;
  virtual void on_dial_failed(PeerDialResult result, std::string_view why) = 0;

 protected:
  ~PeerDialOwner() = default;
};

/// Used again for each dial of an address, one at a time. On its loop's thread.
class PeerDial final : private net::StreamOwner {
 public:
  static constexpr base::Duration kLimit = std::chrono::seconds(5);  ///< for the connection, and for what follows

  /// All are borrowed.
  PeerDial(net::Loop& loop, PeerCredentials& credentials, const link::PeerHello& hello, PeerDialOwner& owner);
  ~PeerDial() { cancel(); }

  /// Exactly one report follows, maybe from within, unless cancel() is called.
  void start(const net::Target& where);
  void cancel();
  bool under_way() const { return dial_ != nullptr || stream_ != nullptr; }

 private:
  void on_connected(net::Socket socket);
  void say_hello();
  void on_established() override { say_hello(); }
  void on_readable() override;
  void on_sent() override {}
  void on_broken(std::string_view why) override;
  void on_deadline() { fail(PeerDialResult::failed, "timed out"); }
  void fail(PeerDialResult result, std::string_view why);

  net::Loop& loop_;
  PeerCredentials& credentials_;
  const link::PeerHello& hello_;
  PeerDialOwner& owner_;
  net::Deadline deadline_;
  boost::intrusive_ptr<net::Dial> dial_;
  net::StreamPtr stream_;
  std::optional<link::WelcomeReader> welcome_;
};

}  // namespace adit::gateway
