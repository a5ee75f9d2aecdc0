#pragma once
// One link slot: dials when it is told, holds the link, and reports what became of it.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/connector_link.h"
#include "connector/gateway_dial.h"
#include "connector/link_coordinator.h"
#include "connector/link_report.h"

namespace adit::connector {

/// What the slots of one worker share. All are borrowed and outlive the slots.
struct SlotContext {
  DialContext dial;
  TransportMode transport = TransportMode::automatic;
  const ServiceMap& services;
  ServicePipes& pipes;
  WorkerMetrics& metrics;
  LinkCoordinator& coordinator;
  link::SessionOptions session{};
  HealthFeed* health = nullptr;  ///< see ConnectorLink
};

/// What the slots of one worker that dial one gateway address share.
struct GatewayContext {
  const GatewayAddress& address;  ///< borrowed
  FailureFilter filter = {};      ///< when the gateway is down, all of them fail in the same way
  TransportMemory transport = {};
};

/// One of the links that the connector keeps; which ones, the coordinator decides. A link whose gateway leaves goes on
/// outside of the slot until its streams are done. On its loop's thread.
class LinkSlot final : private GatewayDialOwner, private ConnectorLinkOwner, private net::TurnTask {
 public:
  /// `number` is the coordinator's.
  LinkSlot(const SlotContext& context, std::uint32_t number, std::shared_ptr<LinkReport> report);
  ~LinkSlot();

  /// Of a slot that holds no link and no dial; `gateway` is borrowed.
  void dial(GatewayContext& gateway, net::DialOrder order);
  /// The coordinator has given the slot up: what it holds ends in good order, and there are no more reports.
  void release();
  /// Dials no more and tells the gateway; streams go on.
  void leave(std::string_view reason);
  /// After leave(): links end once their streams are done.
  void shutdown();
  std::uint32_t number() const { return number_; }
  bool released() const { return released_; }
  /// True when no link is left.
  bool idle() const { return !link_ && retiring_.empty(); }
  /// Brings the report up to date.
  void publish();

 private:
  void on_dialed(Dialed dialed) override;
  void on_dial_failed(const DialProblem& problem, const link::DialPath& path) override;
  void on_gateways(ConnectorLink& link, const std::vector<std::string>& ids) override;
  void on_gateway_leaving(ConnectorLink& link, std::string_view reason) override;
  void on_link_over(ConnectorLink& link, std::string_view why) override;
  void at_turn_end() override { over_.clear(); }

  void retire();
  void enter(std::string_view state);
  void forget(ConnectorLink& link);
  void note_error(std::string text, std::string cause, std::string_view fix);

  SlotContext context_;
  const std::uint32_t number_;
  const std::shared_ptr<LinkReport> report_;
  GatewayContext* gateway_ = nullptr;  ///< of the last dial
  std::unique_ptr<GatewayDial> dial_;  ///< the last one; kept until the next, which never begins from within it
  std::unique_ptr<ConnectorLink> link_;
  std::vector<std::unique_ptr<ConnectorLink>> retiring_;
  std::vector<std::unique_ptr<ConnectorLink>> over_;  ///< destroyed at the end of the turn
  LinkStatus status_;
  bool released_ = false;
};

}  // namespace adit::connector
