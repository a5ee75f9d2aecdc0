#pragma once
// Where connectors come in: TLS, the link handshake, the token, and the hand-over to a worker.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/certificates.h"
#include "gateway/connection_limiter.h"
#include "gateway/link_admission.h"
#include "gateway/visitor_origin.h"
#include "gateway/worker.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/tls_context.h"

namespace adit::gateway {

class LinkHandshake;

/// A connection to a public listener on which a link is asked for: TLS, if any, is done, and the request stands in
/// front of its bytes.
struct LinkArrival {
  net::Stream::Parts parts;
  VisitorEndpoint endpoint;
  std::string peer;  ///< "address:port"
  ConnectionPlace place;
};

/// One acceptor for all links, since listeners that share a port would leave some workers without links; each link goes
/// to the worker that has fewest of its tunnel. On its loop's thread only, but for arrive().
class LinkAcceptor final {
 public:
  LinkAcceptor(net::Loop& loop, Shared& shared);
  ~LinkAcceptor();

  /// Before the loop runs: a listener of its own.
  base::Result<net::asio::ip::tcp::endpoint> listen(const net::asio::ip::tcp::endpoint& where);
  /// Any thread. Takes over what has come to a public listener.
  void arrive(LinkArrival arrival);
  /// The gateway is about to leave: new links are refused, with a word to dial elsewhere.
  void refuse() { closed_ = true; }
  /// The gateway is about to end: no more links.
  void close();

  // For handshakes.
  net::Loop& loop() { return loop_; }
  http::RequestHead& request_scratch() { return request_scratch_; }
  const std::vector<base::IpNetwork>& trusted_proxies() const { return shared_.edge.trusted_proxies; }
  const std::string& gateway_id() const { return shared_.gateway_id; }
  LinkVerdict admit(const link::Hello& hello, const base::IpAddress& from);
  /// Counts and logs it, the latter not without end: strangers can ask as often as they like.
  void note_refusal(std::string_view remote, const link::Refusal& refusal);
  /// The handshake is done and the answer sent.
  void hand_over(const net::StreamPtr& stream, std::shared_ptr<LinkInfo> info);
  /// The handshake is over; it is destroyed at the end of the turn.
  void forget(LinkHandshake& handshake);

 private:
  struct Handshakes;

  void accept(net::Socket socket, const net::asio::ip::tcp::endpoint& peer);
  LinkHandshake& add(std::unique_ptr<LinkHandshake> handshake);
  void doubt_predecessors(const LinkInfo& info);

  net::Loop& loop_;
  Shared& shared_;
  bool closed_ = false;
  std::unique_ptr<Certificates> certificates_;
  net::TlsContext tls_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<Handshakes> handshakes_;
  http::RequestHead request_scratch_;
  LinkAdmission admission_;
  base::TimePoint log_window_;  ///< when it began
  std::size_t logged_ = 0;      ///< refusals, in the window
  std::size_t not_logged_ = 0;  ///< since the last one that was
};

}  // namespace adit::gateway
