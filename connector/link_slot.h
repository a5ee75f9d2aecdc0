#pragma once
// The shell of one link::Slot: dials when it says so, holds the link, and reports what became of it.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/connector_link.h"
#include "connector/gateway_dial.h"
#include "connector/link_report.h"
#include "link/slot.h"

namespace adit::connector {

/// What the slots of one worker share. All are borrowed and outlive the slots.
struct SlotContext {
  DialContext dial;
  TransportMode transport = TransportMode::automatic;
  const ServiceMap& services;
  ServicePipes& pipes;
  WorkerMetrics& metrics;
  base::Backoff::Limits backoff{};
  link::SessionOptions session{};
  HealthFeed* health = nullptr;  ///< see ConnectorLink
};

/// What the slots that one worker keeps to one gateway address share.
struct GatewayContext {
  const GatewayAddress& address;  ///< borrowed
  FailureFilter filter = {};      ///< when the gateway is down, all of them fail in the same way
  TransportMemory transport = {};
};

/// One of the links that the connector keeps to one gateway address. A link whose gateway leaves goes on beside its
/// replacement until its streams are done. On its loop's thread.
class LinkSlot final : private GatewayDialOwner, private ConnectorLinkOwner, private net::TurnTask {
 public:
  /// `number` is unique among the slots of the process.
  LinkSlot(const SlotContext& context, GatewayContext& gateway, std::uint32_t number, LinkReport& report);
  ~LinkSlot();

  void start();
  /// Dials no more and tells the gateway; streams go on.
  void leave(std::string_view reason);
  /// After leave(): links end once their streams are done.
  void shutdown();
  /// True when no link is left.
  bool idle() const { return !link_ && retiring_.empty(); }
  /// Brings the report up to date.
  void publish();

 private:
  void on_dialed(Dialed dialed) override;
  void on_dial_failed(const DialProblem& problem) override;
  void on_serving(ConnectorLink& link) override;
  void on_gateway_leaving(ConnectorLink& link, std::string_view reason) override;
  void on_link_over(ConnectorLink& link, std::string_view why) override;
  void at_turn_end() override { over_.clear(); }
  void on_deadline();

  void obey(link::Slot::Action action);
  void forget(ConnectorLink& link);
  void note_error(std::string text, std::string cause, std::string_view fix);
  void changed();

  SlotContext context_;
  GatewayContext& gateway_;
  LinkReport& report_;
  link::Slot slot_;
  GatewayDial dial_;
  net::Deadline deadline_;
  std::unique_ptr<ConnectorLink> link_;
  std::vector<std::unique_ptr<ConnectorLink>> retiring_;
  std::vector<std::unique_ptr<ConnectorLink>> over_;  ///< destroyed at the end of the turn
  LinkStatus status_;
  bool serving_ = false;  ///< the gateway has taken link_'s offers
};

}  // namespace adit::connector
