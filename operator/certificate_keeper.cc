#include "operator/certificate_keeper.h"

#include <utility>

#include "base/log.h"
#include "operator/secret_cache.h"
#include "routing/digest.h"

namespace adit::controller {
namespace {

using kube::Json;

const kube::Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
const std::string kAuthority = "adit-authority";
const std::string kServing = "adit-operator-tls";
const std::string kLink = "adit-gateway-link-tls";
const std::string kPeer = "adit-gateway-peer-tls";
const std::string kTrusted = "adit-ca";

std::string decoded(const Json& secret, std::string_view key) {
  return routing::decode_base64(kube::text_at(secret, {"data", key})).value_or("");
}

std::optional<KeyCertificate> pair_of(const Json& secret, std::string_view certificate, std::string_view key) {
  KeyCertificate pair{decoded(secret, certificate), decoded(secret, key)};
  if (pair.certificate.empty() || pair.key.empty()) return std::nullopt;
  return pair;
}

/// Who manages them is not said: a chart makes these objects, without content, so that they go when it is uninstalled.
Json metadata(const std::string& space, const std::string& name) {
  return {{"name", name}, {"namespace", space}, {"labels", {{"app.kubernetes.io/part-of", "adit"}}}};
}

/// Without a type, which nobody could change: kubernetes.io/tls cannot be made without content, and Opaque is what
/// comes of saying nothing.
Json tls_secret(const std::string& space, const std::string& name, const KeyCertificate& pair) {
  return {
      {"apiVersion", "v1"},
      {"kind", "Secret"},
      {"metadata", metadata(space, name)},
      {"data", {{"tls.crt", routing::encode_base64(pair.certificate)}, {"tls.key", routing::encode_base64(pair.key)}}}};
}

Json authority_secret(const std::string& space, const AuthoritySecret& authority) {
  Json object = tls_secret(space, kAuthority, authority.signer);
  object["data"]["ca.crt"] = routing::encode_base64(authority.trusted);
  if (authority.next) {
    object["data"]["next.crt"] = routing::encode_base64(authority.next->certificate);
    object["data"]["next.key"] = routing::encode_base64(authority.next->key);
  }
  return object;
}

}  // namespace

CertificateKeeper::CertificateKeeper(kube::Api& api, std::string space, EdgeNames names,
                                     std::function<bool()> may_write, OnChange on_change,
                                     CertificateKeeperSettings settings)
    : api_(api),
      space_(std::move(space)),
      names_(std::move(names)),
      may_write_(std::move(may_write)),
      on_change_(std::move(on_change)),
      settings_(settings) {}

CertificateKeeper::~CertificateKeeper() { stop(); }

void CertificateKeeper::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void CertificateKeeper::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void CertificateKeeper::look() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  wake_.notify_one();
}

std::string CertificateKeeper::trusted() const {
  const std::lock_guard lock(mutex_);
  return trusted_;
}

void CertificateKeeper::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto wait = keep();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, wait, [this] { return woken_; });
    woken_ = false;
  }
}

std::chrono::milliseconds CertificateKeeper::keep() {
  StoredCertificates stored;
  auto failure = read(stored);
  bool is_whole = false;
  if (!failure) {
    const bool is_lost = !stored.authority && authority_;
    if (is_lost) stored.authority = authority_;
    auto plan = plan_certificates(stored, names_, std::chrono::system_clock::now());
    if (plan && is_lost) {
      plan->authority_changed = true;
      plan->reasons.emplace_back("the authority's Secret was gone: it is put back");
    }
    if (plan) {
      is_whole = use(*plan, failure);
    } else {
      failure = plan.error();
    }
  }
  tell_failure(failure);
  return is_whole && !failure ? settings_.look_again : settings_.retry;
}

bool CertificateKeeper::use(const EdgeCertificates& plan, std::optional<std::string>& failure) {
  const bool writes = may_write_();
  const bool changes = plan.authority_changed || plan.serving_changed || plan.link_changed || plan.peer_changed;
  if (writes) failure = store(plan);
  // What is not stored must not be used: another process would make another one.
  if (failure || (changes && !writes)) return false;
  const bool used = tell(plan);
  if (writes) failure = publish(plan.authority.trusted);
  return used;
}

bool CertificateKeeper::tell(const EdgeCertificates& plan) {
  std::string all = plan.authority.trusted + plan.serving.certificate + plan.peer.certificate;
  if (plan.link) all += plan.link->certificate;
  if (all == told_) return true;
  {
    const std::lock_guard lock(mutex_);
    trusted_ = plan.authority.trusted;
  }
  authority_ = plan.authority;
  const bool used = on_change_(plan);
  told_ = used ? std::move(all) : std::string();
  return used;
}

void CertificateKeeper::tell_failure(const std::optional<std::string>& failure) {
  if (failure.value_or("") == failure_) return;
  failure_ = failure.value_or("");
  if (failure) base::log::error("certificates cannot be kept", {{"reason", *failure}});
}

std::optional<std::string> CertificateKeeper::read(StoredCertificates& stored) {
  for (const auto* name : {&kAuthority, &kServing, &kLink, &kPeer}) {
    const auto secret = api_.get(secrets(), {space_, *name});
    versions_[*name] = secret ? kube::resource_version_of(*secret) : "";
    if (!secret && secret.error().not_found()) continue;
    if (!secret) return secret.error().text();
    auto pair = pair_of(*secret, "tls.crt", "tls.key");
    if (name == &kServing) {
      stored.serving = std::move(pair);
    } else if (name == &kLink) {
      stored.link = std::move(pair);
    } else if (name == &kPeer) {
      stored.peer = std::move(pair);
    } else if (pair) {
      stored.authority =
          AuthoritySecret{std::move(*pair), pair_of(*secret, "next.crt", "next.key"), decoded(*secret, "ca.crt")};
    }
  }
  return std::nullopt;
}

std::optional<std::string> CertificateKeeper::store(const EdgeCertificates& plan) {
  for (const auto& reason : plan.reasons) base::log::info("certificate made", {{"reason", reason}});
  if (plan.authority_changed) {
    if (auto failure = put(secrets(), authority_secret(space_, plan.authority))) return failure;
  }
  if (plan.serving_changed) {
    if (auto failure = put(secrets(), tls_secret(space_, kServing, plan.serving))) return failure;
  }
  if (plan.peer_changed) {
    if (auto failure = put(secrets(), tls_secret(space_, kPeer, plan.peer))) return failure;
  }
  if (plan.link_changed && plan.link) {
    if (auto failure = put(secrets(), tls_secret(space_, kLink, *plan.link))) return failure;
  }
  return std::nullopt;
}

/// Looked at each time: whoever edits or deletes it would otherwise cut off those who come later.
std::optional<std::string> CertificateKeeper::publish(const std::string& trusted) {
  const auto present = api_.get(kConfigMaps, {space_, kTrusted});
  versions_[kTrusted] = present ? kube::resource_version_of(*present) : "";
  if (!present && !present.error().not_found()) return present.error().text();
  if (present && kube::text_at(*present, {"data", "ca.crt"}) == trusted) return std::nullopt;
  const Json map = {{"apiVersion", "v1"},
                    {"kind", "ConfigMap"},
                    {"metadata", metadata(space_, kTrusted)},
                    {"data", {{"ca.crt", trusted}}}};
  return put(kConfigMaps, map);
}

/// Only over what was read, or where nothing was: of two that write at once, one reads again.
std::optional<std::string> CertificateKeeper::put(const kube::Resource& resource, Json object) {
  const auto& version = versions_.at(kube::name_of(object).name);
  if (!version.empty()) object["metadata"]["resourceVersion"] = version;
  const auto written = version.empty() ? api_.create(resource, object) : api_.apply(resource, object);
  if (written) return std::nullopt;
  return written.error().text();
}

}  // namespace adit::controller
