#include "operator/secret_cache.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace adit::controller {
namespace {

constexpr auto kFirstRetry = std::chrono::milliseconds(200);

/// Kinds of Secrets that come and go in masses and that no Tunnel can use.
constexpr std::string_view kOfInterest =
    "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token,type!=kubernetes.io/dockerconfigjson";

bool same(const SecretState& a, const SecretState& b) {
  if (a.kind != b.kind || a.reason != b.reason || (a.object == nullptr) != (b.object == nullptr)) return false;
  return a.object == nullptr || (kube::uid_of(*a.object) == kube::uid_of(*b.object) &&
                                 kube::resource_version_of(*a.object) == kube::resource_version_of(*b.object));
}

/// Whether a change of metadata tells nothing new, for example of what this process wrote itself.
bool is_known(const SecretState& state, const kube::ObjectPtr& metadata) {
  if (!metadata) return state.kind == SecretState::Kind::absent;
  return state.kind == SecretState::Kind::present &&
         kube::resource_version_of(*state.object) == kube::resource_version_of(*metadata) &&
         kube::uid_of(*state.object) == kube::uid_of(*metadata);
}

kube::Name name_from(const std::string& key) {
  const auto slash = key.find('/');
  return {key.substr(0, slash), key.substr(slash + 1)};
}

}  // namespace

const kube::Resource& secrets() {
  static const kube::Resource resource{"", "v1", "secrets", "Secret"};
  return resource;
}

SecretCache::SecretCache(kube::Api& api, const std::vector<std::string>& spaces, OnChange on_change,
                         SecretCacheSettings settings)
    : api_(api),
      on_change_(std::move(on_change)),
      settings_(settings),
      readers_({.name = "secret",
                .workers = 2,
                .backoff = {std::min(kFirstRetry, settings.look_again), settings.look_again}},
               [this](const std::string& key) { return read(key); }) {
  for (const auto& space : spaces) {
    kube::ReflectorOptions options;
    options.selection.resource = secrets();
    options.selection.space = space;
    options.selection.field_selector = kOfInterest;
    options.selection.metadata_only = true;
    options.name = "secrets";
    metadata_.push_back(std::make_unique<kube::Reflector>(
        api, std::move(options), [this](const std::vector<kube::Change>& changes) { on_metadata(changes); },
        [this] { on_failure(); }));
  }
}

SecretCache::~SecretCache() { stop(); }

void SecretCache::start() {
  readers_.start();
  for (auto& reflector : metadata_) reflector->start();
}

void SecretCache::stop() {
  for (auto& reflector : metadata_) reflector->stop();
  readers_.stop();
}

void SecretCache::set_named(std::set<std::string> keys) {
  std::vector<std::string> added;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(named_, [&](const auto& entry) { return !keys.contains(entry.first); });
    for (const auto& key : keys) {
      if (named_.try_emplace(key).second) added.push_back(key);
    }
  }
  for (const auto& key : added) readers_.enqueue(key);
}

SecretState SecretCache::state(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = named_.find(key);
  return found == named_.end() ? SecretState{} : found->second.state;
}

void SecretCache::put(const kube::Json& secret) {
  store(kube::name_of(secret).key(),
        {SecretState::Kind::present, std::make_shared<const kube::Json>(secret), std::string()}, std::nullopt);
}

void SecretCache::look(const std::string& key) {
  mark_stale(key);
  readers_.enqueue(key);
}

std::optional<kube::ApiError> SecretCache::failure() const {
  for (const auto& reflector : metadata_) {
    if (auto failure = reflector->store().failure()) return failure;
  }
  return std::nullopt;
}

void SecretCache::on_metadata(const std::vector<kube::Change>& changes) {
  for (const auto& change : changes) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = named_.find(change.key);
      if (found == named_.end() || is_known(found->second.state, change.after)) continue;
      found->second.is_stale = true;
    }
    readers_.enqueue(change.key);
  }
}

/// What the watch does not tell has to be looked at, if it still does not by then.
void SecretCache::on_failure() {
  if (!failure()) return;
  std::vector<std::string> keys;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, named] : named_) keys.push_back(key);
  }
  for (const auto& key : keys) readers_.enqueue_after(key, settings_.look_again);
}

kube::ReconcileResult SecretCache::read(const std::string& key) {
  const auto puts = begin_read(key);
  if (!puts) return kube::ReconcileResult::done();
  auto got = api_.get(secrets(), name_from(key));
  if (got) {
    store(key, {SecretState::Kind::present, std::make_shared<const kube::Json>(std::move(*got)), std::string()}, puts);
  } else if (got.error().not_found()) {
    store(key, {SecretState::Kind::absent, nullptr, std::string()}, puts);
  } else if (got.error().forbidden()) {
    // What was read stays in force: rights that were taken away by mistake must not take sites down.
    base::log::warning("Secret cannot be read", {{"secret", key}, {"reason", got.error().text()}});
    if (state(key).kind != SecretState::Kind::present) {
      store(key, {SecretState::Kind::unreadable, nullptr, got.error().message}, puts);
    }
    mark_stale(key);
    return kube::ReconcileResult::later(settings_.look_again);
  } else {
    mark_stale(key);
    return kube::ReconcileResult::retry();
  }
  return failure() ? kube::ReconcileResult::later(settings_.look_again) : kube::ReconcileResult::done();
}

std::optional<std::uint64_t> SecretCache::begin_read(const std::string& key) {
  const bool is_watched = !failure();
  const std::lock_guard lock(mutex_);
  const auto found = named_.find(key);
  if (found == named_.end() || (is_watched && !found->second.is_stale)) return std::nullopt;
  found->second.is_stale = false;
  return found->second.puts;
}

void SecretCache::mark_stale(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = named_.find(key); found != named_.end()) found->second.is_stale = true;
}

void SecretCache::store(const std::string& key, const SecretState& state, std::optional<std::uint64_t> puts) {
  const std::lock_guard telling(telling_);
  {
    const std::lock_guard lock(mutex_);
    const auto found = named_.find(key);
    if (found == named_.end()) return;
    auto& named = found->second;
    if (!puts) {
      ++named.puts;
    } else if (*puts != named.puts) {
      return;
    }
    if (same(named.state, state)) return;
    named.state = state;
  }
  on_change_(key, state);
}

}  // namespace adit::controller
