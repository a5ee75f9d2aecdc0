#include "net/loop.h"

#include <algorithm>
#include <utility>

namespace adit::net {
namespace {

thread_local Loop* running = nullptr;

}  // namespace

// UNSAFE_IO: sockets are used by the loop's own thread only, so the reactor needs no lock per descriptor; post() stays
// safe.
Loop::Loop()
    : context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      work_(context_.get_executor()),
      ticked_(now()),
      timer_(context_) {}

void Loop::run() {
  Loop* const outer = std::exchange(running, this);
  context_.run();
  running = outer;
}

void Loop::stop() { context_.stop(); }

void Loop::defer(TurnTask& task) { queue(task, tasks_); }

void Loop::defer_send(TurnTask& task) { queue(task, sends_); }

void Loop::queue(TurnTask& task, Tasks& tasks) {
  if (task.is_linked()) return;
  tasks.push_back(task);
  post_turn_end();
}

base::TimePoint Loop::now() {
  if (running == nullptr) return base::Clock::now();
  if (running->turn_time_ == base::kNever) {
    running->turn_time_ = base::Clock::now();
    running->post_turn_end();
  }
  return running->turn_time_;
}

void Loop::post_turn_end() {
  if (std::exchange(turn_posted_, true)) return;
  asio::post(context_, SlotHandler(turn_slot_, [this] { end_turn(); }));
}

void Loop::end_turn() {
  turn_posted_ = false;
  turn_time_ = base::kNever;
  run(sends_);
  run(tasks_);
}

/// Tasks that are deferred from here on belong to the next turn. They leave the list one by one, since running one may
/// destroy another.
void Loop::run(Tasks& tasks) {
  Tasks now_due;
  now_due.swap(tasks);
  while (!now_due.empty()) {
    TurnTask& task = now_due.front();
    now_due.pop_front();
    task.at_turn_end();
  }
}

void Deadline::set(base::TimePoint when) {
  when_ = when;
  if (when == base::kNever) return;
  if (is_linked() && queued_for_ <= when) return;  // looked at in time anyway
  if (is_linked()) unlink();
  loop_.enqueue(*this);
}

std::size_t Loop::slot_of(base::TimePoint when) const {
  return static_cast<std::size_t>(when.time_since_epoch() / kTick) % kSlots;
}

void Loop::enqueue(Deadline& deadline) {
  if (!ticking_) ticked_ = now();
  // One slot after the due one, so that it is due when its slot is served; never the slot served at present.
  const auto earliest = ticked_ + kTick;
  const auto latest = ticked_ + kTick * static_cast<int>(kSlots - 2);
  deadline.queued_for_ = std::clamp(deadline.when_, earliest, latest);
  wheel_[slot_of(deadline.queued_for_ + kTick)].push_back(deadline);
  schedule_tick();
}

void Loop::schedule_tick() {
  if (ticking_) return;
  ticking_ = true;
  timer_.expires_after(kTick);
  timer_.async_wait(SlotHandler(timer_slot_, [this](Error error) {
    ticking_ = false;
    if (!error) tick();
  }));
}

void Loop::tick() {
  const auto time = turn_time_ = base::Clock::now();  // who is called now must find that its time has come
  post_turn_end();
  longest_delay_ = std::max(longest_delay_, time - timer_.expiry());
  // After a long stall every slot is served once; that is enough.
  const auto most = static_cast<base::Duration::rep>(kSlots);
  const auto behind = std::min((time.time_since_epoch() / kTick) - (ticked_.time_since_epoch() / kTick), most);
  auto served = time - kTick * (behind - 1);
  ticking_ = true;  // keeps enqueue() from moving ticked_ while slots are served
  for (base::Duration::rep i = 0; i < behind; ++i, served += kTick) {
    ticked_ = served;
    Slot due;
    due.swap(wheel_[slot_of(served)]);
    while (!due.empty()) {
      Deadline& deadline = due.front();
      due.pop_front();
      if (deadline.when_ == base::kNever) continue;
      if (deadline.when_ > time) {
        enqueue(deadline);
      } else {
        deadline.when_ = base::kNever;
        deadline.fire_(deadline.owner_);
      }
    }
  }
  ticked_ = time;
  ticking_ = false;
  if (any_deadline()) schedule_tick();
}

bool Loop::any_deadline() const {
  return std::any_of(wheel_.begin(), wheel_.end(), [](const Slot& slot) { return !slot.empty(); });
}

}  // namespace adit::net
