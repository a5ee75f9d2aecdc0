#include "connector/link_report.h"

#include <algorithm>

namespace adit::connector {

std::shared_ptr<LinkReport> LinkReports::add() {
  auto report = std::make_shared<LinkReport>();
  const std::lock_guard lock(mutex_);
  std::erase_if(reports_, [](const auto& item) { return item.expired(); });
  reports_.push_back(report);
  return report;
}

std::vector<LinkStatus> LinkReports::all() const {
  std::vector<LinkStatus> list;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& item : reports_) {
      if (const auto report = item.lock()) list.push_back(report->get());
    }
  }
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.slot < b.slot; });
  return list;
}

}  // namespace adit::connector
