#pragma once
// Whether one service is healthy, by its probes, and when to probe next. Pure.

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "connector/probe_settings.h"

namespace adit::connector {

/// A service counts as healthy until so many probes in a row have failed, and as down until so many succeed.
class ServiceHealth {
 public:
  /// `random` is borrowed. The first probe comes within the first interval, so that many do not begin together.
  ServiceHealth(const ProbeSettings& settings, base::Random& random, base::TimePoint now);

  /// A probe has ended; empty `failure`: well. True when the service went down or came up, or is down for another
  /// reason than before.
  bool on_result(std::string_view failure, base::TimePoint now);
  /// When the next probe begins: an interval, give or take a tenth, after the last one's end.
  base::TimePoint next() const { return next_; }

  bool healthy() const { return healthy_; }
  /// Of the last failure; of use while it is down.
  const std::string& reason() const { return reason_; }

 private:
  ProbeSettings settings_;
  base::Random& random_;
  base::TimePoint next_;
  bool healthy_ = true;
  unsigned against_ = 0;  ///< results in a row that speak against healthy_
  std::string reason_;
};

}  // namespace adit::connector
