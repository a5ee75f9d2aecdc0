#pragma once
// One gateway on its way in to another: TLS, the request, its answer.

#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>

#include "link/peer_handshake.h"
#include "net/loop.h"
#include "net/stream.h"

namespace adit::gateway {

class PeerHandshake;

class PeerHandshakeOwner {
 public:
  virtual const std::string& gateway_id() const = 0;
  /// The peer is let in and was told so. The stream gets another owner.
  virtual void on_peer_came(const net::StreamPtr& stream, link::PeerHello hello, const std::string& remote) = 0;
  /// It was not let in, for that reason.
  virtual void on_peer_refused(const std::string& remote, std::string_view why) = 0;
  /// Always the last call; the owner destroys it later in the turn.
  virtual void on_handshake_over(PeerHandshake& handshake) = 0;

 protected:
  ~PeerHandshakeOwner() = default;
};

/// Must be whole within kLimit. On its loop only.
class PeerHandshake final : public boost::intrusive::list_base_hook<>, private net::StreamOwner {
 public:
  static constexpr base::Duration kLimit = std::chrono::seconds(5);

  PeerHandshake(net::Loop& loop, PeerHandshakeOwner& owner, net::StreamPtr stream, std::string remote);
  ~PeerHandshake();

  void start();
  /// Ends it without a word.
  void over();

 private:
  void on_established() override { stream_->read(); }
  void on_readable() override;
  void on_sent() override;
  void on_broken(std::string_view why) override;
  void on_deadline();
  void refuse(const link::Refusal& refusal);
  void discard();
  void come_in();

  PeerHandshakeOwner& owner_;
  net::StreamPtr stream_;
  const std::string remote_;
  net::Deadline deadline_;
  link::PeerHelloReader reader_;
  link::PeerHello hello_;
  bool let_in_ = false;
  bool refused_ = false;
};

}  // namespace adit::gateway
