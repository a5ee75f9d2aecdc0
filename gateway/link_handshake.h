#pragma once
// One connector on its way in: the request, its answer, and the end of those that are refused.

#include <memory>
#include <string>

#include <boost/intrusive/list.hpp>

#include "gateway/connection_limiter.h"
#include "gateway/link_directory.h"
#include "gateway/visitor_origin.h"
#include "http/parser.h"
#include "net/loop.h"
#include "net/stream.h"

namespace adit::gateway {

class LinkAcceptor;

/// Lives on the acceptor's loop; the acceptor destroys it at the end of the turn in which it says that it is over. Must
/// be whole within kLimit.
class LinkHandshake final : public boost::intrusive::list_base_hook<>, private net::StreamOwner {
 public:
  static constexpr base::Duration kLimit = std::chrono::seconds(10);

  /// `peer`: "address:port". `place`: what the connection counts as while it lasts, if it came as a visitor's.
  LinkHandshake(LinkAcceptor& acceptor, net::StreamPtr stream, VisitorEndpoint endpoint, std::string peer,
                ConnectionPlace place = {});
  ~LinkHandshake();

  /// Of a fresh connection.
  void start();
  /// Of one that has done its TLS handshake, with the request in front of what is readable.
  void go_on();
  void over();

 private:
  void on_established() override;
  void on_readable() override;
  void on_sent() override;
  void on_broken(std::string_view why) override;
  void on_deadline() { over(); }

  void take(const http::RequestHead& head, std::size_t head_size);
  void refuse(link::Refusal refusal);
  void discard();
  void hand_over_when_sent();

  LinkAcceptor& acceptor_;
  net::StreamPtr stream_;
  const VisitorEndpoint endpoint_;
  std::string remote_;
  ConnectionPlace place_;
  net::Deadline deadline_;
  http::RequestParser parser_{http::HeadLimits{std::size_t{16} * 1024, 1024}};
  std::shared_ptr<LinkInfo> info_;  ///< once it is let in
  bool refused_ = false;
};

}  // namespace adit::gateway
