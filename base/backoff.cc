#include "base/backoff.h"

#include <algorithm>

namespace adit::base {

std::chrono::milliseconds Backoff::next(std::chrono::milliseconds at_least, std::chrono::milliseconds longest) {
  auto ceiling = limits_.first;
  for (unsigned i = 0; i < failures_ && ceiling < limits_.most; ++i) ceiling *= 2;
  ceiling = std::min({ceiling, limits_.most, std::max(longest, limits_.first)});
  ceiling = std::max(ceiling, std::min(at_least, limits_.most));
  ++failures_;
  const auto jitter = random_.up_to(static_cast<std::uint64_t>(ceiling.count()));
  return at_least + std::chrono::milliseconds(jitter);
}

}  // namespace adit::base
