#pragma once
// One thread's event loop: an io_context, what to do at the end of a turn, and coarse deadlines.

#include <array>
#include <cstddef>
#include <utility>

#include <boost/intrusive/list.hpp>

#include "base/clock.h"
#include "net/asio.h"
#include "net/handler_slot.h"

namespace adit::net {

class Loop;

// Tags keep these hooks apart from those of lists that their owners are in.
using TurnHook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct TurnTag>,
                                                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using DeadlineHook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct DeadlineTag>,
                                                      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// Something to do once per turn of the loop, however often it was asked for: send what was gathered.
class TurnTask : public TurnHook {
 public:
  virtual void at_turn_end() = 0;

 protected:
  ~TurnTask() = default;  // leaves the queue
};

/// A point in time after which something is called, on the loop's thread. Coarse (up to two Loop::kTick late) and lazy:
/// moving it later, which is what happens for every request, is one store.
class Deadline : public DeadlineHook {
 public:
  using Fire = void (*)(void* owner);

  Deadline(Loop& loop, void* owner, Fire fire) : loop_(loop), owner_(owner), fire_(fire) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  /// A deadline that calls owner->Method().
  template <auto Method, class Owner>
  static Deadline of(Loop& loop, Owner* owner) {
    return Deadline(loop, owner, [](void* object) { (static_cast<Owner*>(object)->*Method)(); });
  }

  void set(base::TimePoint when);
  void clear() { when_ = base::kNever; }
  bool is_set() const { return when_ != base::kNever; }
  base::TimePoint when() const { return when_; }

 private:
  friend class Loop;
  Loop& loop_;
  void* owner_;
  Fire fire_;
  base::TimePoint when_ = base::kNever;
  base::TimePoint queued_for_ = base::kNever;  ///< of the wheel slot that holds it, if linked
};

/// Everything but post() and stop() belongs to the one thread that calls run(), or to the time before run().
class Loop {
 public:
  static constexpr base::Duration kTick = std::chrono::milliseconds(50);

  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  asio::io_context& context() { return context_; }

  /// Serves until stop(). What is then still pending is destroyed with the loop.
  void run();
  /// Any thread.
  void stop();
  /// Runs `work` on the loop's thread. Any thread; may allocate.
  template <class Work>
  void post(Work work) {
    asio::post(context_, std::move(work));
  }

  /// Runs task.at_turn_end() after the handlers that are ready now; at most once per turn. Work that continues asks
  /// again and so waits for the next turn: an endless flush would starve everybody else.
  void defer(TurnTask& task);
  /// The same for what sends to one connection; those come first, or earlier by send_deferred().
  void defer_send(TurnTask& task);
  /// Sends now. For who has just handed out bytes to many connections: their peers can begin while this thread goes on
  /// with its turn. Not from within a call of a link's session.
  void send_deferred() { run(sends_); }

  /// The time of this turn: read at its first use, so up to one turn old. Of the loop that this thread runs; where none
  /// runs, the clock's.
  static base::TimePoint now();

  /// How late the loop came to its tick at worst since this was asked last: what every handler had to wait for others.
  base::Duration take_longest_delay() { return std::exchange(longest_delay_, base::Duration::zero()); }

 private:
  friend class Deadline;
  using Tasks = boost::intrusive::list<TurnTask, boost::intrusive::base_hook<TurnHook>,
                                       boost::intrusive::constant_time_size<false>>;
  using Slot = boost::intrusive::list<Deadline, boost::intrusive::base_hook<DeadlineHook>,
                                      boost::intrusive::constant_time_size<false>>;
  static constexpr std::size_t kSlots = 256;  // a horizon of 12.8 s; what is later is looked at again then

  void queue(TurnTask& task, Tasks& tasks);
  static void run(Tasks& tasks);
  void post_turn_end();
  void end_turn();
  void enqueue(Deadline& deadline);
  void schedule_tick();
  void tick();
  std::size_t slot_of(base::TimePoint when) const;
  bool any_deadline() const;

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  Tasks sends_;
  Tasks tasks_;
  HandlerSlot turn_slot_;
  bool turn_posted_ = false;
  base::TimePoint turn_time_ = base::kNever;  ///< kNever: not read yet
  std::array<Slot, kSlots> wheel_;
  base::TimePoint ticked_;  ///< the wheel is served up to here
  base::Duration longest_delay_{0};
  asio::basic_waitable_timer<base::Clock, asio::wait_traits<base::Clock>, asio::io_context::executor_type> timer_;
  HandlerSlot timer_slot_;
  bool ticking_ = false;
};

}  // namespace adit::net
