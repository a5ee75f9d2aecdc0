#pragma once
// One address of another gateway, and the link that is kept to it.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "gateway/peer_dial.h"
#include "gateway/peer_link.h"

namespace adit::gateway {

class PeerSlot;

class PeerSlotOwner {
 public:
  /// A dial has led to that gateway: what to make of it. `up` only if it is another gateway to which there is no link.
  virtual PeerDialResult judge(const std::string& gateway_id) = 0;
  virtual std::unique_ptr<PeerLink> make_link(PeerSlot& slot, net::StreamPtr stream, std::string gateway_id) = 0;
  virtual void on_slot_changed(PeerSlot& slot) = 0;

 protected:
  ~PeerSlotOwner() = default;
};

/// Dials, keeps the link, and dials again with backoff. On its loop only.
class PeerSlot final : private PeerDialOwner {
 public:
  PeerSlot(net::Loop& loop, net::Target where, PeerCredentials& credentials, const link::PeerHello& hello,
           base::Random& random, PeerMetrics& metrics, PeerSlotOwner& owner);

  /// Dials now, unless it has a link or a dial is under way.
  void dial();
  /// The address is wanted no more: a link stays until it ends by itself.
  void want(bool wanted);
  bool wanted() const { return wanted_; }
  /// The first dial has ended, however.
  bool tried() const { return tried_; }
  PeerLink* link() const { return link_.get(); }
  bool is_self() const { return state_ == State::self; }
  bool is_duplicate_of(std::string_view gateway_id) const { return state_ == State::duplicate && id_ == gateway_id; }
  /// Its link is over. Returns it; the caller destroys it later in the turn.
  std::unique_ptr<PeerLink> on_link_over(std::string_view why);
  PeerStatus status() const;

 private:
  enum class State : std::uint8_t { waiting, dialling, up, self, duplicate };

  void on_dialled(net::StreamPtr stream, std::string gateway_id) override;
  void on_dial_failed(PeerDialResult result, std::string_view why) override;
  void wait(State state, base::Duration time);

  const net::Target where_;
  PeerMetrics& metrics_;
  PeerSlotOwner& owner_;
  PeerDial dial_;
  base::Backoff backoff_;
  net::Deadline deadline_;
  std::unique_ptr<PeerLink> link_;
  State state_ = State::waiting;
  std::string id_;
  std::string error_;
  std::chrono::system_clock::time_point since_;
  base::TimePoint up_at_;
  bool wanted_ = true;
  bool tried_ = false;
};

}  // namespace adit::gateway
