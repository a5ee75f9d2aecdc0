#include "kube/watch_machine.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace adit::kube {
namespace {

constexpr unsigned kMostEmptyCloses = 2;
constexpr unsigned kMostRefusals = 3;
/// A server's wish to wait is followed up to here: what it must not do is to silence this side for good.
constexpr std::chrono::seconds kLongestWish{120};
/// After so long an accepted watch counts as standing.
constexpr std::chrono::seconds kStanding{1};

ObjectPtr keep(Json object) {
  if (const auto metadata = object.find("metadata"); metadata != object.end() && metadata->is_object()) {
    metadata->erase("managedFields");
  }
  return std::make_shared<const Json>(std::move(object));
}

ApiError error_of(ApiFailure failure, std::string call, std::string message) {
  ApiError error;
  error.failure = failure;
  error.call = std::move(call);
  error.message = std::move(message);
  return error;
}

bool is_nameless(const Json& item) { return name_of(item).name.empty(); }

}  // namespace

WatchMachine::WatchMachine(WatchMachineOptions options, base::Random& random)
    : options_(std::move(options)), backoff_(options_.backoff, random), lines_(options_.most_line_bytes) {}

WatchAction WatchMachine::next(base::TimePoint now) {
  if (now < not_before_) return WaitUntil{not_before_};
  if (goal_ == Goal::list) return ListPage{{options_.page_size, more_, {}}};
  watching_ = true;
  progressed_ = false;
  started_ = last_byte_ = now;
  accepted_.reset();
  lines_.clear();
  return StartWatch{{version_, options_.watch_timeout}};
}

void WatchMachine::listed(base::TimePoint now, Page page) {
  if (page.resource_version.empty() || std::any_of(page.items.begin(), page.items.end(), is_nameless)) {
    begin_list();
    return list_failed(now, error_of(ApiFailure::malformed, "list " + options_.subject,
                                     "a page without resourceVersion, or an item without name"));
  }
  for (auto& item : page.items) pages_.push_back(keep(std::move(item)));
  more_ = std::move(page.more);
  if (!more_.empty()) return;
  updates_.emplace_back(AllReplaced{std::exchange(pages_, {})});
  version_ = std::move(page.resource_version);
  goal_ = Goal::watch;
  if (failure_of_ == Goal::list) failure_.reset();
}

void WatchMachine::list_failed(base::TimePoint now, ApiError error) {
  // A page that did not come can be asked for again; a token that the server refuses is worth nothing any more.
  if (error.failure == ApiFailure::refused) begin_list();
  wait(now, error.retry_after);
  if (!error.gone()) fail(Goal::list, std::move(error));
}

bool WatchMachine::received(base::TimePoint now, std::string_view bytes) {
  if (!watching_) return false;
  last_byte_ = now;
  if (!accepted_) accepted_ = now;
  check_standing(now);
  const bool whole = lines_.feed(bytes, [&](std::string_view line) { return take_line(now, line); });
  if (!whole && watching_) {
    end_watch(now, Goal::list, error_of(ApiFailure::malformed, "watch " + options_.subject, "a line is too long"));
  }
  return watching_;
}

bool WatchMachine::idle(base::TimePoint now) {
  if (!watching_) return false;
  check_standing(now);
  if (now < std::max(started_ + options_.watch_timeout, last_byte_) + options_.silence_margin) return true;
  end_watch(now, Goal::list,
            error_of(ApiFailure::timed_out, "watch " + options_.subject, "silent past the time that was asked for"));
  return false;
}

void WatchMachine::watch_ended(base::TimePoint now, const ApiResult<void>& result) {
  if (!watching_) return;
  if (result) {
    clean_end(now);
  } else {
    failed_end(now, result.error());
  }
}

bool WatchMachine::take_line(base::TimePoint now, std::string_view line) {
  if (line.empty()) return true;
  auto read = read_watch_line(line);
  if (!read) {
    auto error = read.error();
    error.call = "watch " + options_.subject;
    end_watch(now, Goal::list, std::move(error));
    return false;
  }
  if (read->type == WatchLine::Type::error) {
    failed_end(now, error_of_status(read->object, "watch " + options_.subject));
    return false;
  }
  auto version = resource_version_of(read->object);
  if (read->type == WatchLine::Type::set) updates_.emplace_back(ObjectSet{keep(std::move(read->object))});
  if (read->type == WatchLine::Type::erase) updates_.emplace_back(ObjectErased{name_of(read->object).key()});
  progress(std::move(version));
  return true;
}

void WatchMachine::progress(std::string version) {
  if (version == version_) return;
  version_ = std::move(version);
  progressed_ = true;
  settle();
  failure_.reset();
}

void WatchMachine::settle() {
  empty_closes_ = refusals_ = 0;
  backoff_.reset();
}

void WatchMachine::check_standing(base::TimePoint now) {
  if (accepted_ && now - *accepted_ >= kStanding) failure_.reset();
}

bool WatchMachine::lasted(base::TimePoint now) const {
  return now - started_ >= std::chrono::milliseconds(options_.watch_timeout) / 2;
}

void WatchMachine::clean_end(base::TimePoint now) {
  if (lasted(now)) {
    settle();
    watching_ = false;
    failure_.reset();
    return;
  }
  if (!progressed_) ++empty_closes_;
  end_watch(now, empty_closes_ >= kMostEmptyCloses ? Goal::list : Goal::watch, std::nullopt);
}

void WatchMachine::failed_end(base::TimePoint now, ApiError error) {
  if (lasted(now)) settle();
  if (error.gone()) return end_watch(now, Goal::list, std::nullopt);
  if (error.failure == ApiFailure::refused) ++refusals_;
  end_watch(now, refusals_ >= kMostRefusals ? Goal::list : Goal::watch, std::move(error));
}

void WatchMachine::end_watch(base::TimePoint now, Goal next, std::optional<ApiError> failure) {
  watching_ = false;
  goal_ = next;
  if (next == Goal::list) {
    begin_list();
    empty_closes_ = refusals_ = 0;
  }
  wait(now, failure ? failure->retry_after : std::nullopt);
  if (failure) fail(Goal::watch, std::move(*failure));
}

void WatchMachine::begin_list() {
  more_.clear();
  pages_.clear();
}

void WatchMachine::wait(base::TimePoint now, std::optional<std::chrono::seconds> at_least) {
  not_before_ = now + backoff_.next(std::min(at_least.value_or(std::chrono::seconds{0}), kLongestWish));
}

void WatchMachine::fail(Goal of, ApiError error) {
  ++failures_;
  failure_ = std::move(error);
  failure_of_ = of;
}

}  // namespace adit::kube
