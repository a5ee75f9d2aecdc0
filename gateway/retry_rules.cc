#include "gateway/retry_rules.h"

namespace adit::gateway {

Retry retry_of(AttemptEnd end, const AttemptsMade& made) {
  if (made.answer_begun || made.attempts >= kMostAttempts) return Retry::none;
  if (end == AttemptEnd::timed_out) return Retry::none;  // the visitor has waited long enough
  if (made.left) return made.repeatable && !made.repeated ? Retry::budgeted : Retry::none;
  const bool for_the_links_sake = end == AttemptEnd::link_lost || end == AttemptEnd::refused;
  return for_the_links_sake ? Retry::free : Retry::budgeted;
}

}  // namespace adit::gateway
