#pragma once
// Which of several tunnels that share a host and path by weight gets a request. Pure.

#include <cstdint>
#include <span>

#include "gateway/affinity_cookie.h"
#include "routing/table.h"

namespace adit::gateway {

/// Whether a rule's service can be had now.
class ServedRules {
 public:
  /// A live connector offers it, here or at a peer.
  virtual bool is_served(const routing::Route& rule) = 0;

 protected:
  ~ServedRules() = default;
};

/// Numbers that are spread so evenly that of any so many in a row each weight gets its part, but for one or two: the
/// fractions of multiples of the golden ratio (Weyl).
class Lots {
 public:
  explicit Lots(std::uint64_t first) : last_(first) {}
  std::uint64_t draw() { return last_ += 0x9e3779b97f4a7c15U; }

 private:
  std::uint64_t last_;
};

/// `lot` out of 2^64 decides by weight. Where it falls on one that is not served, it decides among those that are;
/// where none is, it stands. nullptr: all weights are 0.
struct ShareChoice {
  const routing::Route* rule = nullptr;
  bool moved = false;  ///< not the one on which the lot fell
};
ShareChoice choose_share(std::span<const routing::Route> shares, std::uint64_t lot, ServedRules& served);

/// The rule that the cookie of that name stands for, if it has a weight, is served, and gives such cookies; else
/// nullptr.
const routing::Route* known_share(std::span<const routing::Route> shares, std::string_view cookie_name,
                                  const AffinityCookie& cookie, ServedRules& served);

}  // namespace adit::gateway
