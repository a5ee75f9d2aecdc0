#include "kube/event_series.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace adit::kube {
namespace {

constexpr std::size_t kMostMessageBytes = 1'024;
constexpr std::size_t kMostReasonBytes = 128;
constexpr std::size_t kMostNameBytes = 253;  // RFC 1123 subdomain

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

void strip_end(std::string& text) {
  while (!text.empty() && !is_alphanumeric(text.back())) text.pop_back();
}

/// `name` with what a DNS subdomain may not have replaced or left out.
std::string subdomain(const std::string& name, std::size_t most) {
  std::string out;
  for (const char raw : name) {
    if (out.size() == most) break;
    const char c = lower(raw);
    if (is_alphanumeric(c)) {
      out += c;
    } else if (c == '.') {
      strip_end(out);
      if (!out.empty()) out += '.';
    } else if (!out.empty() && out.back() != '.') {
      out += '-';
    }
  }
  strip_end(out);
  return out.empty() ? "object" : out;
}

/// Worth another try: the server may well take it in a moment.
bool is_passing(const ApiError& error) {
  if (error.failure == ApiFailure::refused) return error.code == 429 || error.code >= 500;
  return error.failure == ApiFailure::unreachable || error.failure == ApiFailure::timed_out;
}

}  // namespace

const Resource& event_resource() {
  static const Resource resource{"", "v1", "events", "Event", true};
  return resource;
}

std::string event_name(const std::string& name, std::uint64_t unique) {
  std::array<char, 20> suffix{};
  std::snprintf(suffix.data(), suffix.size(), ".%016llx", static_cast<unsigned long long>(unique));
  const std::string_view end = suffix.data();
  return subdomain(name, kMostNameBytes - end.size()).append(end);
}

bool EventSeries::record(base::TimePoint now, const std::string& wall, const Json& regarding, EventType type,
                         const std::string& reason, const std::string& message) {
  auto object = uid_of(regarding);
  if (object.empty()) object = text_at(regarding, {"kind"}) + "/" + name_of(regarding).key();
  const Key key{std::move(object), type, message_text(reason, kMostReasonBytes),
                message_text(message, kMostMessageBytes)};
  auto found = series_.find(key);
  if (found != series_.end() && found->second.is_idle() && found->second.forgotten <= now) {
    series_.erase(found);
    found = series_.end();
  }
  if (found == series_.end()) {
    if (series_.size() >= limits_.series) make_room(now);
    if (series_.size() >= limits_.series) return false;
    found = series_.emplace(key, begin(wall, regarding, key)).first;
  }
  auto& series = found->second;
  ++series.count;
  series.last = wall;
  series.forgotten = now + limits_.same;
  if (series.is_idle()) series.due = std::max(now, series.not_before);
  return true;
}

EventSeries::Series EventSeries::begin(const std::string& wall, const Json& regarding, const Key& key) {
  const auto name = name_of(regarding);
  // The API wants the Event in the namespace of its object, and those of cluster-scoped objects in "default".
  Json about{{"apiVersion", text_at(regarding, {"apiVersion"})},
             {"kind", text_at(regarding, {"kind"})},
             {"name", name.name},
             {"uid", uid_of(regarding)},
             {"resourceVersion", resource_version_of(regarding)}};
  if (!name.space.empty()) about["namespace"] = name.space;
  Series series;
  series.event = {
      {"apiVersion", event_resource().api_version()},
      {"kind", event_resource().kind},
      {"metadata",
       {{"namespace", name.space.empty() ? "default" : name.space}, {"name", event_name(name.name, random_())}}},
      {"involvedObject", std::move(about)},
      {"type", std::get<EventType>(key) == EventType::warning ? "Warning" : "Normal"},
      {"reason", std::get<2>(key)},
      {"message", std::get<3>(key)},
      {"source", {{"component", component_}}},
      {"reportingComponent", component_},
      {"firstTimestamp", wall}};
  return series;
}

void EventSeries::make_room(base::TimePoint now) {
  std::erase_if(series_, [now](const auto& item) { return item.second.is_idle() && item.second.forgotten <= now; });
  if (series_.size() < limits_.series) return;
  // Better to tell something twice later on than to leave something untold now.
  auto oldest = series_.end();
  for (auto it = series_.begin(); it != series_.end(); ++it) {
    if (!it->second.is_idle()) continue;
    if (oldest == series_.end() || it->second.forgotten < oldest->second.forgotten) oldest = it;
  }
  if (oldest != series_.end()) series_.erase(oldest);
}

std::optional<EventSeries::Write> EventSeries::next(base::TimePoint now) {
  writing_ = std::min_element(series_.begin(), series_.end(),
                              [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
  if (writing_ == series_.end() || writing_->second.due > now) {
    writing_ = series_.end();
    return std::nullopt;
  }
  auto& series = writing_->second;
  series.due = base::kNever;
  series.is_writing = true;
  writing_count_ = series.count;
  Write write{series.written == 0, series.event};
  write.event["count"] = series.count;
  write.event["lastTimestamp"] = series.last;
  return write;
}

void EventSeries::written(base::TimePoint now, const ApiResult<Json>& answer) {
  if (writing_ == series_.end()) return;
  auto& series = std::exchange(writing_, series_.end())->second;
  series.is_writing = false;
  series.not_before = now + limits_.between_writes;
  if (!answer && is_passing(answer.error()) && ++series.failures < limits_.tries) {
    series.due = std::max(series.not_before, now + answer.error().retry_after.value_or(std::chrono::seconds{0}));
    return;
  }
  series.failures = 0;
  // A name of its own that is taken: an earlier write whose answer was lost.
  if (answer || answer.error().conflict()) series.written = writing_count_;
  if (series.count > writing_count_) series.due = series.not_before;
}

void EventSeries::dropped() {
  if (writing_ != series_.end()) series_.erase(std::exchange(writing_, series_.end()));
}

base::TimePoint EventSeries::next_due() const {
  base::TimePoint due = base::kNever;
  for (const auto& [key, series] : series_) due = std::min(due, series.due);
  return due;
}

}  // namespace adit::kube
