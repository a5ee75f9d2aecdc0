#include "connector/gateway_dial.h"

#include <utility>

namespace adit::connector {

void GatewayDial::start(net::DialOrder order) {
  first_.reset();
  order_ = std::move(order);
  attempt_.start(choice_.begin(), order_);
}

void GatewayDial::on_dialed(Dialed dialed) {
  choice_.on_up();
  owner_.on_dialed(std::move(dialed));
}

void GatewayDial::on_failed(const DialProblem& problem) {
  const auto transport = choice_.current();
  if (const auto next = choice_.on_failed(problem.other_transport)) {
    first_ = Failed{transport, problem};
    return attempt_.start(*next, order_);
  }
  if (!first_) return owner_.on_dial_failed(problem, attempt_.path());
  owner_.on_dial_failed(both_failed(first_->transport, first_->problem, transport, problem), attempt_.path());
}

}  // namespace adit::connector
