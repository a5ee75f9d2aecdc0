#pragma once
// Which gateways a connector dials, and when, so that it holds links to each (docs/link.md, "Dialling"). Sans-io: it is
// told what became of dials and links and what gateways said, and says which dials to start and which links to end.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "link/coverage_needs.h"
#include "link/dial_places.h"
#include "link/known_gateways.h"
#include "link/slot.h"

namespace adit::link {

/// Links are held in slots. A slot has a number that is unique among those of the process (Adit-Slot), and keeps it
/// while it is redialled; one that is no longer wanted is released, and its number comes back late.
///
/// Used by one thread at a time. After each call take_actions() tells what to do, and deadline() when to call
/// on_time(). Reports about slots that were released are ignored.
class Coverage {
 public:
  struct Settings {
    unsigned links = 4;          ///< to each gateway
    unsigned most_gateways = 0;  ///< 0: all
    std::size_t addresses = 1;   ///< how many are configured
    std::string instance;        ///< the connector's, by which it chooses among many gateways
    base::Backoff::Limits backoff{};
  };

  /// Start a dial in that slot, new or not, to the address of that index; on_up() or on_failed() must follow. Of what
  /// its name resolves to, leave out `avoid` unless there is nothing else, and begin with number `turn` of the rest.
  struct Dial {
    std::uint32_t slot;
    std::size_t address;
    unsigned turn;
    std::vector<std::string> avoid;
  };
  /// End the link that the slot holds, if it holds one, in good order; the slot is no more.
  struct Release {
    std::uint32_t slot;
  };
  using Action = std::variant<Dial, Release>;

  /// A gateway as the connector knows it.
  struct Row {
    std::string gateway;
    unsigned held = 0;
    unsigned wanted = 0;
  };

  /// A change lets so many dials start for each link that it makes missing.
  static constexpr unsigned kDialsPerLink = 3;
  /// When they have been used up: one for each gateway in about that time.
  static constexpr base::Duration kSlow = std::chrono::seconds(30);
  /// The dials of a change are spread over that time, unless the connector has no link at all.
  static constexpr base::Duration kSpread = std::chrono::seconds(2);

  /// `random` is borrowed.
  Coverage(Settings settings, base::Random& random);

  void start(base::TimePoint now);
  /// The handshake is done. False: the link is surplus and shall be closed before anything is sent on it.
  bool on_up(std::uint32_t slot, const std::string& gateway, const DialPath& path, base::TimePoint now);
  void on_failed(std::uint32_t slot, std::chrono::seconds retry_after, const DialPath& path, base::TimePoint now);
  void on_lost(std::uint32_t slot, base::TimePoint now);
  /// The gateway of the link that the slot holds leaves; the link goes on outside of the slot.
  void on_leaving(std::uint32_t slot, base::TimePoint now);
  /// The gateway of the link that the slot holds says which ones are ready.
  void on_gateways(std::uint32_t slot, std::vector<std::string> ids, base::TimePoint now);
  void on_time(base::TimePoint now);
  /// No more dials; every slot is forgotten, and nothing is to be done about them.
  void stop();

  base::TimePoint deadline() const;
  std::vector<Action> take_actions() { return std::exchange(actions_, {}); }
  /// When the slot dials next; kNever when it does not wait.
  base::TimePoint next_dial(std::uint32_t slot) const;

  std::vector<Row> gateways() const;
  std::uint64_t surplus() const { return surplus_; }  ///< links that were closed as such
  std::size_t slots() const { return slots_.size(); }

 private:
  /// What a slot does, and what for.
  struct Held {
    explicit Held(const Slot& slot) : state(slot) {}
    Slot state;
    std::string gateway;      ///< of the link that is up
    std::size_t address = 0;  ///< of the dial, as need and charged
    std::string need;
    bool charged = false;  ///< the dial counts against the budget
    bool slow = false;     ///< waits for a dial that needs none
  };
  using Slots = std::map<std::uint32_t, Held>;

  Held* find(std::uint32_t slot, Slot::State state);
  std::uint32_t new_number();
  CoverageRules rules() const;
  LinksHeld held() const;
  unsigned pending() const;

  void settle(base::TimePoint now);
  void end_unwanted();
  void grant(const CoverageNeeds& next, base::TimePoint now);
  void open_slot(base::TimePoint now);
  void drop_waiting();
  void try_dial(Slots::value_type& slot, base::TimePoint now);
  void dial(Slots::value_type& slot);
  std::string next_need();
  base::Duration up_to(base::Duration most);

  Settings settings_;
  base::Random& random_;
  KnownGateways known_;
  DialPlaces places_;
  Slots slots_;
  CoverageNeeds needs_;
  std::map<std::string, unsigned> in_vain_;  ///< dials for a need since one was useful
  unsigned budget_ = 0;                      ///< dials that may start
  std::uint32_t next_number_ = 0;
  std::uint64_t surplus_ = 0;
  bool stopped_ = true;
  std::vector<Action> actions_;
};

}  // namespace adit::link
