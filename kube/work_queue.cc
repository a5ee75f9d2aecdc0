#include "kube/work_queue.h"

#include <algorithm>

namespace adit::kube {

void WorkQueue::add(const std::string& key) { make_ready(key, entries_[key]); }

void WorkQueue::add_at(const std::string& key, base::TimePoint when) {
  auto& entry = entries_[key];
  set_time(key, entry.asked, std::min(entry.asked, when));
}

std::optional<std::string> WorkQueue::take(base::TimePoint now) {
  make_due_ready(now);
  if (ready_.empty()) return std::nullopt;
  auto key = std::move(ready_.front());
  ready_.pop_front();
  auto& entry = entries_[key];
  entry.wanted = false;
  entry.taken = true;
  set_time(key, entry.own, base::kNever);
  return key;
}

void WorkQueue::finish(const std::string& key) { release(key, base::kNever, false); }

void WorkQueue::finish_and_retry(const std::string& key, base::TimePoint now) {
  auto& failures = entries_[key].failures;
  if (!failures) failures.emplace(limits_, random_);
  const auto wait = failures->next();
  release(key, now + wait, true);
}

void WorkQueue::finish_until(const std::string& key, base::TimePoint when) { release(key, when, false); }

base::TimePoint WorkQueue::next_due() const { return waiting_.empty() ? base::kNever : waiting_.begin()->first; }

void WorkQueue::clear() {
  ready_.clear();
  waiting_.clear();
  std::erase_if(entries_, [](const auto& item) { return !item.second.taken; });
  for (auto& [key, entry] : entries_) {
    entry.wanted = false;
    entry.asked = base::kNever;
    entry.own = base::kNever;
    entry.failures.reset();
  }
}

void WorkQueue::make_ready(const std::string& key, Entry& entry) {
  if (!entry.wanted && !entry.taken) ready_.push_back(key);
  entry.wanted = true;
}

void WorkQueue::make_due_ready(base::TimePoint now) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    const auto [when, key] = *waiting_.begin();
    waiting_.erase(waiting_.begin());
    auto& entry = entries_[key];
    (entry.asked == when ? entry.asked : entry.own) = base::kNever;
    make_ready(key, entry);
  }
}

void WorkQueue::set_time(const std::string& key, base::TimePoint& time, base::TimePoint to) {
  if (time == to) return;
  if (time != base::kNever) waiting_.extract({time, key});
  if (to != base::kNever) waiting_.emplace(to, key);
  time = to;
}

void WorkQueue::release(const std::string& key, base::TimePoint own, bool failed) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  auto& entry = found->second;
  entry.taken = false;
  if (!failed) entry.failures.reset();
  set_time(key, entry.own, own);
  if (entry.wanted) {
    ready_.push_back(key);
  } else if (entry.asked == base::kNever && own == base::kNever && !failed) {
    entries_.erase(found);
  }
}

}  // namespace adit::kube
