#include "connector/service_pipes.h"

#include "base/log.h"

namespace adit::connector {
namespace {

/// Of streams that were answered already: nothing that still comes means anything.
class Deaf final : public link::StreamHandler {
 public:
  void on_answer(int, std::string_view) override {}
  void on_data(std::span<const char>) override {}
  void on_end() override {}
  void on_closed(link::Closed) override {}
  std::span<const char> to_send() override { return {}; }
  void on_sent(std::size_t) override {}
};

Deaf deaf;

/// A gateway's text, short enough for a reason.
std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 64;
  return std::string(text.substr(0, kMost)) + (text.size() > kMost ? "…" : "");
}

}  // namespace

ServicePipes::ServicePipes(net::Loop& loop, const ServiceMap& services, WorkerMetrics& metrics)
    : loop_(loop), services_(services), metrics_(metrics), filters_(services.services().size()) {}

ServicePipes::~ServicePipes() {
  live_.clear_and_dispose([](ServicePipe* pipe) { delete pipe; });
}

link::StreamHandler* ServicePipes::open(link::Stream& stream, const link::Opening& opening) {
  const Service* service = services_.find(opening.service);
  if (service == nullptr) {
    metrics_.not_offered.add();
    base::log::debug("service is not offered", {{"service", opening.service}, {"request", opening.request_id}});
    stream.answer(403, "service \"" + shown(opening.service) + "\" is not offered");
    return &deaf;
  }
  PipeOwner& owner = *this;
  auto& cells = metrics_.services[services_.index_of(*service)];
  auto pipe = std::make_unique<ServicePipe>(loop_, owner, *service, cells, stream);
  live_.push_back(*pipe);
  pipe->start();
  return pipe.release();
}

void ServicePipes::on_pipe_over(ServicePipe& pipe) {
  live_.erase(live_.iterator_to(pipe));
  over_.emplace_back(&pipe);
  loop_.defer(*this);
}

void ServicePipes::on_unreachable(const Service& service, StreamFailure failure, std::string_view reason) {
  const auto held_back = filters_[services_.index_of(service)].pass(reason, net::Loop::now());
  if (!held_back) return;
  base::log::warning("service can't be reached", {{"service", service.name},
                                                  {"target", service.target.text()},
                                                  {"kind", kStreamFailureNames[static_cast<std::size_t>(failure)]},
                                                  {"reason", reason},
                                                  {"not_logged", *held_back}});
}

}  // namespace adit::connector
