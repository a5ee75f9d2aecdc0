#pragma once
// The way to one service: name, connection and, for https:// services, TLS.

#include <string_view>

#include "connector/metrics.h"
#include "connector/service_map.h"
#include "net/dialer.h"
#include "net/stream.h"

namespace adit::connector {

class ServiceDialOwner {
 public:
  /// The TLS handshake is done, if there is one. The owner gives the stream another owner.
  virtual void on_service_reached(net::StreamPtr stream) = 0;
  virtual void on_service_failed(StreamFailure failure, std::string_view reason) = 0;

 protected:
  ~ServiceDialOwner() = default;
};

/// On its loop's thread.
class ServiceDial final : private net::StreamOwner {
 public:
  /// For all of it together.
  static constexpr base::Duration kLimit = std::chrono::seconds(10);

  /// All are borrowed; `service` has its trust loaded.
  ServiceDial(net::Loop& loop, const Service& service, ServiceDialOwner& owner)
      : loop_(loop),
        service_(service),
        owner_(owner),
        deadline_(net::Deadline::of<&ServiceDial::on_deadline>(loop, this)) {}
  ~ServiceDial() { cancel(); }

  /// One report follows, never from within, unless cancel() is called.
  void start();
  void cancel();

 private:
  void on_connected(net::Socket socket);
  void on_established() override;
  void on_readable() override {}
  void on_sent() override {}
  void on_broken(std::string_view why) override { fail(StreamFailure::tls, why); }
  void on_deadline();
  void fail(StreamFailure failure, std::string_view reason);

  net::Loop& loop_;
  const Service& service_;
  ServiceDialOwner& owner_;
  net::Deadline deadline_;
  boost::intrusive_ptr<net::Dial> dial_;
  net::StreamPtr stream_;
};

}  // namespace adit::connector
