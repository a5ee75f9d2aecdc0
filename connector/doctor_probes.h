#pragma once
// The doctor's looks at single things: what the connector does all the time, once, and waited for. Each runs the loop
// until it knows; the parts that it drives have time limits of their own.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/connector_link.h"
#include "connector/dial_attempt.h"
#include "connector/service_dial.h"

namespace adit::connector {

/// A step that a dial has taken.
struct StepTaken {
  DialStep step;
  std::string what;
  base::Duration took;
};

/// One attempt to open a link.
class AttemptProbe final : private DialAttemptOwner {
 public:
  AttemptProbe(const DialContext& context, const GatewayAddress& gateway, link::Transport transport);

  const std::vector<StepTaken>& steps() const { return steps_; }
  const std::optional<DialProblem>& problem() const { return problem_; }
  base::Duration last_took() const { return last_took_; }  ///< of the step that failed
  /// Of an attempt without a problem; once.
  Dialed take() { return *std::exchange(dialed_, std::nullopt); }

 private:
  void on_step(DialStep step, const std::string& what) override;
  void on_dialed(Dialed dialed) override { dialed_ = std::move(dialed); }
  void on_failed(const DialProblem& problem) override;
  base::Duration lap();

  base::TimePoint began_;
  std::vector<StepTaken> steps_;
  std::optional<DialProblem> problem_;
  base::Duration last_took_{0};
  std::optional<Dialed> dialed_;
};

/// A link that offers nothing, so that no visitor is led to it.
class LinkProbe final : private ConnectorLinkOwner {
 public:
  LinkProbe(const DialContext& context, Dialed dialed);

  /// Why the link does not work; empty when the gateway takes offers and answers PING.
  const std::string& problem() const { return problem_; }
  base::Duration round_trip() const { return round_trip_; }

 private:
  void on_gateways(ConnectorLink&, const std::vector<std::string>&) override { serving_ = true; }
  void on_gateway_leaving(ConnectorLink&, std::string_view reason) override {
    problem_ = "it leaves: " + std::string(reason);
  }
  void on_link_over(ConnectorLink&, std::string_view why) override;

  bool serving_ = false;
  bool over_ = false;
  std::string problem_;
  base::Duration round_trip_{0};
};

/// One dial to a service.
class ServiceProbe final : private ServiceDialOwner {
 public:
  ServiceProbe(net::Loop& loop, const Service& service);

  std::string_view problem() const { return problem_; }  ///< empty when it was reached
  std::optional<StreamFailure> failure() const { return failure_; }
  const std::string& reached() const { return reached_; }

 private:
  void on_service_reached(net::StreamPtr stream) override;
  void on_service_failed(StreamFailure failure, std::string_view reason) override;

  bool done_ = false;
  std::string reached_;
  std::string problem_;
  std::optional<StreamFailure> failure_;
};

}  // namespace adit::connector
