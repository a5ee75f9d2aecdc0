#include "kube/controller.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/random.h"
#include "kube/work_queue.h"

namespace adit::kube {

struct Controller::Running {
  Running(ControllerOptions controller_options, Reconcile work)
      : options(std::move(controller_options)), reconcile(std::move(work)), queue(options.backoff, random) {}

  void work(const std::stop_token& stop);
  std::optional<std::string> wait_for_key(const std::stop_token& stop);
  ReconcileResult reconcile_safely(const std::string& key) const;
  void finish(const std::string& key, const ReconcileResult& result);

  const ControllerOptions options;
  const Reconcile reconcile;

  mutable std::mutex mutex;  ///< for all below but the threads
  std::condition_variable_any changed;
  base::Random random;
  WorkQueue queue;
  Counts counts;

  std::vector<std::jthread> threads;  ///< of start() and stop() alone
};

void Controller::Running::work(const std::stop_token& stop) {
  while (const auto key = wait_for_key(stop)) finish(*key, reconcile_safely(*key));
}

std::optional<std::string> Controller::Running::wait_for_key(const std::stop_token& stop) {
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    if (auto key = queue.take(base::Clock::now())) return key;
    const auto due = queue.next_due();
    const auto something_new = [this, due] { return queue.next_due() < due || queue.has_ready(); };
    if (due == base::kNever) {
      changed.wait(lock, stop, something_new);
    } else {
      changed.wait_until(lock, stop, due, something_new);
    }
  }
  return std::nullopt;
}

ReconcileResult Controller::Running::reconcile_safely(const std::string& key) const {
  const char* what = "unknown exception";
  std::string words;
  try {
    return reconcile(key);
  } catch (const std::exception& exception) {
    words = exception.what();
    what = words.c_str();
  } catch (...) {
  }
  base::log::error("a reconciliation threw; it is tried again",
                   {{"controller", options.name}, {"key", key}, {"error", what}});
  return ReconcileResult::retry();
}

void Controller::Running::finish(const std::string& key, const ReconcileResult& result) {
  const auto now = base::Clock::now();
  {
    const std::lock_guard lock(mutex);
    switch (result.next) {
      case ReconcileResult::Next::done:
        queue.finish(key);
        break;
      case ReconcileResult::Next::retry:
        queue.finish_and_retry(key, now);
        break;
      case ReconcileResult::Next::later:
        queue.finish_until(key, now + result.after);
        break;
    }
    ++(result.next == ReconcileResult::Next::retry ? counts.retries : counts.done);
  }
  changed.notify_one();
}

Controller::Controller(ControllerOptions options, Reconcile reconcile)
    : running_(std::make_unique<Running>(std::move(options), std::move(reconcile))) {}

Controller::~Controller() { stop(); }

void Controller::start() {
  if (!running_->threads.empty()) return;
  for (unsigned i = 0; i < running_->options.workers; ++i) {
    running_->threads.emplace_back([running = running_.get()](const std::stop_token& stop) { running->work(stop); });
  }
}

void Controller::stop() {
  for (auto& thread : running_->threads) thread.request_stop();
  {
    const std::lock_guard lock(running_->mutex);
    running_->queue.clear();
  }
  running_->threads.clear();
  const std::lock_guard lock(running_->mutex);
  running_->queue.clear();
}

void Controller::enqueue(const std::string& key) {
  {
    const std::lock_guard lock(running_->mutex);
    running_->queue.add(key);
  }
  running_->changed.notify_one();
}

void Controller::enqueue_after(const std::string& key, std::chrono::milliseconds delay) {
  {
    const std::lock_guard lock(running_->mutex);
    running_->queue.add_at(key, base::Clock::now() + delay);
  }
  running_->changed.notify_one();
}

Controller::Counts Controller::counts() const {
  const std::lock_guard lock(running_->mutex);
  auto counts = running_->counts;
  counts.queued = running_->queue.size();
  return counts;
}

}  // namespace adit::kube
