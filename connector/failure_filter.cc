#include "connector/failure_filter.h"

#include <utility>

namespace adit::connector {

std::optional<unsigned> FailureFilter::pass(std::string_view cause, base::TimePoint now) {
  const bool same = cause == cause_;
  if (same && now - logged_ < kEvery) {
    ++held_back_;
    return std::nullopt;
  }
  if (!same) held_back_ = 0;
  cause_ = cause;
  logged_ = now;
  return std::exchange(held_back_, 0);
}

}  // namespace adit::connector
