#pragma once
// Waiting for what other threads bring about.

#include <chrono>
#include <thread>

#include "base/clock.h"

namespace adit::controller {

/// Asks again and again; false when it has not come about within half a minute. No test depends on how long it takes.
template <class Done>
bool wait_until(Done done) {
  const auto limit = base::Clock::now() + std::chrono::seconds(30);
  while (!done()) {
    if (base::Clock::now() >= limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace adit::controller
