#include "kube/elector.h"

#include <algorithm>
#include <limits>

namespace adit::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// The value at spec.NAME of a Lease, if it is a whole number within what the API's int32 holds; else 0.
std::uint64_t number_of(const Json& lease, std::string_view name) {
  const auto* value = find(lease, {"spec", name});
  if (value == nullptr || !value->is_number_integer()) return 0;
  const auto number = value->get<std::int64_t>();
  return number >= 0 && number <= std::numeric_limits<std::int32_t>::max() ? static_cast<std::uint64_t>(number) : 0;
}

ApiError unusable_lease() {
  ApiError error;
  error.failure = ApiFailure::malformed;
  error.call = "lease";
  error.message = "the answer is not the Lease that was asked for or written";
  return error;
}

}  // namespace

const Resource& lease_resource() {
  static const Resource resource{"coordination.k8s.io", "v1", "leases", "Lease", true};
  return resource;
}

Elector::Action Elector::next(base::TimePoint now, const std::string& wall) {
  end_when_due(now);
  if (now < next_try_) return wait(leading_ ? std::min(next_try_, leading_->deadline) : next_try_);
  if (!must_read_) {
    if (leading_) return write(Action::Kind::apply, false, now, wall);
    if (may_take(now)) return write(absent_ ? Action::Kind::create : Action::Kind::apply, true, now, wall);
  }
  asked_ = Action::Kind::get;
  return {Action::Kind::get, {}, {}};
}

void Elector::answered(base::TimePoint now, const ApiResult<Json>& answer) {
  end_when_due(now);
  const auto asked = std::exchange(asked_, Action::Kind::wait);
  writing_ = asked != Action::Kind::get;
  if (answer) {
    return asked == Action::Kind::get ? read(now, *answer) : wrote(now, *answer);
  }
  must_read_ = true;
  const auto& error = answer.error();
  if (asked == Action::Kind::get && error.not_found()) return found_none(now);
  // A create that is not found lacks its namespace: that is a failure.
  if (error.conflict() || (asked == Action::Kind::apply && error.not_found())) return outdone(now);
  failed(now, error);
}

std::optional<Json> Elector::release(base::TimePoint now, const std::string& wall) {
  end_when_due(now);
  must_read_ = true;
  if (!leading_) return std::nullopt;
  auto lease = lease_of({}, leading_->term, seen_.acquired, wall);
  leading_.reset();
  return lease;
}

Elector::Action Elector::write(Action::Kind kind, bool acquires, base::TimePoint now, const std::string& wall) {
  asked_ = kind;
  sent_ = now;
  acquires_ = acquires;
  sent_term_ = acquires ? last_term_ + 1 : leading_->term;
  auto lease = lease_of(options_.identity, sent_term_, acquires ? wall : seen_.acquired, wall);
  if (kind == Action::Kind::create) lease["metadata"].erase("resourceVersion");
  return {kind, {}, std::move(lease)};
}

Json Elector::lease_of(const std::string& holder, std::uint64_t term, const std::string& acquired,
                       const std::string& wall) const {
  // Rounded up: who reads it must not think that it ends sooner than the holder does.
  const auto duration = std::chrono::ceil<seconds>(options_.lease).count();
  return {{"apiVersion", lease_resource().api_version()},
          {"kind", lease_resource().kind},
          {"metadata", {{"namespace", options_.space}, {"name", options_.name}, {"resourceVersion", seen_.version}}},
          {"spec",
           {{"holderIdentity", holder},
            {"leaseDurationSeconds", std::max<std::int64_t>(duration, 1)},
            {"leaseTransitions", term},
            {"acquireTime", acquired},
            {"renewTime", wall}}}};
}

bool Elector::may_take(base::TimePoint now) const {
  // A Lease in this process's name that it does not lead by: the answer to an earlier write was lost.
  if (seen_.holder.empty() || seen_.holder == options_.identity) return true;
  return now >= seen_at_ + seen_.duration;
}

void Elector::read(base::TimePoint now, const Json& lease) {
  if (!observe(now, lease)) return failed(now, unusable_lease());
  if (leading_ && (seen_.holder != options_.identity || seen_.term != leading_->term)) leading_.reset();
  const bool writes = leading_ || may_take(now);
  // Whether a failure to write is over shows at the next write.
  if (!(writes && failure_of_write_)) failure_.reset();
  next_try_ = writes ? now : after_retry(now);
}

void Elector::wrote(base::TimePoint now, const Json& lease) {
  // A version that has not changed would tell the others nothing: they would count this process as dead.
  const auto before = seen_.version;
  if (!observe(now, lease) || seen_.version == before || seen_.holder != options_.identity ||
      seen_.term != sent_term_) {
    leading_.reset();
    return failed(now, unusable_lease());
  }
  failure_.reset();
  conflicts_ = 0;
  const auto deadline = sent_ + options_.renew;
  // A renewal that came after the deadline is too late: the term is over, and the next try begins another.
  if (now < deadline && (leading_ || acquires_)) leading_ = Leading{sent_term_, deadline};
  next_try_ = leading_ ? std::max(now, sent_ + options_.retry) : now;
}

void Elector::found_none(base::TimePoint now) {
  // Others see none either and may create one, so this is nobody's term any more.
  leading_.reset();
  absent_ = true;
  must_read_ = false;
  seen_.version.clear();
  next_try_ = may_take(now) ? now : after_retry(now);
}

void Elector::outdone(base::TimePoint now) {
  failure_.reset();
  // To look at once keeps a leader in time; twice running would be a busy loop.
  next_try_ = ++conflicts_ == 1 ? now : after_retry(now);
}

void Elector::failed(base::TimePoint now, const ApiError& error) {
  must_read_ = true;
  failure_ = error;
  failure_of_write_ = writing_;
  const auto wish = std::min<milliseconds>(error.retry_after.value_or(seconds{0}), options_.lease);
  next_try_ = std::max(after_retry(now), now + wish);
}

bool Elector::observe(base::TimePoint now, const Json& lease) {
  Seen seen;
  seen.version = resource_version_of(lease);
  if (seen.version.empty()) return false;
  seen.holder = text_at(lease, {"spec", "holderIdentity"});
  seen.term = number_of(lease, "leaseTransitions");
  const auto duration = number_of(lease, "leaseDurationSeconds");
  seen.duration = duration > 0 ? seconds(duration) : options_.lease;
  seen.acquired = text_at(lease, {"spec", "acquireTime"});
  if (seen.version != seen_.version) seen_at_ = now;
  seen_ = std::move(seen);
  last_term_ = std::max(last_term_, seen_.term);
  absent_ = false;
  must_read_ = false;
  return true;
}

base::TimePoint Elector::after_retry(base::TimePoint now) {
  const auto jitter = random_.up_to(static_cast<std::uint64_t>(options_.retry.count()) / 5);
  return now + options_.retry + milliseconds(jitter);
}

void Elector::end_when_due(base::TimePoint now) {
  if (leading_ && now >= leading_->deadline) leading_.reset();
}

}  // namespace adit::kube
