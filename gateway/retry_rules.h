#pragma once
// Whether a request whose attempt came to nothing is tried again. Pure.

#include <cstdint>

namespace adit::gateway {

/// How an attempt ended without an answer of the service.
enum class AttemptEnd : std::uint8_t {
  link_lost,    ///< its link is dead or went silent
  refused,      ///< the connector took no more streams (REFUSED_STREAM): nobody looked at it
  unreachable,  ///< the connector said that it cannot reach the service
  timed_out,    ///< the connector said that this took too long
  stream_lost,  ///< the service's connection ended
};

/// What a request has been through so far.
struct AttemptsMade {
  unsigned attempts = 0;
  bool left = false;          ///< a byte has left on the last one: the service may have it
  bool repeatable = false;    ///< idempotent and without body
  bool repeated = false;      ///< it was sent once more already
  bool answer_begun = false;  ///< a byte of the answer came
};

enum class Retry : std::uint8_t {
  none,
  free,      ///< the attempt cost no service anything: the request only moves to another link
  budgeted,  ///< if the tunnel's RetryBudget allows it
};

inline constexpr unsigned kMostAttempts = 3;

Retry retry_of(AttemptEnd end, const AttemptsMade& made);

}  // namespace adit::gateway
