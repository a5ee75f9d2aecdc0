#include "kube/events.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "kube/event_series.h"
#include "kube/timestamp.h"

namespace adit::kube {

/// The shell: writes what the series say is due.
struct EventRecorder::Running {
  Running(Api& server, std::string component, std::function<bool()> may)
      : api(server), may_write(std::move(may)), series(std::move(component), {}, random) {}

  void run(const std::stop_token& stop);
  void write(std::unique_lock<std::mutex>& lock, const EventSeries::Write& write);

  Api& api;
  const std::function<bool()> may_write;
  std::atomic<std::uint64_t> dropped = 0;

  std::mutex mutex;  ///< for the random numbers and the series
  std::condition_variable_any changed;
  base::Random random;
  EventSeries series;
  std::jthread thread;  ///< the last member: it ends before the others do
};

void EventRecorder::Running::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    if (const auto due = series.next(base::Clock::now())) {
      write(lock, *due);
      continue;
    }
    const auto until = series.next_due();
    const auto earlier = [this, until] { return series.next_due() < until; };
    if (until == base::kNever) {
      changed.wait(lock, stop, earlier);
    } else {
      changed.wait_until(lock, stop, until, earlier);
    }
  }
}

void EventRecorder::Running::write(std::unique_lock<std::mutex>& lock, const EventSeries::Write& write) {
  lock.unlock();
  const bool may = may_write();
  const auto answer =
      !may ? ApiResult<Json>(ApiError{})
           : (write.creates ? api.create(event_resource(), write.event) : api.apply(event_resource(), write.event));
  if (may && !answer) base::log::debug("an event was not written", {{"error", answer.error().text()}});
  lock.lock();
  if (may) {
    series.written(base::Clock::now(), answer);
  } else {
    series.dropped();
  }
}

EventRecorder::EventRecorder(Api& api, std::string component, std::function<bool()> may_write)
    : running_(std::make_unique<Running>(api, std::move(component), std::move(may_write))) {
  running_->thread = std::jthread([running = running_.get()](const std::stop_token& stop) { running->run(stop); });
}

EventRecorder::~EventRecorder() = default;

void EventRecorder::stop() { running_->thread = {}; }

void EventRecorder::record(const Json& regarding, EventType type, const std::string& reason,
                           const std::string& message) {
  const auto wall = timestamp(std::chrono::system_clock::now());
  {
    const std::lock_guard lock(running_->mutex);
    if (!running_->series.record(base::Clock::now(), wall, regarding, type, reason, message)) {
      ++running_->dropped;
      return;
    }
  }
  running_->changed.notify_one();
}

std::uint64_t EventRecorder::dropped() const { return running_->dropped; }

}  // namespace adit::kube
