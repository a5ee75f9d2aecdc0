#pragma once
// One stream of a link joined to one connection to a service. Bytes are not looked at.

#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>

#include "connector/metrics.h"
#include "connector/service_dial.h"
#include "link/stream.h"
#include "net/stream.h"

namespace adit::connector {

class ServicePipe;

/// Who owns the pipes of a worker.
class PipeOwner {
 public:
  /// The pipe is over; the owner destroys it later in the turn.
  virtual void on_pipe_over(ServicePipe& pipe) = 0;
  /// The service could not be reached. `reason` is for logs and for the gateway.
  virtual void on_unreachable(const Service& service, StreamFailure failure, std::string_view reason) = 0;

 protected:
  ~PipeOwner() = default;
};

/// Dials the service, answers the opening, then passes bytes and ends both ways. Back-pressure is that of the two ends:
/// the link's credit is given back as the service's socket takes bytes, and the service is read only when what it sent
/// before is gone. Lives on the link's loop.
class ServicePipe final : public link::StreamHandler,
                          public boost::intrusive::list_base_hook<>,
                          private ServiceDialOwner,
                          private net::StreamOwner {
 public:
  /// What a service may take for the last bytes once the link's stream is over.
  static constexpr base::Duration kLingerLimit = std::chrono::seconds(30);

  ServicePipe(net::Loop& loop, PipeOwner& owner, const Service& service, ServiceCells& cells, link::Stream& stream);
  ~ServicePipe();

  /// Begins to dial. Nothing is reported from within.
  void start();
  /// Ends both sides at once, without a word to the owner.
  void abort();

 private:
  // The stream of the link.
  void on_answer(int, std::string_view) override {}
  void on_data(std::span<const char> bytes) override;
  void on_end() override;
  void on_closed(link::Closed why) override;
  std::span<const char> to_send() override;
  void on_sent(std::size_t size) override;

  // The way to the service.
  void on_service_reached(net::StreamPtr stream) override;
  void on_service_failed(StreamFailure failure, std::string_view reason) override { refuse(failure, reason); }

  // The connection to the service.
  void on_readable() override;
  void on_sent() override;
  void on_broken(std::string_view why) override;

  void on_deadline() { over(); }
  void refuse(StreamFailure failure, std::string_view reason);
  void end_if_drained();
  void over();

  PipeOwner& owner_;
  const Service& service_;
  ServiceCells& cells_;
  link::Stream* stream_;  ///< until it is closed or reset
  ServiceDial dial_;
  net::StreamPtr connection_;
  net::Deadline deadline_;
  std::size_t undelivered_ = 0;  ///< bytes of the link whose credit was not given back yet
  bool established_ = false;
  bool link_ended_ = false;  ///< the gateway ended its half
  bool broken_ = false;      ///< the service's connection is gone; what it sent before may be left
  bool over_ = false;
};

}  // namespace adit::connector
