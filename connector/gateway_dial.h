#pragma once
// One dial to a gateway: an attempt, and with --transport auto a second one over another transport right after it.

#include <optional>

#include "connector/dial_attempt.h"
#include "connector/transport_choice.h"

namespace adit::connector {

class GatewayDialOwner {
 public:
  virtual void on_dialed(Dialed dialed) = 0;
  /// `path`: of the last attempt.
  virtual void on_dial_failed(const DialProblem& problem, const link::DialPath& path) = 0;

 protected:
  ~GatewayDialOwner() = default;
};

/// Can be used again, one dial at a time. On its loop's thread.
class GatewayDial final : private DialAttemptOwner {
 public:
  /// All are borrowed.
  GatewayDial(const DialContext& context, const GatewayAddress& gateway, std::uint32_t slot, TransportMode mode,
              TransportMemory& memory, GatewayDialOwner& owner)
      : owner_(owner), choice_(mode, memory), attempt_(context, gateway, slot, *this) {}

  /// Exactly one report follows, maybe from within, unless cancel() is called.
  void start(net::DialOrder order = {});
  void cancel() { attempt_.cancel(); }

 private:
  struct Failed {
    link::Transport transport;
    DialProblem problem;
  };

  void on_step(DialStep, const std::string&) override {}
  void on_dialed(Dialed dialed) override;
  void on_failed(const DialProblem& problem) override;

  GatewayDialOwner& owner_;
  net::DialOrder order_;
  TransportChoice choice_;
  std::optional<Failed> first_;  ///< the attempt before, when there was one
  DialAttempt attempt_;
};

}  // namespace adit::connector
