#pragma once
// Which gateways there are, by what their control lines say (docs/link.md §6). Pure.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace adit::link {

using GatewayIds = std::set<std::string, std::less<>>;

/// The `most` of `ids` that are nearest to `instance` by rendezvous hashing (D. Thaler, C. Ravishankar, "A Name-Based
/// Mapping Scheme for Rendezvous", 1996): instances spread evenly, and few move when an id comes or goes. 0: all.
GatewayIds nearest(std::string_view instance, const GatewayIds& ids, std::size_t most);
/// The weight by which nearest() prefers.
std::uint64_t nearness(std::string_view instance, std::string_view id);

/// Links are named by their slots' numbers.
class KnownGateways {
 public:
  /// Whom others may still name is not dialled for so long after it said that it leaves; then it counts again, since it
  /// may have been started anew under the same id.
  static constexpr base::Duration kLeaving = std::chrono::seconds(10);

  /// The newest line of that link, which leads to `gateway`.
  void on_line(std::uint32_t link, const std::string& gateway, std::vector<std::string> ids);
  /// The link is gone, and what it said with it.
  void on_gone(std::uint32_t link) { lines_.erase(link); }
  void on_leaving(const std::string& gateway, base::TimePoint now) { leaving_[gateway] = now + kLeaving; }
  /// It has taken a link: it is not one that leaves, or says so again.
  void on_arrival(const std::string& gateway) { leaving_.erase(gateway); }
  /// To be called at deadline().
  void on_time(base::TimePoint now);
  base::TimePoint deadline() const;

  bool any_line() const { return !lines_.empty(); }
  /// Some link to `gateway` has a line.
  bool has_spoken(const std::string& gateway) const;
  bool is_leaving(const std::string& gateway) const { return leaving_.contains(gateway); }
  /// What the lines name together, without those that leave.
  GatewayIds named() const;

 private:
  struct Line {
    std::string gateway;
    std::vector<std::string> ids;
  };
  std::map<std::uint32_t, Line> lines_;
  std::map<std::string, base::TimePoint> leaving_;
};

}  // namespace adit::link
