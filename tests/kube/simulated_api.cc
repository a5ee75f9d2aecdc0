#include "tests/kube/simulated_api.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/clock.h"

namespace adit::kube {
namespace {

ApiError refuse(std::string call, int code, std::string reason, std::string message) {
  ApiError error;
  error.call = std::move(call);
  error.code = code;
  error.reason = std::move(reason);
  error.message = std::move(message);
  return error;
}

/// "a=b,c!=d" of labels, or of the fields that these tests use.
bool selects(const std::string& selector, const std::function<std::string(const std::string&)>& value) {
  std::size_t from = 0;
  while (from < selector.size()) {
    const auto end = std::min(selector.find(',', from), selector.size());
    const auto term = selector.substr(from, end - from);
    const auto equals = term.find('=');
    const bool wants_other = equals > 0 && term[equals - 1] == '!';
    const bool is_equal = value(term.substr(0, wants_other ? equals - 1 : equals)) == term.substr(equals + 1);
    if (is_equal == wants_other) return false;
    from = end + 1;
  }
  return true;
}

bool selected(const Selection& selection, const std::string& subject, const Json& object) {
  if (subject != subject_of(selection.resource)) return false;
  if (!selection.space.empty() && name_of(object).space != selection.space) return false;
  return selects(selection.label_selector, [&](const auto& name) { return label_of(object, name); }) &&
         selects(selection.field_selector, [&](const auto& name) {
           if (name == "metadata.name") return name_of(object).name;
           if (name == "metadata.namespace") return name_of(object).space;
           return text_at(object, {name});
         });
}

Json shown(const Selection& selection, Json object) {
  if (!selection.metadata_only) return object;
  return {{"apiVersion", "meta.k8s.io/v1"}, {"kind", "PartialObjectMetadata"}, {"metadata", object["metadata"]}};
}

/// Server-side apply by the only manager: what it applied before and no longer does goes.
void drop_left_out(Json& current, const Json& before, const Json& now) {
  if (!current.is_object() || !before.is_object()) return;
  for (const auto& [name, value] : before.items()) {
    if (!now.is_object() || !now.contains(name)) {
      current.erase(name);
    } else if (current.contains(name)) {
      drop_left_out(current[name], value, now[name]);
    }
  }
}

void merge_into(Json& current, const Json& wanted) {
  if (!wanted.is_object() || !current.is_object()) {
    current = wanted;
    return;
  }
  for (const auto& [name, value] : wanted.items()) merge_into(current[name], value);
}

std::string line_of(const char* type, const Json& object) {
  return Json{{"type", type}, {"object", object}}.dump() + "\n";
}

Json status_of(int code, const char* reason) {
  return {{"kind", "Status"}, {"apiVersion", "v1"}, {"status", "Failure"}, {"code", code}, {"reason", reason}};
}

}  // namespace

std::string subject_of(const Resource& resource) {
  return resource.group.empty() ? resource.plural : resource.plural + "." + resource.group;
}

std::optional<ApiError> SimulatedApi::begin(const std::string& call) {
  Intercept intercept;
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back(call);
    intercept = before_;
  }
  return intercept ? intercept(call) : std::nullopt;
}

std::optional<ApiError> SimulatedApi::lost(const std::string& call) {
  Intercept intercept;
  {
    const std::lock_guard lock(mutex_);
    intercept = after_;
  }
  return intercept ? intercept(call) : std::nullopt;
}

ApiResult<Json> SimulatedApi::get(const Resource& resource, const Name& name) {
  const auto call = "get " + subject_of(resource);
  if (auto error = begin(call)) return *error;
  auto object = peek(resource, name);
  if (auto error = lost(call)) return *error;
  if (!object) return refuse(call, 404, "NotFound", name.key() + " not found");
  return *std::move(object);
}

ApiResult<Page> SimulatedApi::list(const Selection& selection, const ListOptions& options) {
  const auto call = "list " + subject_of(selection.resource);
  if (auto error = begin(call)) return *error;
  const std::lock_guard lock(mutex_);
  if (!options.more.empty()) {
    const auto colon = options.more.find(':');
    return page_of(std::stoull(options.more), std::stoull(options.more.substr(colon + 1)), options.limit);
  }
  Snapshot snapshot{version_, {}};
  for (const auto& [key, object] : objects_) {
    if (selected(selection, key.first, object)) snapshot.items.push_back(shown(selection, object));
  }
  const auto id = ++snapshot_ids_;
  snapshots_.emplace(id, std::move(snapshot));
  return page_of(id, 0, options.limit);
}

ApiResult<Page> SimulatedApi::page_of(std::uint64_t id, std::size_t from, std::size_t limit) {
  const auto found = snapshots_.find(id);
  if (found == snapshots_.end()) return refuse("list", 410, "Expired", "the continue token is too old");
  const auto& [version, items] = found->second;
  const auto to = limit == 0 ? items.size() : std::min(items.size(), from + limit);
  Page page;
  page.resource_version = std::to_string(version);
  page.items.assign(items.begin() + static_cast<std::ptrdiff_t>(from), items.begin() + static_cast<std::ptrdiff_t>(to));
  if (to < items.size()) {
    page.more = std::to_string(id) + ":" + std::to_string(to);
  } else {
    snapshots_.erase(found);
  }
  return page;
}

ApiResult<void> SimulatedApi::watch(const Selection& selection, const WatchOptions& options,
                                    const std::function<bool(std::string_view bytes)>& on_bytes,
                                    const std::function<bool()>& idle, std::stop_token stop) {
  const auto call = "watch " + subject_of(selection.resource);
  if (auto error = begin(call)) return *error;
  auto cursor = open_watch(selection, options.resource_version);
  if (!cursor) return cursor.error();
  const auto end = base::Clock::now() + options.timeout;
  std::unique_lock lock(mutex_);
  const auto breaks = breaks_;
  const auto tell = [&](std::string_view bytes) {
    lock.unlock();
    const bool more = on_bytes(bytes);
    lock.lock();
    return more;
  };
  if (!tell({})) return {};
  while (base::Clock::now() < end) {
    if (stop.stop_requested()) return ApiError{ApiFailure::cancelled, 0, call, {}, {}, {}};
    if (const auto bytes = read_locked(*cursor, ~std::size_t{0}); !bytes.empty()) {
      if (!tell(bytes)) return {};
      continue;
    }
    if (breaks_ != breaks) {
      if (how_ == Break::cut) return ApiError{ApiFailure::unreachable, 0, call, {}, "cut", {}};
      if (how_ == Break::corrupt) tell("{\"type\":\"ADDED\",\x01\n");
      if (how_ == Break::gone) tell(line_of("ERROR", status_of(410, "Expired")));
      return {};
    }
    const auto until = std::min(end, base::Clock::now() + std::chrono::milliseconds(500));
    const bool woken = changed_.wait_until(
        lock, stop, until, [&, version = version_] { return version_ != version || breaks_ != breaks; });
    if (woken) continue;
    lock.unlock();
    const bool more = idle();
    lock.lock();
    if (!more) return {};
  }
  lock.unlock();
  on_bytes(bookmark(*cursor));
  return {};
}

ApiResult<Json> SimulatedApi::create(const Resource& resource, const Json& object) {
  const auto call = "create " + subject_of(resource);
  if (auto error = begin(call)) return *error;
  const Key key{subject_of(resource), name_of(object)};
  Json stored;
  {
    const std::lock_guard lock(mutex_);
    if (objects_.contains(key)) return refuse(call, 409, "AlreadyExists", key.second.key() + " already exists");
    stored = store(key, object);
  }
  if (auto error = lost(call)) return *error;
  return stored;
}

ApiResult<Json> SimulatedApi::apply(const Resource& resource, const Json& object) {
  return merge("apply", resource, object, false);
}

ApiResult<Json> SimulatedApi::apply_status(const Resource& resource, const Json& object) {
  return merge("apply_status", resource, object, true);
}

ApiResult<Json> SimulatedApi::merge(const std::string& verb, const Resource& resource, const Json& wanted,
                                    bool status) {
  const auto call = verb + " " + subject_of(resource);
  if (auto error = begin(call)) return *error;
  const Key key{subject_of(resource), name_of(wanted)};
  Json stored;
  {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    const auto expected = resource_version_of(wanted);
    if (found == objects_.end() && status) return refuse(call, 404, "NotFound", key.second.key() + " not found");
    if (!expected.empty() && (found == objects_.end() || resource_version_of(found->second) != expected)) {
      return refuse(call, 409, "Conflict", key.second.key() + " has been modified");
    }
    auto part = wanted;
    part["metadata"].erase("resourceVersion");
    if (status) {
      part = Json::object();
      if (wanted.contains("status")) part["status"] = wanted["status"];
    } else {
      part.erase("status");
    }
    auto object = found == objects_.end() ? Json::object() : found->second;
    auto& before = applied_[{key, status}];
    drop_left_out(object, before, part);
    merge_into(object, part);
    before = std::move(part);
    stored = store(key, std::move(object));
  }
  if (auto error = lost(call)) return *error;
  return stored;
}

ApiResult<void> SimulatedApi::remove(const Resource& resource, const Name& name, const std::string& uid) {
  const auto call = "delete " + subject_of(resource);
  if (auto error = begin(call)) return *error;
  const auto object = peek(resource, name);
  if (!object) return refuse(call, 404, "NotFound", name.key() + " not found");
  if (!uid.empty() && uid_of(*object) != uid) return refuse(call, 409, "Conflict", "the uid is another");
  erase(resource, name);
  if (auto error = lost(call)) return *error;
  return {};
}

ApiResult<Api::Review> SimulatedApi::review_token(const std::string& token, const std::vector<std::string>& audiences) {
  if (auto error = begin("review tokens")) return *error;
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(token);
  if (found == tokens_.end()) return Review{false, {}, {}, "invalid bearer token"};
  auto review = found->second;
  std::erase_if(review.audiences, [&](const auto& audience) {
    return std::find(audiences.begin(), audiences.end(), audience) == audiences.end();
  });
  if (review.audiences.empty()) return Review{false, {}, {}, "token audiences do not match"};
  return review;
}

Json SimulatedApi::put(const Resource& resource, Json object) {
  const std::lock_guard lock(mutex_);
  const Key key{subject_of(resource), name_of(object)};
  return store(key, std::move(object));
}

Json SimulatedApi::store(const Key& key, Json object) {
  Entry entry{0, key.first, key.second, {}, {}};
  auto& metadata = object["metadata"];
  if (const auto found = objects_.find(key); found != objects_.end()) {
    const auto& present = found->second;
    entry.before = present;
    metadata["uid"] = present["metadata"]["uid"];
    metadata["creationTimestamp"] = present["metadata"]["creationTimestamp"];
    metadata["resourceVersion"] = present["metadata"]["resourceVersion"];
    const bool spec_changed = object.value("spec", Json()) != present.value("spec", Json());
    metadata["generation"] = generation_of(present) + (spec_changed ? 1 : 0);
    if (object == present) return object;
  } else {
    metadata["uid"] = "00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + version_);
    metadata["creationTimestamp"] = "2026-01-01T00:00:00Z";
    metadata["generation"] = 1;
  }
  metadata["resourceVersion"] = std::to_string(++version_);
  entry.version = version_;
  entry.after = object;
  objects_.insert_or_assign(key, object);
  history_.push_back(std::move(entry));
  changed_.notify_all();
  return object;
}

void SimulatedApi::erase(const Resource& resource, const Name& name) {
  const std::lock_guard lock(mutex_);
  const Key key{subject_of(resource), name};
  const auto found = objects_.find(key);
  if (found == objects_.end()) return;
  history_.push_back({++version_, key.first, name, std::move(found->second), std::nullopt});
  objects_.erase(found);
  applied_.erase({key, false});
  applied_.erase({key, true});
  changed_.notify_all();
}

std::optional<Json> SimulatedApi::peek(const Resource& resource, const Name& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find({subject_of(resource), name});
  if (found == objects_.end()) return std::nullopt;
  return found->second;
}

std::vector<Json> SimulatedApi::all(const Resource& resource) const {
  const std::lock_guard lock(mutex_);
  std::vector<Json> objects;
  for (const auto& [key, object] : objects_) {
    if (key.first == subject_of(resource)) objects.push_back(object);
  }
  return objects;
}

void SimulatedApi::add_token(const std::string& token, Review review) {
  const std::lock_guard lock(mutex_);
  tokens_[token] = std::move(review);
}

void SimulatedApi::before_calls(Intercept intercept) {
  const std::lock_guard lock(mutex_);
  before_ = std::move(intercept);
}

void SimulatedApi::after_calls(Intercept intercept) {
  const std::lock_guard lock(mutex_);
  after_ = std::move(intercept);
}

void SimulatedApi::compact() {
  const std::lock_guard lock(mutex_);
  compacted_ = version_;
  history_.clear();
  snapshots_.clear();
}

void SimulatedApi::break_watches(Break how) {
  const std::lock_guard lock(mutex_);
  how_ = how;
  ++breaks_;
  changed_.notify_all();
}

std::vector<std::string> SimulatedApi::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::size_t SimulatedApi::count(const std::string& call) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count(calls_.begin(), calls_.end(), call));
}

ApiResult<SimulatedApi::Cursor> SimulatedApi::open_watch(const Selection& selection,
                                                         const std::string& resource_version) const {
  const std::lock_guard lock(mutex_);
  const auto from = std::stoull(resource_version);
  if (from < compacted_) {
    return refuse("watch " + subject_of(selection.resource), 410, "Expired", "too old resource version");
  }
  return Cursor{selection, from};
}

std::string SimulatedApi::read(Cursor& cursor, std::size_t most) const {
  const std::lock_guard lock(mutex_);
  return read_locked(cursor, most);
}

std::string SimulatedApi::read_locked(Cursor& cursor, std::size_t most) const {
  std::string lines;
  // A cursor that the compaction has overtaken cannot know what it missed.
  if (cursor.version < compacted_) return line_of("ERROR", status_of(410, "Expired"));
  const auto first = std::partition_point(history_.begin(), history_.end(),
                                          [&](const auto& entry) { return entry.version <= cursor.version; });
  for (auto entry = first; entry != history_.end() && most > 0; ++entry, --most) {
    cursor.version = entry->version;
    const bool was = entry->before && selected(cursor.selection, entry->subject, *entry->before);
    const bool is = entry->after && selected(cursor.selection, entry->subject, *entry->after);
    if (is) {
      lines += line_of(was ? "MODIFIED" : "ADDED", shown(cursor.selection, *entry->after));
    } else if (was) {
      auto last = *entry->before;
      last["metadata"]["resourceVersion"] = std::to_string(entry->version);
      lines += line_of("DELETED", shown(cursor.selection, std::move(last)));
    }
  }
  return lines;
}

std::string SimulatedApi::bookmark(const Cursor& cursor) const {
  return line_of("BOOKMARK", {{"apiVersion", cursor.selection.resource.api_version()},
                              {"kind", cursor.selection.resource.kind},
                              {"metadata", {{"resourceVersion", std::to_string(cursor.version)}}}});
}

std::uint64_t SimulatedApi::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

std::vector<SimulatedApi::Entry> SimulatedApi::history(std::uint64_t after_version) const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> entries;
  for (const auto& entry : history_) {
    if (entry.version > after_version) entries.push_back(entry);
  }
  return entries;
}

}  // namespace adit::kube
