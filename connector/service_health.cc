#include "connector/service_health.h"

namespace adit::connector {
namespace {

base::Duration up_to(base::Random& random, std::chrono::milliseconds most) {
  return std::chrono::milliseconds(random.up_to(static_cast<std::uint64_t>(most.count())));
}

}  // namespace

ServiceHealth::ServiceHealth(const ProbeSettings& settings, base::Random& random, base::TimePoint now)
    : settings_(settings), random_(random), next_(now + up_to(random, settings.interval)) {}

bool ServiceHealth::on_result(std::string_view failure, base::TimePoint now) {
  const auto jitter = settings_.interval / 10;
  next_ = now + settings_.interval - jitter + up_to(random_, 2 * jitter);
  const bool well = failure.empty();
  if (well == healthy_) {
    against_ = 0;
    if (well || failure == reason_) return false;
    reason_ = failure;
    return true;
  }
  if (++against_ < (well ? settings_.up_after : settings_.down_after)) return false;
  against_ = 0;
  healthy_ = well;
  reason_ = failure;
  return true;
}

}  // namespace adit::connector
