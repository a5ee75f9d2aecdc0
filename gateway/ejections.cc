#include "gateway/ejections.h"

#include <algorithm>

namespace adit::gateway {
namespace {

base::Duration time_of(unsigned failures) {
  constexpr unsigned kMostDoublings = 7;  // half a second, doubled so often, is more than a minute
  return std::min(Ejections::kMost, Ejections::kFirst * (1U << std::min(failures - 1, kMostDoublings)));
}

}  // namespace

base::Duration Ejections::failed(std::uint64_t connector, base::TimePoint now) {
  auto item = std::find_if(items_.begin(), items_.end(), [&](const Item& held) { return held.connector == connector; });
  if (item != items_.end() && now < item->until) return base::Duration(0);
  if (item == items_.end()) {
    if (items_.size() == kMostKept) {
      items_.erase(std::min_element(items_.begin(), items_.end(),
                                    [](const Item& a, const Item& b) { return a.until < b.until; }));
    }
    item = items_.insert(items_.end(), Item{connector, 0, {}});
  }
  item->failures += 1;
  const auto time = time_of(item->failures);
  item->until = now + time;
  return time;
}

bool Ejections::contains(std::uint64_t connector, base::TimePoint now) const {
  return std::any_of(items_.begin(), items_.end(),
                     [&](const Item& item) { return item.connector == connector && now < item.until; });
}

void Ejections::erase(std::uint64_t connector) {
  std::erase_if(items_, [&](const Item& item) { return item.connector == connector; });
}

void Ejections::forget_old(base::TimePoint now) {
  std::erase_if(items_, [&](const Item& item) { return now - item.until > kMost; });
}

}  // namespace adit::gateway
