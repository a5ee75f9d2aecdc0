#include "operator/secret_cache.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace adit::controller {
namespace {

constexpr auto kLookAgain = std::chrono::seconds(10);

/// Kinds of Secrets that come and go in masses and that no Tunnel can use.
constexpr std::string_view kOfInterest =
    "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token,type!=kubernetes.io/dockerconfigjson";

bool same(const SecretState& a, const SecretState& b) {
  if (a.kind != b.kind || a.reason != b.reason || (a.object == nullptr) != (b.object == nullptr)) return false;
  return a.object == nullptr || (kube::uid_of(*a.object) == kube::uid_of(*b.object) &&
                                 kube::resource_version_of(*a.object) == kube::resource_version_of(*b.object));
}

kube::Name name_from(const std::string& key) {
  const auto slash = key.find('/');
  return {key.substr(0, slash), key.substr(slash + 1)};
}

}  // namespace

const kube::Resource& secrets() {
  static const kube::Resource kSecrets{"", "v1", "secrets", "Secret"};
  return kSecrets;
}

SecretCache::SecretCache(kube::Api& api, const std::vector<std::string>& spaces, OnChange on_change)
    : api_(api),
      on_change_(std::move(on_change)),
      readers_({.name = "secret", .workers = 2}, [this](const std::string& key) { return read(key); }) {
  for (const auto& space : spaces) {
    kube::ReflectorOptions options;
    options.selection.resource = secrets();
    options.selection.space = space;
    options.selection.field_selector = kOfInterest;
    options.selection.metadata_only = true;
    options.name = "secrets";
    metadata_.push_back(std::make_unique<kube::Reflector>(
        api, std::move(options), [this](const std::vector<kube::Change>& changes) { on_metadata(changes); }));
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
    std::erase_if(states_, [&](const auto& entry) { return !keys.contains(entry.first); });
    for (const auto& key : keys) {
      if (states_.try_emplace(key).second) added.push_back(key);
    }
  }
  for (const auto& key : added) readers_.enqueue(key);
}

SecretState SecretCache::state(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find(key);
  return found == states_.end() ? SecretState{} : found->second;
}

void SecretCache::put(const kube::Json& secret) {
  store(kube::name_of(secret).key(),
        {SecretState::Kind::present, std::make_shared<const kube::Json>(secret), std::string()});
}

std::optional<kube::ApiError> SecretCache::failure() const {
  for (const auto& reflector : metadata_) {
    if (auto failure = reflector->store().failure()) return failure;
  }
  return std::nullopt;
}

bool SecretCache::is_watched() const {
  return std::all_of(metadata_.begin(), metadata_.end(), [](const auto& reflector) {
    return reflector->store().is_synced() && !reflector->store().failure();
  });
}

void SecretCache::on_metadata(const std::vector<kube::Change>& changes) {
  for (const auto& change : changes) {
    {
      const std::lock_guard lock(mutex_);
      if (!states_.contains(change.key)) continue;
    }
    readers_.enqueue(change.key);
  }
}

kube::ReconcileResult SecretCache::read(const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    if (!states_.contains(key)) return kube::ReconcileResult::done();
  }
  auto got = api_.get(secrets(), name_from(key));
  if (got) {
    store(key, {SecretState::Kind::present, std::make_shared<const kube::Json>(std::move(*got)), std::string()});
  } else if (got.error().not_found()) {
    store(key, {SecretState::Kind::absent, nullptr, std::string()});
  } else if (got.error().forbidden()) {
    // What was read stays in force: rights that were taken away by mistake must not take sites down.
    base::log::warning("Secret cannot be read", {{"secret", key}, {"reason", got.error().text()}});
    if (state(key).kind != SecretState::Kind::present) {
      store(key, {SecretState::Kind::unreadable, nullptr, got.error().message});
    }
    return kube::ReconcileResult::later(kLookAgain);
  } else {
    return kube::ReconcileResult::retry();
  }
  return is_watched() ? kube::ReconcileResult::done() : kube::ReconcileResult::later(kLookAgain);
}

void SecretCache::store(const std::string& key, SecretState state) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = states_.find(key);
    if (found == states_.end() || same(found->second, state)) return;
    found->second = state;
  }
  on_change_(key, state);
}

}  // namespace adit::controller
