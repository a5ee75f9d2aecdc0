#include "operator/tunnel_controller.h"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/rand.h>

#include "base/log.h"
#include "base/utc.h"

namespace adit::controller {
namespace {

using kube::Json;
using kube::ReconcileResult;

/// For who waits for the authority, which takes a moment; everybody is told when it is there, besides.
constexpr auto kTrustComesWithin = std::chrono::seconds(2);

/// Versions of one object are numbers that grow (KEP-5504).
bool is_newer(const Json& a, const Json& b) {
  const auto version = kube::resource_version_of(a);
  const auto other = kube::resource_version_of(b);
  return std::pair(version.size(), version) > std::pair(other.size(), other);
}

std::string connector_secret_key(const Json& tunnel) {
  return kube::Name{kube::name_of(tunnel).space, connector_secret_name(tunnel)}.key();
}

/// 256 random bits, URL-safe.
std::string new_token() {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<unsigned char, 43> bytes{};  // 43 digits of 6 bits
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::runtime_error("no random numbers");
  std::string token;
  for (const auto byte : bytes) token.push_back(kDigits[byte % kDigits.size()]);
  return token;
}

}  // namespace

const kube::Resource& tunnels() {
  static const kube::Resource resource{"adit.dev", "v1alpha1", "tunnels", "Tunnel"};
  return resource;
}

TunnelController::TunnelController(Parts parts, TunnelControllerSettings settings)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      budget_(settings_.writes_per_second, settings_.writes_per_second),
      controller_({.name = "tunnel", .workers = 4}, [this](const std::string& key) { return reconcile(key); }) {}

ReconcileResult TunnelController::reconcile(const std::string& key) {
  const auto tunnel = find(key);
  const auto facts = parts_.compiler.facts(key);
  // What is not compiled yet comes again once it is; what is gone is cleared away by its owner references.
  if (!tunnel || !facts || facts->uid != kube::uid_of(*tunnel) || facts->generation != kube::generation_of(*tunnel)) {
    return ReconcileResult::done();
  }
  const auto secret = reconcile_secret(*tunnel, *facts);
  if (is_behind(*tunnel, *facts)) return secret;
  const auto status = reconcile_status(*tunnel, *facts);
  using Next = ReconcileResult::Next;
  if (secret.next == Next::retry || status.next == Next::retry) return ReconcileResult::retry();
  if (secret.next == Next::later && status.next == Next::later) return secret.after < status.after ? secret : status;
  return status.next == Next::later ? status : secret;
}

kube::ObjectPtr TunnelController::find(const std::string& key) {
  auto tunnel = parts_.find_tunnel(key);
  const std::lock_guard lock(mutex_);
  const auto written = written_.find(key);
  if (written == written_.end()) return tunnel;
  const auto& own = written->second;
  if (tunnel && kube::uid_of(*tunnel) == kube::uid_of(*own) && is_newer(*own, *tunnel)) return own;
  written_.erase(written);
  return tunnel;
}

/// The facts miss a Secret that is there by now: they are on their way, and so this Tunnel comes again.
bool TunnelController::is_behind(const Json& tunnel, const TunnelFacts& facts) const {
  const auto& problems = facts.outcome.problems;
  return uses_connector_secret(tunnel) &&
         std::any_of(problems.begin(), problems.end(),
                     [](const routing::Problem& problem) {
                       return problem.kind == routing::ProblemKind::secret_missing &&
                              problem.field == "spec.connectorTokens";
                     }) &&
         parts_.secrets.state(connector_secret_key(tunnel)).kind == SecretState::Kind::present;
}

ReconcileResult TunnelController::reconcile_secret(const Json& tunnel, const TunnelFacts& facts) {
  if (!uses_connector_secret(tunnel) || !facts.refused.empty()) return ReconcileResult::done();
  const auto state = parts_.secrets.state(connector_secret_key(tunnel));
  if (state.kind == SecretState::Kind::unknown || state.kind == SecretState::Kind::unreadable) {
    return ReconcileResult::done();  // comes again when it is known
  }
  const ConnectorAccess access{settings_.gateway, parts_.trusted()};
  if (access.ca.empty()) return ReconcileResult::later(kTrustComesWithin);
  auto plan = plan_connector_secret(tunnel, facts.id, state.object.get(), access, settings_.rotation, new_token(),
                                    std::chrono::system_clock::now());
  const auto next = plan.again ? ReconcileResult::later(*plan.again) : ReconcileResult::done();
  if (plan.write == ConnectorSecretPlan::Write::none) return next;
  if (const auto wait = budget_.take(base::Clock::now()); wait.count() > 0) return ReconcileResult::later(wait);
  const auto written = write_secret(tunnel, std::move(plan), state);
  return written.next == ReconcileResult::Next::done ? next : written;
}

/// Only over what was read: of a token that somebody has written in the meantime, connectors may know already.
ReconcileResult TunnelController::write_secret(const Json& tunnel, ConnectorSecretPlan plan, const SecretState& state) {
  const bool is_new = plan.write == ConnectorSecretPlan::Write::create;
  if (!is_new) plan.object["metadata"]["resourceVersion"] = kube::resource_version_of(*state.object);
  const auto written = is_new ? parts_.api.create(secrets(), plan.object) : parts_.api.apply(secrets(), plan.object);
  if (!written) {
    if (written.error().conflict() || (written.error().not_found() && !is_new)) {
      parts_.secrets.look(kube::name_of(plan.object).key());
    } else {
      tell_failure(tunnel, "ConnectorSecretFailed", written.error());
    }
    return ReconcileResult::retry();
  }
  parts_.secrets.put(*written);
  if (plan.rotated) {
    parts_.events.record(tunnel, kube::EventType::normal, "TokenRotated",
                         "Secret " + connector_secret_name(tunnel) + " has a new token; the former one counts for " +
                             std::to_string(settings_.rotation.overlap.count()) + " s more");
  }
  return ReconcileResult::done();
}

ReconcileResult TunnelController::reconcile_status(const kube::Json& tunnel, const TunnelFacts& facts) {
  if (facts.waiting || !parts_.views.is_settled()) return ReconcileResult::done();  // comes again when that is over
  // The id of another Tunnel is none of its own, and neither is what gateways say of that.
  const bool is_other =
      std::any_of(facts.outcome.problems.begin(), facts.outcome.problems.end(),
                  [](const routing::Problem& problem) { return problem.kind == routing::ProblemKind::duplicate_id; });
  const auto edge = is_other ? EdgeView{} : parts_.views.find(facts.id);
  const auto plan =
      plan_status(tunnel, facts, edge, settings_.addresses, base::utc_text(std::chrono::system_clock::now()));
  if (!plan.object) return ReconcileResult::done();
  if (const auto wait = budget_.take(base::Clock::now()); wait.count() > 0) return ReconcileResult::later(wait);
  const auto written = parts_.api.apply_status(tunnels(), *plan.object);
  if (written) {
    {
      const std::lock_guard lock(mutex_);
      written_.insert_or_assign(kube::name_of(tunnel).key(), std::make_shared<const Json>(*written));
    }
    for (const auto& event : plan.events) parts_.events.record(tunnel, event.type, event.reason, event.message);
    return ReconcileResult::done();
  }
  if (written.error().not_found() || written.error().conflict()) return ReconcileResult::done();  // gone, or a namesake
  tell_failure(tunnel, "StatusFailed", written.error());
  return ReconcileResult::retry();
}

void TunnelController::tell_failure(const kube::Json& tunnel, const std::string& what, const kube::ApiError& error) {
  if (error.failure == kube::ApiFailure::cancelled) return;
  base::log::warning("write failed", {{"tunnel", kube::name_of(tunnel).key()}, {"reason", error.text()}});
  if (error.failure == kube::ApiFailure::refused && error.code < 500) {
    parts_.events.record(tunnel, kube::EventType::warning, what, error.text());
  }
}

}  // namespace adit::controller
