#include "base/backoff.h"

#include <algorithm>

namespace adit::base {

std::chrono::milliseconds Backoff::next(std::chrono::milliseconds at_least) {
  auto ceiling = limits_.first;
  for (unsigned i = 0; i < failures_ && ceiling < limits_.most; ++i) ceiling = ceiling * limits_.growth / 100;
  ceiling = std::min(ceiling, limits_.most);
  ++failures_;
  const auto least = ceiling * limits_.least / 100;
  const auto jitter = random_.up_to(static_cast<std::uint64_t>((ceiling - least).count()));
  return at_least + least + std::chrono::milliseconds(jitter);
}

}  // namespace adit::base
