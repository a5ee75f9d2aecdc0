#pragma once
// The pipes of one worker: takes the streams that gateways open, and owns what comes of them.

#include <memory>
#include <vector>

#include "connector/failure_filter.h"
#include "connector/service_pipe.h"
#include "link/session.h"

namespace adit::connector {

/// On the worker's loop only. Outlives the links whose streams it takes.
class ServicePipes final : private PipeOwner, private net::TurnTask {
 public:
  /// All are borrowed.
  ServicePipes(net::Loop& loop, const ServiceMap& services, WorkerMetrics& metrics);
  ~ServicePipes();

  /// Joins the stream to the service that it names; one that is not offered is answered with 403.
  link::StreamHandler* open(link::Stream& stream, const link::Opening& opening);
  bool empty() const { return live_.empty(); }

 private:
  void on_pipe_over(ServicePipe& pipe) override;
  void on_unreachable(const Service& service, StreamFailure failure, std::string_view reason) override;
  void at_turn_end() override { over_.clear(); }

  net::Loop& loop_;
  const ServiceMap& services_;
  WorkerMetrics& metrics_;
  std::vector<FailureFilter> filters_;  ///< by service
  boost::intrusive::list<ServicePipe> live_;
  std::vector<std::unique_ptr<ServicePipe>> over_;  ///< destroyed at the end of the turn
};

}  // namespace adit::connector
