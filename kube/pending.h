#pragma once
// A task of cpprestsdk that a thread waits for, with a deadline. Only for http_exchange.h.

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include <pplx/pplxtasks.h>

#include "base/clock.h"

namespace adit::kube {

/// May be left before the task has ended: whatever becomes of it is then observed and dropped. (A task whose exception
/// nobody observes ends the process.)
template <class T>
class Pending {
 public:
  explicit Pending(pplx::task<T> task) : state_(std::make_shared<State>()) {
    task.then([state = state_](const pplx::task<T>& ended) {
      std::optional<T> value;
      std::exception_ptr error;
      try {
        value = ended.get();
      } catch (...) {
        error = std::current_exception();
      }
      {
        const std::lock_guard lock(state->mutex);
        state->value = std::move(value);
        state->error = error;
        state->done = true;
      }
      state->ended.notify_all();
    });
  }

  /// Whether it has ended, once it has, `until` has come or `stop` is requested.
  bool wait(base::TimePoint until, const std::stop_token& stop = {}) {
    std::unique_lock lock(state_->mutex);
    return state_->ended.wait_until(lock, stop, until, [this] { return state_->done; });
  }

  /// After wait() returned true, once: the value; throws what the task threw.
  T take() {
    const std::lock_guard lock(state_->mutex);
    if (state_->error) std::rethrow_exception(state_->error);
    return *std::move(state_->value);
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable_any ended;
    bool done = false;
    std::optional<T> value;
    std::exception_ptr error;
  };
  std::shared_ptr<State> state_;
};

}  // namespace adit::kube
