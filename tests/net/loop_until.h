#pragma once
// Runs a loop in the test's own thread until something has come about.

#include <chrono>

#include "net/loop.h"

namespace adit::net::test {

inline constexpr auto kPatience = std::chrono::seconds(20);

/// Serves the loop until `done()`; false when that has not come about within kPatience.
template <class Done>
bool until(Loop& loop, Done done) {
  const auto limit = base::Clock::now() + kPatience;
  while (!done()) {
    if (base::Clock::now() >= limit) return false;
    loop.context().run_one_for(std::chrono::milliseconds(100));
  }
  return true;
}

/// Serves what is ready now.
inline void settle(Loop& loop) {
  for (int i = 0; i < 20; ++i) loop.context().poll();
}

}  // namespace adit::net::test
